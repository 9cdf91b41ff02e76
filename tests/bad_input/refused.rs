//! What object_store's S3 client panics at is refused before it is asked.

use crate::targets::{attribute, etags, paths};

#[test]
fn a_key_that_no_url_can_hold_is_no_panic() {
    for length in [16 * 1024 - 5, 16 * 1024 + 1, 64 * 1024, 200_000] {
        paths::target("k".repeat(length).as_bytes());
        paths::target("é".repeat(length / 2).as_bytes());
    }
}

#[test]
fn a_tag_that_no_header_can_hold_is_no_panic() {
    for odd in ["\r", "\0", "\u{7f}", "a\u{1b}[31m"] {
        etags::target(format!("{odd}\n\n200\n\nx").as_bytes());
        etags::target(format!("\n{odd}\n200\n\nx").as_bytes());
    }
}

#[test]
fn an_attribute_that_no_header_can_hold_is_no_panic() {
    for (name, value) in [("a", "v\r\nx-injected: 1"), ("a b", "v"), ("", "v"), ("a\n", "v")] {
        attribute(name, value);
    }
}
