//! Each module of the library uses only those below it.

use std::collections::{BTreeMap, BTreeSet};

use super::files;
use super::module_tree::{ModulePath, ModuleTree};

/// From the bottom up.
const LAYERS: [&str; 20] = [
    "types",
    "settings",
    "runtime",
    "error",
    "metrics",
    "timeouts",
    "throttle",
    "health",
    "transport",
    "region",
    "event",
    "request",
    "plan",
    "failover",
    "stream",
    "probe",
    "store",
    "config",
    "internals",
    "lib",
];

#[test]
fn modules_use_only_lower_layers() {
    let upward = upward_uses(&files::library(), &LAYERS);
    assert!(upward.is_empty(), "upward dependencies: {upward:#?}");
}

#[test]
fn every_layer_is_a_module() {
    let files = files::library();
    let modules: BTreeSet<_> = files.keys().map(|file| layer_of(file)).collect();
    let stale: Vec<_> = LAYERS
        .iter()
        .filter(|layer| !modules.contains(*layer))
        .collect();
    assert!(stale.is_empty(), "no such modules: {stale:?}");
}

/// Paths that name a higher layer, as `file: path`.
fn upward_uses(files: &BTreeMap<String, String>, layers: &[&str]) -> BTreeSet<String> {
    let tree = ModuleTree::parse(files);
    let height = |layer: &str| layers.iter().position(|name| *name == layer);
    let mut upward = BTreeSet::new();
    for (path, module) in tree.modules() {
        let own = layer_of(&module.file);
        let own = height(own).unwrap_or_else(|| panic!("{own} has no layer: add it to LAYERS"));
        let imports = module.imports.iter().map(|import| &import.path);
        for used in imports.chain(&module.paths) {
            let Some(absolute) = ModuleTree::absolute(path, used) else {
                continue;
            };
            if layer_of_path(&absolute, layers).is_none_or(|layer| height(layer) > Some(own)) {
                upward.insert(format!("{}: {}", module.file, used.join("::")));
            }
        }
    }
    upward
}

fn layer_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap();
    first.trim_end_matches(".rs")
}

/// What is no module is a name of the crate's root: `crate::FailoverStore`.
fn layer_of_path<'l>(absolute: &ModulePath, layers: &[&'l str]) -> Option<&'l str> {
    let first = absolute.first()?;
    let layer = layers.iter().find(|layer| *layer == first);
    Some(*layer.unwrap_or(&"lib"))
}

#[test]
fn upward_paths_are_found_in_every_form() {
    let files = [
        ("lib.rs", "mod low; mod high; pub use high::Top;"),
        ("low/mod.rs", "mod inner; fn f() { crate::high::f() }"),
        (
            "low/inner.rs",
            "use super::super::high::A; use crate::{Top, low::B};",
        ),
        ("high.rs", "use crate::low::C; // crate::lib::D"),
    ];
    let files = files
        .map(|(file, text)| (file.to_owned(), text.to_owned()))
        .into();
    let expected = [
        "low/inner.rs: crate::Top",
        "low/inner.rs: super::super::high::A",
        "low/mod.rs: crate::high::f",
    ];
    let found = upward_uses(&files, &["low", "high", "lib"]);
    assert_eq!(found, expected.map(str::to_owned).into());
}
