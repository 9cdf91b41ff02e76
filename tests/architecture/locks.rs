//! Locks and atomics of `health` come from `runtime::sync`, which the loom models replace.

use super::{files, lexer};

/// What loom does not see. `tokio::sync` is allowed: tokio has its own models.
const UNSEEN: [&str; 5] = [
    "std::sync::atomic",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::sync::OnceLock",
    "parking_lot",
];

#[test]
fn health_uses_runtime_sync() {
    let files = files::library().into_iter();
    let health = files
        .filter(|(file, _)| file.starts_with("health/") && !file.starts_with("health/models/"));
    let wrong: Vec<_> = health
        .filter_map(|(file, text)| Some((file, unseen(&text)?)))
        .collect();
    assert!(wrong.is_empty(), "use crate::runtime::sync: {wrong:?}");
}

fn unseen(text: &str) -> Option<&'static str> {
    let code: String = lexer::tokens(&lexer::library_code(text)).concat();
    UNSEEN.into_iter().find(|path| code.contains(path))
}

#[test]
fn direct_uses_of_locks_are_found() {
    assert_eq!(unseen("use std::sync::atomic::AtomicU32;"), Some(UNSEEN[0]));
    assert_eq!(unseen("use parking_lot::Mutex;"), Some(UNSEEN[4]));
    assert_eq!(unseen("use std::sync::Arc; // parking_lot"), None);
}
