//! Just enough of Rust's lexical structure to find paths, items and functions.

/// The text with spaces in place of comments and literals. Lines and columns do not move.
pub(crate) fn without_comments_and_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut blanked = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_skipped(&chars, at);
        if end == at {
            blanked.push(chars[at]);
            at += 1;
            continue;
        }
        let skipped = &chars[at..end.min(chars.len())];
        blanked.extend(skipped.iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    blanked
}

/// Where the comment or literal that begins at `at` ends; `at` if none begins there.
fn end_of_skipped(chars: &[char], at: usize) -> usize {
    match (chars[at], chars.get(at + 1)) {
        ('/', Some('/')) => end_of(chars, at, |rest| rest[0] == '\n'),
        ('/', Some('*')) => end_of_block_comment(chars, at),
        ('"', _) => end_of_quoted(chars, at, '"'),
        // A lifetime or label has no closing quote after one character.
        ('\'', Some('\\')) => end_of_quoted(chars, at, '\''),
        ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
        ('r', Some('"' | '#')) if starts_raw_string(chars, at) => end_of_raw_string(chars, at),
        _ => at,
    }
}

fn end_of(chars: &[char], from: usize, is_end: impl Fn(&[char]) -> bool) -> usize {
    let mut ends = from..chars.len();
    ends.find(|at| is_end(&chars[*at..])).unwrap_or(chars.len())
}

fn end_of_block_comment(chars: &[char], from: usize) -> usize {
    let (mut depth, mut at) = (0, from);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_quoted(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// `r"` or `r#"` that is not the end of an identifier; `r#name` is a raw identifier.
fn starts_raw_string(chars: &[char], at: usize) -> bool {
    let is_part_of_word = at > 0 && is_word(chars[at - 1]) && !matches!(chars[at - 1], 'b' | 'c');
    let quote = chars[at + 1..].iter().find(|c| **c != '#');
    !is_part_of_word && quote == Some(&'"')
}

fn end_of_raw_string(chars: &[char], from: usize) -> usize {
    let hashes = chars[from + 1..].iter().take_while(|c| **c == '#').count();
    let is_end = |rest: &[char]| {
        let closing = rest[1..].iter().take(hashes);
        rest[0] == '"' && closing.filter(|c| **c == '#').count() == hashes
    };
    end_of(chars, from + hashes + 2, is_end) + hashes + 1
}

/// The code that is compiled into the library: no comments, literals and test-only items.
pub(crate) fn library_code(text: &str) -> String {
    let mut code = without_comments_and_literals(text);
    for attribute in ["#[cfg(test)]", "#[cfg(all(test,"] {
        while let Some(start) = code.find(attribute) {
            let from = start + attribute.len();
            let end = from + end_of_item(&code[from..]);
            let blank: String = code[start..end].chars().map(as_blank).collect();
            code.replace_range(start..end, &blank);
        }
    }
    code
}

fn as_blank(c: char) -> char {
    if c == '\n' { '\n' } else { ' ' }
}

/// The end of the first item of the code: its semicolon or closing brace.
pub(crate) fn end_of_item(code: &str) -> usize {
    let (mut brackets, mut braces) = (0, 0);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            '{' => braces += 1,
            '}' => braces -= 1,
            _ => {}
        }
        if (c == ';' && brackets <= 0 && braces == 0) || (c == '}' && braces == 0) {
            return at + 1;
        }
    }
    code.len()
}

/// Identifiers, `::`, and all other characters one by one.
pub(crate) fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn comments_and_literals_become_blank() {
    let text = "a /* b /* c */ d */ e // f\n\"g \\\" h\" i 'j' '\\'' 'k r#\"l \" m\"# n br\"o\" p";
    let words = without_comments_and_literals(text);
    let words: Vec<_> = words.split_whitespace().collect();
    assert_eq!(words, ["a", "e", "i", "'k", "n", "b", "p"]);
}

#[test]
fn test_only_items_are_left_out() {
    let text = "use a; #[cfg(test)] mod tests { fn b() {} } fn c() {} #[cfg(test)] use d; e";
    let code = library_code(text);
    let words: Vec<_> = tokens(&code);
    assert_eq!(words, ["use", "a", ";", "fn", "c", "(", ")", "{", "}", "e"]);
}
