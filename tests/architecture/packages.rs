//! The packages of the workspace and their targets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::files;

#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(crate) folder: PathBuf,
    pub(crate) features: BTreeSet<String>,
    /// The names of the targets of each kind: `bin`, `test`, `bench`, `example`.
    pub(crate) targets: BTreeMap<&'static str, BTreeSet<String>>,
}

/// The kinds of targets, each with the folder in which Cargo looks for them.
const KINDS: [(&str, &str); 4] = [
    ("bin", "src/bin"),
    ("test", "tests"),
    ("bench", "benches"),
    ("example", "examples"),
];

/// All packages of the repository by name.
pub(crate) fn all() -> BTreeMap<String, Package> {
    let manifests = files::texts(&["Cargo.toml", "crates", "fuzz"], "toml").into_iter();
    let manifests = manifests.filter(|(file, _)| file.ends_with("Cargo.toml"));
    let packages: BTreeMap<_, _> = manifests
        .map(|(file, text)| package(&file, &text))
        .collect();
    assert!(packages.len() > 3, "the packages were not found");
    packages
}

fn package(manifest: &str, text: &str) -> (String, Package) {
    let manifest_text: Table = text.parse().unwrap();
    let folder = files::root().join(manifest).parent().unwrap().to_owned();
    let name = manifest_text["package"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let features = manifest_text.get("features").and_then(Value::as_table);
    let mut package = Package {
        features: features
            .into_iter()
            .flat_map(|table| table.keys().cloned())
            .collect(),
        ..Default::default()
    };
    for (kind, subfolder) in KINDS {
        let declared = manifest_text.get(kind).and_then(Value::as_array);
        let declared = declared.into_iter().flatten();
        let names = declared.map(|target| target["name"].as_str().unwrap().to_owned());
        let mut targets: BTreeSet<_> = names.collect();
        targets.extend(discovered(&folder.join(subfolder)));
        package.targets.insert(kind, targets);
    }
    if folder.join("src/main.rs").is_file() && package.targets["bin"].is_empty() {
        package
            .targets
            .entry("bin")
            .or_default()
            .insert(name.clone());
    }
    package.folder = folder;
    (name, package)
}

/// Targets that Cargo finds by itself: `name.rs` and `name/main.rs`.
fn discovered(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let name = |path: PathBuf| {
        let is_file = path.extension().is_some_and(|extension| extension == "rs");
        let is_target = is_file || path.join("main.rs").is_file();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        is_target.then_some(name)
    };
    entries
        .filter_map(|entry| name(entry.unwrap().path()))
        .collect()
}

#[test]
fn path_attributes_stay_in_their_package() {
    let packages = all();
    let mut leaving = Vec::new();
    let sources = files::texts(
        &["src", "tests", "examples", "benches", "crates", "fuzz"],
        "rs",
    );
    for (file, text) in sources {
        for path in path_attributes(&text) {
            let included = files::root().join(&file).parent().unwrap().join(&path);
            let owners = [files::root().join(&file), normalized(&included)]
                .map(|file| owner(&packages, &file).cloned());
            if owners[0] != owners[1] {
                leaving.push(format!("{file}: {path}"));
            }
        }
    }
    assert!(leaving.is_empty(), "use a crate instead: {leaving:#?}");
}

/// The values of `#[path = "..."]`, also within `cfg_attr`.
fn path_attributes(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim_start);
    let attributes =
        lines.filter(|line| line.starts_with("#[path") || line.starts_with("#[cfg_attr"));
    let value = |line: &str| {
        let (_, value) = line.split_once("path = \"")?;
        Some(value.split_once('"')?.0.to_owned())
    };
    attributes.filter_map(value).collect()
}

/// The package with the deepest folder that holds the file.
pub(crate) fn owner<'p>(
    packages: &'p BTreeMap<String, Package>,
    file: &Path,
) -> Option<&'p String> {
    let owners = packages
        .iter()
        .filter(|(_, package)| file.starts_with(&package.folder));
    owners
        .max_by_key(|(_, package)| package.folder.as_os_str().len())
        .map(|(name, _)| name)
}

fn normalized(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                normalized.pop();
            }
            part => normalized.push(part),
        }
    }
    normalized
}

#[test]
fn packages_own_the_files_below_their_manifest() {
    let packages = all();
    let owner = |file: &str| owner(&packages, &normalized(&files::root().join(file))).cloned();
    let file = "crates/testkit/src/../../../src/lib.rs";
    assert_eq!(owner(file).as_deref(), Some("object_store_failover"));
    assert_eq!(
        owner("crates/testkit/src/lib.rs").as_deref(),
        Some("failover-testkit")
    );
    assert_eq!(
        path_attributes("#[path = \"../a.rs\"]\nmod a;"),
        ["../a.rs"]
    );
}
