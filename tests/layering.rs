//! The house has floors: each module may use only those below it.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

use std::collections::BTreeMap;
use std::path::Path;

/// From the ground up. A file may name its own room and those before it.
const FLOORS: [&str; 33] = [
    "settings",
    "sync",
    "time",
    "operation",
    "metrics",
    "limits",
    "pace",
    "health",
    "connections",
    "flavor",
    "probed",
    "region",
    "evidence",
    "failure",
    "event",
    "story",
    "error",
    "request",
    "plan",
    "failover",
    "snapshot",
    "stall",
    "source",
    "breaks",
    "whole",
    "body",
    "listing",
    "probe",
    "store",
    "builder",
    "config",
    "simulation",
    "lib",
];

/// `use` paths that go up, with the reason why they may.
const ALLOWED: [(&str, &str); 0] = [];

#[test]
fn no_module_uses_one_above_it() {
    let floor = |room: &str| FLOORS.iter().position(|name| *name == room);
    let mut wrong = Vec::new();
    for (file, text) in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let room = file.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let own = floor(&room).unwrap_or_else(|| panic!("{file}: {room} has no floor: add it to FLOORS where it belongs"));
        for used in rooms_used(&text) {
            let upward = floor(&used).is_none_or(|used| used > own);
            if upward && !ALLOWED.contains(&(room.as_str(), used.as_str())) {
                wrong.push(format!("{file} uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "upward dependencies: {wrong:#?}");
}

/// What threads decide upon together is tried in every order by loom, which sees only what goes through this door.
#[test]
fn health_takes_its_locks_and_atomics_through_the_door() {
    let models = |file: &str| file.starts_with("health/models/");
    let past_it = |text: &str| code(text).any(|line| line.contains("std::sync::atomic") || line.contains("parking_lot"));
    let wrong: Vec<_> = sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")))
        .into_iter()
        .filter(|(file, text)| file.starts_with("health/") && !models(file) && past_it(text))
        .map(|(file, _)| file)
        .collect();
    assert!(wrong.is_empty(), "use crate::sync in {wrong:?}");
}

#[test]
fn files_are_short_enough_to_be_read_in_one_go() {
    let long: Vec<_> = sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")))
        .into_iter()
        .map(|(file, text)| (file, text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count()))
        .filter(|(file, lines)| *lines > 400 && !file.ends_with("tests.rs"))
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

/// The rooms named by `crate::room` anywhere in the code; comments and tests may look where they like.
fn rooms_used(text: &str) -> Vec<String> {
    code(text)
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .filter(|room: &String| room.starts_with(char::is_lowercase))
        .collect()
}

/// Its lines without comments and tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).filter(|line| !line.trim_start().starts_with("//"))
}

fn sources(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect(folder, folder, &mut found);
    assert!(found.len() > 20, "the sources were not found");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            found.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}
