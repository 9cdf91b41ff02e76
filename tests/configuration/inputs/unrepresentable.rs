//! Inputs at which object_store's clients panic are rejected before they reach a client.

use failover_testkit::fuzz_targets::{etags, invalid_attribute, paths};

#[test]
fn key_too_long_for_a_url() {
    for length in [16 * 1024 - 5, 16 * 1024 + 1, 64 * 1024, 200_000] {
        paths::target("k".repeat(length).as_bytes());
        paths::target("é".repeat(length / 2).as_bytes());
    }
}

#[test]
fn etag_that_no_header_can_hold() {
    for invalid in ["\r", "\0", "\u{7f}", "a\u{1b}[31m"] {
        etags::target(format!("{invalid}\n\n200\n\nx").as_bytes());
        etags::target(format!("\n{invalid}\n200\n\nx").as_bytes());
    }
}

#[test]
fn attribute_that_no_header_can_hold() {
    for (name, value) in [
        ("a", "v\r\nx-injected: 1"),
        ("a b", "v"),
        ("", "v"),
        ("a\n", "v"),
    ] {
        invalid_attribute(name, value);
    }
}
