//! Plain technical English: the subject of a sentence is a type or an event, not a person.

use std::collections::BTreeMap;

use super::files;

const AVOIDED: [&str; 5] = ["nobody", "somebody", "whoever", "everybody", "whom"];
const MAX_OCCURRENCES: usize = 10;

#[test]
fn persons_are_at_most_ten_times_subjects() {
    let texts = files::texts(&["src", "crates", "docs", "README.md"], "");
    let found = occurrences(&texts);
    let count = found.len();
    assert!(count <= MAX_OCCURRENCES, "{count}: {found:#?}");
}

/// Whole words, also as parts of identifiers, as `file:line: word`.
fn occurrences(texts: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in texts {
        for (index, line) in text.lines().enumerate() {
            let words = line.split(|c: char| !c.is_alphabetic());
            let avoided = words.filter(|word| AVOIDED.contains(&word.to_lowercase().as_str()));
            found.extend(avoided.map(|word| format!("{file}:{}: {word}", index + 1)));
        }
    }
    found
}

#[test]
fn avoided_words_are_found_whole() {
    let text = "Nobody knows.\nis_whom, whomever, NOBODY's".to_owned();
    let found = occurrences(&[("file".to_owned(), text)].into());
    assert_eq!(found, ["file:1: Nobody", "file:2: whom", "file:2: NOBODY"]);
}
