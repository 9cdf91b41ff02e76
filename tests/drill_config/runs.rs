//! Scenarios on regions that are not ours.

use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

use crate::program::{Regions, document};
use crate::proxy::Proxy;

/// What `--json` wrote.
fn json(path: &std::path::Path) -> Value {
    let text = std::fs::read(path).unwrap();
    std::fs::remove_file(path).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("object_store_failover-drill-{name}-{}.json", std::process::id()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_is_told_on_our_side_of_the_wire_and_holds_and_nothing_is_written() {
    let regions = Regions::start("kill").await;
    regions.buckets[2].put(&Path::from("objects/007"), "something else".into()).await.unwrap();
    regions.buckets[1].delete(&Path::from("objects/009")).await.unwrap();
    let report = file("kill");
    let args = ["--scenario", "kill", "--seconds", "8", "--max-bytes", "400MiB", "--seed", "7", "--json", report.to_str().unwrap()];
    let said = regions.drill(&args).await;
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    for line in [
        "the verdict HOLDS",
        "truth: 58 of 60 keys are the same in all regions, 2 are left out",
        "left out: objects/007: sydney holds other bytes than berlin",
        "left out: objects/009: paris does not have it",
        "killed: connections are refused and reset",
        "faults of berlin are made by a proxy before it",
    ] {
        assert!(said.out.contains(line), "{line} is missing in {}", said.out);
    }
    assert!(said.out.find("to find the truth") < said.out.find("truth: 58"), "the estimate comes first");
    let report = json(&report);
    let run = &report["runs"][0];
    assert_eq!((&run["outcome"], &run["scenario"], &report["on"]), (&"holds".into(), &"kill".into(), &"config".into()));
    assert!(run["faults"][0]["circuit_opened_after_ms"].is_number(), "the fault was met: {}", run["faults"]);
    assert_eq!(regions.writes(), 0, "nobody has said that it may write");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_has_seeded_is_deleted_after_ctrl_c_too() {
    let regions = Regions::empty("seeded", 2).await;
    regions.buckets[0].put(&Path::from("theirs"), "untouched".into()).await.unwrap();
    let child = regions.begin(&["--scenario", "refuse", "--seconds", "30", "--seed-bucket", "--seed", "11"]);
    let prefix = Path::from("object-store-failover-drill/11");
    let count = async |index: usize| regions.buckets[index].list(Some(&prefix)).try_collect::<Vec<_>>().await.unwrap().len();
    // One listing, 100 puts and 100 reads for the truth, and then the readers.
    while regions.servers[1].requests() < 300 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((count(0).await, count(1).await), (100, 100), "each region is written itself");
    let pid = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((count(0).await, count(1).await), (0, 0));
    let left = regions.buckets[0].get(&Path::from("theirs")).await.unwrap().bytes().await.unwrap();
    assert_eq!(left, "untouched");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_read_than_was_allowed() {
    const MOST: u64 = 16 << 20;
    let regions = Regions::start("bytes").await;
    let proxies: Vec<_> = regions.servers.iter().map(|server| Proxy::start(server.address())).collect();
    regions.write(&document(proxies.iter().map(Proxy::endpoint)));
    let report = file("bytes");
    let args = ["--scenario", "refuse", "--seconds", "8", "--max-bytes", "16MiB", "--seed", "3", "--json", report.to_str().unwrap()];
    let said = regions.drill(&args).await;
    // Whether so few reads prove anything is not asked here.
    assert!(matches!(said.code, Some(0 | 1)), "{}{}", said.out, said.err);
    let run = &json(&report)["runs"][0];
    let (played, read) = (run["outcome"] != "skipped", run["bytes_read"].as_u64().unwrap());
    assert!(played && read > MOST / 4, "{run}");
    // Listings, and bodies that the refusal cut under way, come on top.
    let came: u64 = proxies.iter().map(|proxy| proxy.counts().body_bytes).sum();
    assert!(came <= MOST + (1 << 20), "{came}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_servers_or_writes_is_skipped_and_never_passed() {
    let regions = Regions::start("skipped").await;
    let said = regions.drill(&["--scenario", "delete-marker,quorum-loss,starting"]).await;
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    for line in [
        "delete-marker: skipped: it writes",
        "quorum-loss: skipped: it needs a cluster of its own",
        "starting: skipped: it needs a server of its own",
        "0 hold, 0 broken, 0 not proven, 3 skipped",
    ] {
        assert!(said.out.contains(line), "{line} is missing in {}", said.out);
    }
    assert_eq!(regions.writes(), 0);
}
