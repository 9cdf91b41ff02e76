//! Files, functions and lines are short enough to be read without scrolling back.

use std::collections::BTreeMap;

use super::{files, lexer};

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 70;
const MAX_COLUMNS: usize = 100;

fn sources() -> BTreeMap<String, String> {
    let folders = ["src", "tests", "examples", "benches", "crates", "fuzz"];
    let files = files::texts(&folders, "rs");
    assert!(files.len() > 100, "the sources were not found");
    files
}

#[test]
fn files_at_most_400_lines() {
    let lines = |(file, text): (String, String)| (file, text.lines().count());
    let files = sources().into_iter().map(lines);
    let long: Vec<_> = files.filter(|(_, lines)| *lines > MAX_FILE_LINES).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn functions_at_most_70_lines() {
    let mut long = Vec::new();
    for (file, text) in sources() {
        let functions = functions(&text).into_iter();
        let functions = functions.filter(|(_, lines)| *lines > MAX_FUNCTION_LINES);
        long.extend(functions.map(|(name, lines)| format!("{file}: {name}: {lines}")));
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn lines_at_most_100_columns() {
    let mut long = Vec::new();
    for (file, text) in sources() {
        let lines = text.lines().enumerate();
        let wide = lines.filter(|(_, line)| line.chars().count() > MAX_COLUMNS);
        long.extend(wide.map(|(index, _)| format!("{file}:{}", index + 1)));
    }
    assert!(long.is_empty(), "{long:#?}");
}

/// The functions with a body, and how many lines each has from `fn` to its closing brace.
fn functions(text: &str) -> Vec<(String, usize)> {
    let code = lexer::without_comments_and_literals(text);
    let mut functions = Vec::new();
    for (start, _) in code.match_indices("fn ") {
        let is_word = !code[..start].ends_with(lexer::is_word);
        let rest = &code[start..code.len()];
        let name: String = rest[3..]
            .chars()
            .take_while(|c| lexer::is_word(*c))
            .collect();
        let function = &rest[..lexer::end_of_item(rest)];
        if is_word && !name.is_empty() && function.ends_with('}') {
            functions.push((name, function.lines().count()));
        }
    }
    functions
}

#[test]
fn functions_are_measured_with_nested_ones() {
    let text = "fn a(x: [u8; 3],\n f: fn(u8)) {\n  \"}\";\n  fn b() {}\n}\ntrait T { fn c(); }";
    let expected = [("a".to_owned(), 5), ("b".to_owned(), 1)];
    assert_eq!(functions(text), expected);
}
