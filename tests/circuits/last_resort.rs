//! Last-resort attempts: a request that finds every circuit open may try one region early.

use failover_testkit::*;
use futures::future::join_all;
use object_store::{GetOptions, ObjectStore};
use object_store_failover::CircuitState::{Closed, HalfOpen, Open};
use object_store_failover::{CallOptions, FailoverError};
use serde_json::json;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn circuit_opened_mid_call_remains_last_resort() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    regions[0].next([Mode::Hang]);
    let store = builder
        .retry(settings(json!({"enabled": false})))
        .build()
        .unwrap();
    let mut pinned = GetOptions::default();
    pinned.extensions.insert(CallOptions {
        pin: Some("eu-west-1".into()),
        ..Default::default()
    });
    let (waiting, ()) = tokio::join!(read(&store), async {
        regions[1].fail();
        for _ in 0..5 {
            store.get_opts(&key(), pinned.clone()).await.unwrap_err();
        }
        assert_eq!(circuits(&store), [Closed, Open]);
        regions[1].serve();
    });
    assert_eq!(
        waiting.unwrap(),
        "v",
        "the call was planned while both circuits were closed"
    );
    assert_eq!(calls(&regions), [1, 6]);
}

#[tokio::test(start_paused = true)]
async fn recovered_region_is_found_as_last_resort() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    regions.iter().for_each(|region| region.fail());
    for _ in 0..5 {
        read(&store).await.unwrap_err();
    }
    assert_eq!(circuits(&store), [Open; 3]);
    let down = Instant::now();
    read(&store).await.unwrap_err();
    let error = read(&store).await.unwrap_err();
    let FailoverError::CircuitsOpen { retry_after, .. } = failover_error(&error) else {
        panic!("{error}")
    };
    assert!(down.elapsed().is_zero(), "fails without waiting");
    assert!(*retry_after <= secs(1), "{retry_after:?}");
    regions[1].serve();
    tokio::time::advance(secs(1)).await;
    assert_eq!(read(&store).await.unwrap(), "v");
    assert_eq!(read(&store).await.unwrap(), "v");
    // The first circuit to close makes the others half-open at once.
    assert_eq!(circuits(&store), [HalfOpen, Closed, HalfOpen]);
}

#[tokio::test(start_paused = true)]
async fn failed_last_resort_attempt_rejects_its_waiters() {
    let (regions, builder) = replicas(1);
    let (retry, timeouts) = (
        settings(json!({"enabled": false})),
        settings(json!({"attempt": "300ms"})),
    );
    let store = builder.retry(retry).timeouts(timeouts).build().unwrap();
    regions[0].fail();
    for _ in 0..5 {
        read(&store).await.unwrap_err();
    }
    regions[0].set(Mode::Hang);
    let start = Instant::now();
    let reads = join_all((0..5).map(|_| read(&store))).await;
    for read in &reads[1..] {
        let error = failover_error(read.as_ref().unwrap_err());
        assert!(
            matches!(error, FailoverError::CircuitsOpen { .. }),
            "{error}"
        );
    }
    let waited = start.elapsed();
    assert!(
        waited <= secs(1),
        "waited {waited:?}, more than early_probe_interval"
    );
}

#[tokio::test(start_paused = true)]
async fn fail_fast_disables_last_resort_attempts() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = builder
        .breaker(settings(json!({"all_open": "fail_fast", "jitter": 0.0})))
        .retry(settings(json!({"enabled": false})))
        .build()
        .unwrap();
    regions.iter().for_each(|region| region.fail());
    for _ in 0..5 {
        read(&store).await.unwrap_err();
    }
    regions.iter().for_each(|region| region.serve());
    tokio::time::advance(secs(29)).await;
    let error = read(&store).await.unwrap_err();
    let FailoverError::CircuitsOpen { retry_after, .. } = failover_error(&error) else {
        panic!("{error}")
    };
    assert_eq!(*retry_after, secs(1), "{error}");
    tokio::time::advance(secs(1)).await;
    read(&store).await.unwrap();
}

/// Regression: with a throttle the last resort was refused a place, and the call failed.
#[tokio::test(start_paused = true)]
async fn last_resort_waits_for_a_throttle_permit() {
    let (regions, builder) = replicas(1);
    put(&regions[0], "v").await;
    let throttle = settings(json!({"max_in_flight": 1}));
    let store = builder.throttle(throttle).build().unwrap();
    regions[0].fail();
    while circuits(&store) != [Open] {
        read(&store).await.unwrap_err();
    }
    tokio::time::advance(secs(5)).await;
    regions[0].set(Mode::Slow(ms(100)));
    let (before, start) = (regions[0].calls(), Instant::now());
    let reads = join_all((0..3).map(|_| read(&store))).await;
    assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    assert_eq!(regions[0].calls() - before, 3);
    assert_eq!(start.elapsed(), ms(300), "one at a time");
    assert_eq!(circuits(&store), [Closed]);
}

/// Regression: a read waited for the closed region's place until its deadline, while the open one
/// was well.
#[tokio::test(start_paused = true)]
async fn open_region_serves_beside_a_saturated_one() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "0123456789").await;
    let throttle = settings(json!({"max_in_flight": 1}));
    let store = builder.throttle(throttle).build().unwrap();
    regions[1].fail();
    while circuits(&store) != [Closed, Open] {
        read(&store).await.unwrap();
    }
    regions[1].serve();
    tokio::time::advance(secs(5)).await;
    let mut pinned = GetOptions::default();
    pinned.extensions.insert(CallOptions {
        pin: Some("us-east-1".into()),
        ..Default::default()
    });
    let held = store.get_opts(&key(), pinned).await.unwrap();
    let (before, start) = (calls(&regions), Instant::now());
    assert_eq!(read(&store).await.unwrap(), "0123456789");
    assert!(start.elapsed().is_zero(), "{:?}", start.elapsed());
    assert_eq!(calls(&regions), [before[0], before[1] + 1]);
    drop(held);
}
