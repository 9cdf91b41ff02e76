//! The files of the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no sources of this repository.
const SKIPPED: [&str; 3] = ["target", ".git", "__pycache__"];

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of every file with this extension below these paths, by its path from the root. An
/// empty extension takes all files; those that are not UTF-8 are left out.
pub(crate) fn texts(paths: &[&str], extension: &str) -> BTreeMap<String, String> {
    let mut files = Vec::new();
    for path in paths {
        collect(&root().join(path), &mut files);
    }
    let has_extension = |path: &PathBuf| {
        extension.is_empty() || path.extension().is_some_and(|found| found == extension)
    };
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap();
        let text = fs::read_to_string(&path).ok()?;
        Some((name.to_str().unwrap().to_owned(), text))
    };
    files
        .into_iter()
        .filter(has_extension)
        .filter_map(read)
        .collect()
}

/// The modules of the library by their path below `src`, without test-only files.
pub(crate) fn library() -> BTreeMap<String, String> {
    let is_test = |name: &str| {
        name.split('/')
            .any(|part| part == "tests" || part == "tests.rs")
    };
    let files = texts(&["src"], "rs").into_iter();
    let files = files.map(|(name, text)| (name.strip_prefix("src/").unwrap().to_owned(), text));
    let files: BTreeMap<_, _> = files.filter(|(name, _)| !is_test(name)).collect();
    assert!(files.len() > 20, "the sources were not found");
    files
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        found.push(path.to_owned());
    } else if path.is_dir() {
        let is_skipped = |name: &str| SKIPPED.contains(&name);
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(|name| name.to_str());
            if !name.is_some_and(is_skipped) {
                collect(&path, found);
            }
        }
    }
}
