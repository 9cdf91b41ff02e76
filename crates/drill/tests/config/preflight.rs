//! `--scenario preflight`.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::Value;

use crate::program::Regions;

/// Level and text of one check of one region.
fn check<'a>(report: &'a Value, region: &str, name: &str) -> (&'a str, &'a str) {
    let regions = report["preflight"]["regions"].as_array().unwrap();
    let entry = regions
        .iter()
        .find(|entry| entry["region"] == region)
        .unwrap();
    let check = entry["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("{name}: {entry}"));
    (
        check["word"].as_str().unwrap(),
        check["text"].as_str().unwrap(),
    )
}

async fn report(regions: &Regions, name: &str) -> (Option<i32>, String, Value) {
    let file = std::env::temp_dir().join(format!(
        "object_store_failover-preflight-{name}-{}.json",
        std::process::id()
    ));
    let output = regions
        .drill(&["--scenario", "preflight", "--json", file.to_str().unwrap()])
        .await;
    let report = serde_json::from_slice(&std::fs::read(&file).unwrap())
        .unwrap_or_else(|_| panic!("{}{}", output.out, output.err));
    std::fs::remove_file(file).unwrap();
    (output.code, output.out, report)
}

#[tokio::test(flavor = "multi_thread")]
async fn healthy_regions_pass_and_nothing_is_written() {
    let regions = Regions::start("well").await;
    let (code, out, report) = report(&regions, "well").await;
    assert_eq!(code, Some(0), "{out}");
    for region in ["berlin", "paris", "sydney"] {
        for name in ["reach", "credentials", "list", "etags", "proxying"] {
            assert_eq!(
                check(&report, region, name).0,
                "ok",
                "{region} {name}: {out}"
            );
        }
    }
    assert!(
        check(&report, "paris", "etags")
            .1
            .starts_with("20 of 20 sampled keys are the same"),
        "{out}"
    );
    assert!(
        out.contains("  OK   reach") && out.contains(", 0 failures"),
        "{out}"
    );
    assert_eq!(regions.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_checks_name_the_remedy() {
    let regions = Regions::start("wrong").await;
    // Written again: the same bytes with another ETag.
    for index in (0..60_usize).step_by(3) {
        let body = vec![u8::try_from(index).unwrap(); 1024 * (1 + index * index / 18)];
        regions.buckets[1]
            .put(&Path::from(format!("objects/{index:03}")), body.into())
            .await
            .unwrap();
    }
    regions.servers[2].kill();
    regions.write(
        &regions
            .document()
            .replacen("test-secret", "another-secret", 1),
    );
    let (code, out, report) = report(&regions, "wrong").await;
    assert_eq!(code, Some(1), "{out}");
    let (level, text) = check(&report, "berlin", "credentials");
    assert!(
        level == "fail"
            && text.contains("SignatureDoesNotMatch")
            && text.contains("the secret differs"),
        "{text}"
    );
    assert_eq!(check(&report, "berlin", "list").0, "warn");
    let (level, text) = check(&report, "sydney", "reach");
    assert!(
        level == "fail" && text.contains("whether its port is open"),
        "{text}"
    );
    assert_eq!(check(&report, "paris", "credentials").0, "ok");
    assert!(out.contains("  FAIL credentials"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn differing_copies_are_reported() {
    let regions = Regions::start("alike").await;
    for index in (0..60_usize).step_by(3) {
        let body = vec![u8::try_from(index).unwrap(); 1024 * (1 + index * index / 18)];
        regions.buckets[1]
            .put(&Path::from(format!("objects/{index:03}")), body.into())
            .await
            .unwrap();
    }
    let (code, out, first) = report(&regions, "alike").await;
    let (level, text) = check(&first, "paris", "etags");
    assert!(
        code == Some(0)
            && level == "warn"
            && text.contains("20 have another ETag")
            && text.contains("cannot resume"),
        "{out}"
    );
    regions.buckets[1]
        .put(&Path::from("objects/003"), "shorter".into())
        .await
        .unwrap();
    let (code, out, second) = report(&regions, "alike").await;
    let (level, text) = check(&second, "paris", "etags");
    assert!(
        code == Some(1) && level == "fail" && text.contains("another size"),
        "{out}"
    );
    assert_eq!(check(&second, "berlin", "etags").0, "ok", "{out}");
}
