//! The seeds in `fuzz/seeds`: hand-written inputs, and every input that has failed.

use std::path::Path;

use failover_testkit::fuzz_targets::ALL;

#[test]
fn every_seed_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    // The published package has no seeds.
    if !folder.exists() && !Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci").exists() {
        return;
    }
    let mut failed = Vec::new();
    for (name, target) in ALL {
        let seeds: Vec<_> = std::fs::read_dir(folder.join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
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
fn every_seed_folder_has_a_target() {
    let Ok(folders) = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds")) else {
        return;
    };
    for folder in folders {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(
            ALL.iter().any(|(target, _)| *target == name),
            "no target for {name}"
        );
        assert!(
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/targets"))
                .join(format!("{name}.rs"))
                .exists(),
            "no fuzz target for {name}"
        );
    }
}
