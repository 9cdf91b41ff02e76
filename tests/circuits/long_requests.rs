//! Requests that take long: as trials they close a circuit, and they keep no read out.

use std::sync::Arc;

use failover_testkit::*;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::CircuitState::{Closed, Open};
use object_store_failover::{CircuitState, FailoverStore};
use serde_json::json;
use tokio::time::{Instant, sleep};

fn write_circuit(store: &FailoverStore) -> CircuitState {
    store.health().regions[0].write.state
}

/// Regression: puts of 20 s added up to the half-open timeout, and the circuit opened again.
#[tokio::test(start_paused = true)]
async fn long_puts_close_the_write_circuit() {
    let (regions, builder) = replicas(1);
    let home = settings(json!({"policy": "home", "home": NAMES[0]}));
    let retry = settings(json!({"enabled": false}));
    let store = builder.writes(home).retry(retry).build().unwrap();
    regions[0].fail();
    for _ in 0..5 {
        store.put(&key(), "v".into()).await.unwrap_err();
    }
    assert_eq!(write_circuit(&store), Open);
    regions[0].set(Mode::Slow(secs(20)));
    let mut puts = Vec::new();
    for _ in 0..12 {
        let store = store.clone();
        puts.push(tokio::spawn(
            async move { store.put(&key(), "v".into()).await },
        ));
        sleep(secs(10)).await;
    }
    assert_eq!(write_circuit(&store), Closed);
    for put in puts {
        put.await.unwrap().unwrap();
    }
    assert_eq!(regions[0].calls(), 5 + 12);
}

/// A trial that never ends is no success, however long its own limit.
#[tokio::test(start_paused = true)]
async fn hanging_puts_leave_the_write_circuit_open() {
    let (regions, builder) = replicas(1);
    let home = settings(json!({"policy": "home", "home": NAMES[0]}));
    let retry = settings(json!({"enabled": false}));
    let store = builder.writes(home).retry(retry).build().unwrap();
    regions[0].fail();
    for _ in 0..5 {
        store.put(&key(), "v".into()).await.unwrap_err();
    }
    regions[0].set(Mode::Hang);
    for _ in 0..2 {
        sleep(secs(2)).await;
        store.put(&key(), "v".into()).await.unwrap_err();
        assert_eq!(write_circuit(&store), Open);
    }
}

/// Reads fail until all circuits are open; then the regions are well, and a second has passed.
async fn all_open(regions: &[Arc<Scripted>], store: &FailoverStore) {
    regions.iter().for_each(|region| region.fail());
    while circuits(store).iter().any(|state| *state != Open) {
        let _ = read(store).await;
        sleep(ms(10)).await;
    }
    regions.iter().for_each(|region| region.serve());
    sleep(secs(2)).await;
}

#[tokio::test(start_paused = true)]
async fn hanging_listing_keeps_no_read_out() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    all_open(&regions, &store).await;
    regions.iter().for_each(|region| region.next([Mode::Hang]));
    regions.iter().for_each(|region| drop(region.log()));
    let listing = tokio::spawn({
        let store = store.clone();
        async move { store.list_with_delimiter(None).await }
    });
    sleep(ms(1)).await;
    for region in &regions {
        assert_eq!(region.log(), ["list_with_delimiter"], "the last resort");
    }
    let start = Instant::now();
    while read(&store).await.is_err() {
        sleep(ms(10)).await;
    }
    let waited = start.elapsed();
    assert!(waited <= secs(1), "early_probe_interval, not {waited:?}");
    for _ in 0..3 {
        read(&store).await.unwrap();
    }
    assert!(!listing.is_finished());
    listing.abort();
}

#[tokio::test(start_paused = true)]
async fn last_resort_listings_are_sent_once_per_interval() {
    for mode in [Mode::Hang, Mode::Fail(Fault::Reset)] {
        let (regions, builder) = replicas(2);
        let retry = settings(json!({"enabled": false}));
        let store = builder.retry(retry).build().unwrap();
        all_open(&regions, &store).await;
        regions.iter().for_each(|region| region.set(mode));
        regions.iter().for_each(|region| drop(region.log()));
        let mut listings = Vec::new();
        for _ in 0..50 {
            let store = store.clone();
            listings.push(tokio::spawn(async move {
                let _ = store.list_with_delimiter(None).await;
            }));
            sleep(ms(100)).await;
        }
        for region in &regions {
            let sent = region.log();
            let listed = sent.iter().filter(|call| **call == "list_with_delimiter");
            let count = listed.count();
            assert!((4..=6).contains(&count), "{mode:?}: {sent:?} in 5 s");
        }
        listings.iter().for_each(|listing| listing.abort());
    }
}
