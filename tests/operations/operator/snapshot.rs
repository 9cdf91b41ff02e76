//! What `FailoverStore::health` reports.

use failover_testkit::{Fault, Mode, NAMES, circuits, key, read, replicas, secs, settings};
use object_store::ObjectStoreExt;
use object_store_failover::health::StoreStatus;
use object_store_failover::{CircuitState, FailoverStore, Region};
use serde_json::json;
use tokio::time::advance;

use super::{read_times, store};

use CircuitState::{Closed, Open};

#[tokio::test(start_paused = true)]
async fn snapshot_names_unhealthy_region_and_its_error() {
    let (regions, store) = store().await;
    let health = store.health();
    assert_eq!(
        (health.status, health.regions[0].share),
        (StoreStatus::Healthy, 0.5)
    );
    regions[0].set(Mode::Fail(Fault::Status(503, "ServiceUnavailable")));
    read_times(&store, 20).await;
    advance(secs(12)).await;
    let snapshot = serde_json::to_value(store.health()).unwrap();
    let region = &snapshot["regions"][0];
    assert_eq!(snapshot["status"], json!("degraded"));
    assert_eq!(
        (&region["in_use"], &region["share"]),
        (&json!(false), &json!(0.0))
    );
    assert_eq!(region["read"]["state"], json!("open"));
    assert_eq!(region["read"]["seconds_in_state"], json!(12.0));
    assert!(region["read"]["since_unix_seconds"].as_f64().unwrap() > 1e9);
    let last_error = &region["last_error"];
    assert_eq!(last_error["class"], json!("unavailable"));
    assert_eq!(last_error["status"], json!(503));
    assert_eq!(last_error["code"], json!("ServiceUnavailable"));
    assert_eq!(region["failing_in_a_row"], json!(5));
    assert_eq!(snapshot["totals"]["opens"], json!(1));
    store.drain(NAMES[1]).unwrap();
    assert_eq!(store.health().status, StoreStatus::Down);
    assert_eq!(store.health().regions[1].share, 0.0);
}

/// Each failed trial restarts `time_in_state`; the duration of the outage must not restart.
#[tokio::test(start_paused = true)]
async fn failed_trials_do_not_restart_not_closed_since() {
    let (regions, store) = store().await;
    assert_eq!(store.health().regions[0].read.time_not_closed, None);
    regions[0].fail();
    read_times(&store, 20).await;
    for _ in 0..30 {
        advance(secs(100)).await;
        read_times(&store, 2).await;
    }
    let circuit = store.health().regions[0].read;
    assert_eq!(
        (circuit.state, circuit.time_not_closed),
        (Open, Some(secs(3000)))
    );
    assert!(circuit.time_in_state < secs(300), "{circuit:?}");
    let not_closed_since = circuit.not_closed_since_unix_seconds.unwrap();
    assert!(
        circuit.since_unix_seconds - not_closed_since > 2700.0,
        "{circuit:?}"
    );
    regions[0].serve();
    while circuits(&store)[0] != Closed {
        advance(secs(100)).await;
        read(&store).await.unwrap();
    }
    let circuit = store.health().regions[0].read;
    assert_eq!(circuit.time_not_closed, None);
    assert_eq!(circuit.not_closed_since_unix_seconds, None);
    // Another outage starts from zero.
    regions[0].fail();
    while circuits(&store)[0] != Open {
        read(&store).await.unwrap();
    }
    let time_not_closed = store.health().regions[0].read.time_not_closed;
    assert_eq!(time_not_closed, Some(secs(0)));
}

#[tokio::test(start_paused = true)]
async fn snapshot_names_the_home_region() {
    let home = |store: &FailoverStore| {
        let regions = store.health().regions;
        regions.iter().map(|region| region.home).collect::<Vec<_>>()
    };
    let (_regions, builder) = replicas(2);
    assert_eq!(home(&builder.clone().build().unwrap()), [false, false]);
    let writes = settings(json!({"policy": "home", "home": NAMES[1]}));
    let store = builder.writes(writes).build().unwrap();
    assert_eq!(home(&store), [false, true]);
    // An operator needs to know it before a drain: writes fail until its end.
    store.drain(NAMES[1]).unwrap();
    assert!(store.put(&key(), "v".into()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn shares_follow_weights_and_policy() {
    let build = |policy: &str, weights: [u32; 3]| {
        let rotation = settings(json!({"policy": policy}));
        let mut builder = FailoverStore::builder().rotation(rotation);
        for ((region, name), weight) in replicas(3).0.into_iter().zip(NAMES).zip(weights) {
            builder = builder.region(Region::new(name, region).weight(weight));
        }
        builder.build().unwrap()
    };
    let shares = |store: &FailoverStore| {
        let regions = store.health().regions;
        let permille = regions.iter().map(|region| (region.share * 1000.0).round());
        permille.collect::<Vec<_>>()
    };
    let store = build("round_robin", [2, 1, 0]);
    assert_eq!(shares(&store), [667.0, 333.0, 0.0]);
    store.drain(NAMES[0]).unwrap();
    assert_eq!(shares(&store), [0.0, 1000.0, 0.0]);
    store.drain(NAMES[1]).unwrap();
    assert_eq!(shares(&store), [0.0, 0.0, 1000.0]);
    let store = build("nearest", [1, 1, 1]);
    assert_eq!(shares(&store), [990.0, 5.0, 5.0]);
    store.drain(NAMES[0]).unwrap();
    assert_eq!(shares(&store), [0.0, 995.0, 5.0]);
}
