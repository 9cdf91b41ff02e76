//! Every seed of `fuzz/seeds`: hand-made ones, and each input that ever failed.

use std::path::Path;

use crate::targets::ALL;

#[test]
fn every_seed_is_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    // They are no part of the package.
    if !folder.exists() && !Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci").exists() {
        return;
    }
    let mut failed = Vec::new();
    for (name, target) in ALL {
        let seeds: Vec<_> = std::fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(seeds.len() >= 5, "{name} has few seeds");
        for seed in seeds {
            let data = std::fs::read(&seed).unwrap();
            if std::panic::catch_unwind(|| target(&data)).is_err() {
                failed.push(seed);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_folder_of_seeds_belongs_to_a_target() {
    let Ok(folders) = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds")) else { return };
    for folder in folders {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(ALL.iter().any(|(target, _)| *target == name), "nobody reads {name}");
        assert!(
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/targets")).join(format!("{name}.rs")).exists(),
            "{name} is not fuzzed"
        );
    }
}
