//! Pauses of this process: a stopped process or a blocked executor charges no region.
//!
//! A response that arrived in the meantime is ready some polls after the clock has jumped, as on a
//! connection that has to be read first.

use std::ops::RangeInclusive;
use std::sync::Arc;

use failover_testkit::*;
use futures::future;
use object_store::memory::InMemory;
use object_store_failover::CircuitState::Closed;
use object_store_failover::{FailoverStore, FailoverStoreBuilder, Region};
use serde_json::json;
use tokio::time::{advance, sleep};

/// More than a body has waits of `silence` within its stall limit.
const POLLS: RangeInclusive<u32> = 20..=30;

/// Replicas with this object. Their responses and pieces need more polls after their time.
async fn lagging(count: usize, object: &'static str) -> (Vec<Arc<Scripted>>, FailoverStoreBuilder) {
    let bucket = InMemory::new();
    let regions: Vec<_> = (0..count)
        .map(|_| Arc::new(Scripted::over(bucket.clone())))
        .collect();
    put(&regions[0], object).await;
    let builder = regions.iter().zip(NAMES).fold(
        FailoverStore::builder().seed(7),
        |builder, (region, name)| {
            let region = RandomPending::with_polls(Arc::clone(region) as _, 7, POLLS);
            builder.region(Region::new(name, Arc::new(region)))
        },
    );
    (regions, builder)
}

fn failures(store: &FailoverStore) -> Vec<u64> {
    let regions = store.health().regions;
    regions.iter().map(|region| region.failures).collect()
}

fn start_reads(
    store: &FailoverStore,
    count: usize,
) -> Vec<tokio::task::JoinHandle<object_store::Result<bytes::Bytes>>> {
    let read = || {
        let store = store.clone();
        tokio::spawn(async move { read(&store).await })
    };
    (0..count).map(|_| read()).collect()
}

#[tokio::test(start_paused = true)]
async fn pause_longer_than_all_limits_fails_no_read() {
    let (regions, builder) = lagging(2, "v").await;
    regions.iter().for_each(|r| r.set(Mode::Slow(ms(60))));
    let retry = settings(json!({"enabled": false}));
    let store = builder.retry(retry).build().unwrap();
    let reads = start_reads(&store, 24);
    sleep(ms(20)).await;
    advance(secs(120)).await;
    for read in future::join_all(reads).await {
        assert_eq!(read.unwrap().unwrap(), "v");
    }
    assert_eq!(calls(&regions), [12, 12], "no attempt was repeated");
    assert_eq!(
        (failures(&store), circuits(&store)),
        (vec![0; 2], vec![Closed; 2])
    );
}

#[tokio::test(start_paused = true)]
async fn pause_is_no_silence_of_a_region() {
    let (regions, builder) = lagging(2, "v").await;
    let timeouts = settings(json!({"attempt": "20s"}));
    let store = builder.timeouts(timeouts).build().unwrap();
    regions[0].set(Mode::Slow(ms(50)));
    // Without the pause it is silent for less than `silence`.
    regions[1].set(Mode::Slow(ms(2_500)));
    for _ in 0..4 {
        let reads = start_reads(&store, 20);
        sleep(ms(100)).await;
        advance(ms(1_900)).await;
        for read in future::join_all(reads).await {
            assert_eq!(read.unwrap().unwrap(), "v");
        }
    }
    assert_eq!(
        (failures(&store), circuits(&store)),
        (vec![0; 2], vec![Closed; 2])
    );
}

#[tokio::test(start_paused = true)]
async fn pause_stalls_no_body() {
    let (regions, builder) = lagging(2, "0123456789").await;
    regions.iter().for_each(|r| r.set(Mode::Drip(ms(150))));
    let store = builder.build().unwrap();
    let reads = start_reads(&store, 12);
    for _ in 0..4 {
        sleep(ms(200)).await;
        advance(secs(60)).await;
    }
    for read in future::join_all(reads).await {
        assert_eq!(read.unwrap().unwrap(), "0123456789");
    }
    assert_eq!(calls(&regions), [6, 6], "no body was resumed");
    assert_eq!(
        (failures(&store), circuits(&store)),
        (vec![0; 2], vec![Closed; 2])
    );
}

/// A pause moves the limits; it does not lift them.
#[tokio::test(start_paused = true)]
async fn hanging_region_is_charged_after_a_pause() {
    let (regions, builder) = lagging(2, "v").await;
    regions[0].set(Mode::Hang);
    let store = builder.build().unwrap();
    let mut reads = start_reads(&store, 1);
    sleep(ms(20)).await;
    advance(secs(120)).await;
    let read = reads.remove(0).await.unwrap();
    assert_eq!(read.unwrap(), "v");
    assert_eq!(
        (calls(&regions), failures(&store)),
        (vec![1, 1], vec![1, 0])
    );
}
