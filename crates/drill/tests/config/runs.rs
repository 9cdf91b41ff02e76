//! Scenarios on existing regions.

use std::time::Duration;

use failover_testkit::proxy::Proxy;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

use crate::program::{Regions, document};

/// Reads and removes the file of `--json`.
fn json(path: &std::path::Path) -> Value {
    let text = std::fs::read(path).unwrap();
    std::fs::remove_file(path).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!(
        "object_store_failover-drill-{name}-{}.json",
        std::process::id()
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_is_injected_on_the_client_side_and_nothing_is_written() {
    let regions = Regions::start("kill").await;
    regions.buckets[2]
        .put(&Path::from("objects/007"), "something else".into())
        .await
        .unwrap();
    regions.buckets[1]
        .delete(&Path::from("objects/009"))
        .await
        .unwrap();
    let report = file("kill");
    let args = [
        "--scenario",
        "kill",
        "--seconds",
        "8",
        "--max-bytes",
        "400MiB",
        "--seed",
        "7",
        "--json",
        report.to_str().unwrap(),
    ];
    let output = regions.drill(&args).await;
    assert_eq!(output.code, Some(0), "{}{}", output.out, output.err);
    for line in [
        "the verdict HOLDS",
        "baseline: 58 of 60 keys are the same in all regions, 2 are excluded",
        "excluded: objects/007: sydney has other content than berlin",
        "excluded: objects/009: paris does not have it",
        "killed: connections are refused and reset",
        "faults of berlin are injected by a proxy",
    ] {
        assert!(
            output.out.contains(line),
            "{line} is missing in {}",
            output.out
        );
    }
    assert!(
        output.out.find("for the baseline") < output.out.find("baseline: 58"),
        "the estimate is printed first"
    );
    let report = json(&report);
    let run = &report["runs"][0];
    assert_eq!(
        (&run["outcome"], &run["scenario"], &report["on"]),
        (&"holds".into(), &"kill".into(), &"config".into())
    );
    assert!(
        run["faults"][0]["circuit_opened_after_ms"].is_number(),
        "the circuit opened: {}",
        run["faults"]
    );
    assert_eq!(
        regions.writes(),
        0,
        "without --seed-bucket nothing is written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn seeded_objects_are_deleted_after_ctrl_c() {
    let regions = Regions::empty("seeded", 2).await;
    regions.buckets[0]
        .put(&Path::from("existing"), "untouched".into())
        .await
        .unwrap();
    let child = regions.begin(&[
        "--scenario",
        "refuse",
        "--seconds",
        "30",
        "--seed-bucket",
        "--seed",
        "11",
    ]);
    let prefix = Path::from("object-store-failover-drill/11");
    let count = async |index: usize| {
        regions.buckets[index]
            .list(Some(&prefix))
            .try_collect::<Vec<_>>()
            .await
            .unwrap()
            .len()
    };
    // One listing, 100 writes and 100 reads of the baseline, then the readers.
    while regions.servers[1].requests() < 300 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        (count(0).await, count(1).await),
        (100, 100),
        "the drill writes to each region"
    );
    let pid = child.id().unwrap().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(130),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert_eq!((count(0).await, count(1).await), (0, 0));
    let left = regions.buckets[0]
        .get(&Path::from("existing"))
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(left, "untouched");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_stay_within_max_bytes() {
    const MOST: u64 = 16 << 20;
    let regions = Regions::start("bytes").await;
    let proxies: Vec<_> = regions
        .servers
        .iter()
        .map(|server| Proxy::start(server.address()))
        .collect();
    regions.write(&document(proxies.iter().map(Proxy::endpoint)));
    let report = file("bytes");
    let args = [
        "--scenario",
        "refuse",
        "--seconds",
        "8",
        "--max-bytes",
        "16MiB",
        "--seed",
        "3",
        "--json",
        report.to_str().unwrap(),
    ];
    let output = regions.drill(&args).await;
    // The verdict may be NOT PROVEN with so few reads.
    assert!(
        matches!(output.code, Some(0 | 1)),
        "{}{}",
        output.out,
        output.err
    );
    let run = &json(&report)["runs"][0];
    let (ran, read) = (
        run["outcome"] != "skipped",
        run["bytes_read"].as_u64().unwrap(),
    );
    assert!(ran && read > MOST / 4, "{run}");
    // Plus listings, and bodies that the refusal interrupted.
    let came: u64 = proxies.iter().map(|proxy| proxy.counts().body_bytes).sum();
    assert!(came <= MOST + (1 << 20), "{came}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unsupported_scenarios_are_skipped_and_do_not_pass() {
    let regions = Regions::start("skipped").await;
    let output = regions
        .drill(&["--scenario", "delete-marker,quorum-loss,starting"])
        .await;
    assert_eq!(output.code, Some(1), "{}{}", output.out, output.err);
    for line in [
        "delete-marker: skipped: it writes",
        "quorum-loss: skipped: it needs to kill nodes of a cluster",
        "starting: skipped: it needs to start a server",
        "0 hold, 0 broken, 0 not proven, 3 skipped",
    ] {
        assert!(
            output.out.contains(line),
            "{line} is missing in {}",
            output.out
        );
    }
    assert_eq!(regions.writes(), 0);
}
