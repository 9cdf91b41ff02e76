//! No circle between files of the library: each can be read after those that it uses.

use std::collections::{BTreeMap, BTreeSet};

use super::files;
use super::module_tree::{Edge, ModuleTree};

#[test]
fn files_form_no_cycles() {
    let cycles = cycles(&files::library());
    assert!(cycles.is_empty(), "circular dependencies: {cycles:#?}");
}

/// The edges within each set of files that use each other.
fn cycles(files: &BTreeMap<String, String>) -> Vec<Vec<String>> {
    let edges = ModuleTree::parse(files).edges();
    let mut reachable: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in files.keys() {
        reachable.insert(file, files_reached(file, &edges));
    }
    let mut members = BTreeMap::new();
    for (file, reached) in &reachable {
        let is_mutual = |other: &&str| reachable[other].contains(file);
        let cycle: BTreeSet<_> = reached.iter().copied().filter(is_mutual).collect();
        if !cycle.is_empty() {
            members.insert(cycle, ());
        }
    }
    let shown = |cycle: &BTreeSet<&str>| {
        let inside = |(from, to): &Edge| cycle.contains(&**from) && cycle.contains(&**to);
        let edges = edges.iter().filter(|(edge, _)| inside(edge));
        edges
            .map(|((from, to), name)| format!("{from} -> {to} ({name})"))
            .collect()
    };
    members.keys().map(shown).collect()
}

/// All files that can be reached over at least one edge.
fn files_reached<'e>(file: &str, edges: &'e BTreeMap<Edge, String>) -> BTreeSet<&'e str> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![file]);
    while let Some(file) = open.pop() {
        for (from, to) in edges.keys() {
            if from == file && reached.insert(&**to) {
                open.push(to);
            }
        }
    }
    reached
}

/// The cycles of a made-up crate.
fn cycles_of<const N: usize>(files: [(&str, &str); N]) -> Vec<Vec<String>> {
    let files = files.map(|(file, text)| (file.to_owned(), text.to_owned()));
    cycles(&files.into())
}

#[test]
fn cycle_between_siblings_is_found() {
    let found = cycles_of([
        ("lib.rs", "mod a; mod b; mod c; pub use a::A;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "pub struct B; fn f(_: super::a::A) {}"),
        ("c.rs", "use crate::A; use ::b::other; pub struct C(A);"),
    ]);
    assert_eq!(
        found,
        [["a.rs -> b.rs (crate::b::B)", "b.rs -> a.rs (super::a::A)"]]
    );
}

#[test]
fn reexports_lead_to_the_defining_file() {
    let found = cycles_of([
        ("lib.rs", "mod parent; mod user;"),
        ("parent/mod.rs", "mod child; pub(crate) use child::Child;"),
        (
            "parent/child.rs",
            "pub(crate) struct Child(crate::user::User);",
        ),
        (
            "user.rs",
            "use crate::parent::{self, Child}; pub struct User(parent::Child);",
        ),
    ]);
    let expected = [
        "parent/child.rs -> user.rs (crate::user::User)",
        "user.rs -> parent/child.rs (crate::parent::Child)",
    ];
    assert_eq!(found, [expected]);
}

#[test]
fn reexport_is_a_dependency_only_if_used() {
    let files = |facade| {
        [
            ("lib.rs", "mod facade; mod user;"),
            ("facade.rs", facade),
            (
                "user.rs",
                "pub struct User; fn f() { crate::facade::make() }",
            ),
        ]
    };
    let found = cycles_of(files("pub use crate::user::User; pub fn make() {}"));
    assert_eq!(found, [[""; 0]; 0]);
    let found = cycles_of(files(
        "pub use crate::user::User; pub fn make() -> User { User }",
    ));
    assert_eq!(found.len(), 1);
}

#[test]
fn child_may_use_its_ancestors() {
    let root = ("lib.rs", "mod parent;");
    let parent = "mod a; mod b; pub struct Base; fn f() { a::f(); b::f() }";
    let parent = ("parent/mod.rs", parent);
    let a = ("parent/a.rs", "pub fn f() -> super::Base { super::b::f() }");
    let found = cycles_of([root, parent, a, ("parent/b.rs", "use super::Base;")]);
    assert_eq!(found, [[""; 0]; 0]);
    // Siblings are two files.
    let found = cycles_of([
        root,
        parent,
        a,
        ("parent/b.rs", "use super::a; pub fn f() { a::f() }"),
    ]);
    assert_eq!(found.len(), 1);
}

#[test]
fn globs_aliases_and_inline_modules_are_followed() {
    let root = ("lib.rs", "mod a; mod b; mod c;");
    let glob = ("a.rs", "use crate::b::*; fn f(_: B) {}");
    let alias = ("b.rs", "use super::c as renamed; pub struct B(renamed::C);");
    let inline = (
        "c.rs",
        "pub struct C; mod inner { use super::super::a::f; }",
    );
    let found = cycles_of([root, glob, alias, inline]);
    let expected = [
        "a.rs -> b.rs (crate::b::B)",
        "b.rs -> c.rs (renamed::C)",
        "c.rs -> a.rs (super::super::a::f)",
    ];
    assert_eq!(found, [expected]);
    // The glob is no dependency if none of the names occurs.
    let found = cycles_of([root, ("a.rs", "use crate::b::*; fn f() {}"), alias, inline]);
    assert_eq!(found, [[""; 0]; 0]);
}

#[test]
fn comments_strings_and_tests_are_no_dependencies() {
    let found = cycles_of([
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        (
            "b.rs",
            "/// crate::a::A\npub struct B; const TEXT: &str = \"crate::a::A\";
             #[cfg(test)] mod tests { use crate::a::A; }",
        ),
    ]);
    assert_eq!(found, [[""; 0]; 0]);
}
