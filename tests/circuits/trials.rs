//! Trials of a half-open circuit, and the calls that wait for them.

use failover_testkit::*;
use futures::future::join_all;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::CircuitState::Closed;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn waiters_are_admitted_one_two_four() {
    let (regions, builder) = replicas(1);
    put(&regions[0], "v").await;
    let breaker = settings(json!({"success_threshold": 100}));
    let retry = settings(json!({"enabled": false}));
    let store = builder.breaker(breaker).retry(retry).build().unwrap();
    regions[0].fail();
    for _ in 0..5 {
        read(&store).await.unwrap_err();
    }
    regions[0].set(Mode::Slow(ms(100)));
    let before = regions[0].calls();
    let reads: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let store = store.clone();
                async move { read(&store).await }
            })
        })
        .collect();
    let mut admitted = Vec::new();
    for _ in 0..5 {
        tokio::time::sleep(ms(50)).await;
        admitted.push(regions[0].calls() - before);
        tokio::time::sleep(ms(50)).await;
    }
    assert_eq!(admitted, [1, 3, 7, 15, 20]);
    for read in reads {
        assert_eq!(read.await.unwrap().unwrap(), "v");
    }
}

/// Regression: a trial that ended with a 404 did not admit its waiters.
#[tokio::test(start_paused = true)]
async fn not_found_trial_admits_its_waiters() {
    let (regions, builder) = replicas(1);
    put(&regions[0], "v").await;
    let store = builder
        .retry(settings(json!({"enabled": false})))
        .build()
        .unwrap();
    regions[0].fail();
    for _ in 0..5 {
        read(&store).await.unwrap_err();
    }
    regions[0].set(Mode::Slow(ms(100)));
    let (missing, key) = ("missing".into(), key());
    let trial = store.get(&missing);
    let waiting = join_all((0..3).map(|_| store.get(&key)));
    let (trial, waiting) = tokio::join!(trial, waiting);
    assert!(trial.is_err_and(|error| matches!(error, Error::NotFound { .. })));
    assert!(waiting.iter().all(Result::is_ok), "{waiting:?}");
}

#[tokio::test(start_paused = true)]
async fn cancelled_trial_passes_to_a_waiter() {
    let (regions, builder) = replicas(1);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    regions[0].fail();
    for _ in 0..5 {
        read(&store).await.unwrap_err();
    }
    tokio::time::advance(secs(1)).await;
    regions[0].next([Mode::Hang]);
    regions[0].serve();
    let cancelled = tokio::spawn({
        let store = store.clone();
        async move { read(&store).await }
    });
    tokio::task::yield_now().await;
    let waiter = tokio::spawn({
        let store = store.clone();
        async move { read(&store).await }
    });
    tokio::task::yield_now().await;
    cancelled.abort();
    assert_eq!(waiter.await.unwrap().unwrap(), "v");
}

#[tokio::test(start_paused = true)]
async fn delimited_listing_is_no_trial() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    regions[1].fail();
    for _ in 0..10 {
        read(&store).await.unwrap();
    }
    tokio::time::advance(secs(34)).await;
    for _ in 0..10 {
        store.list_with_delimiter(None).await.unwrap();
    }
    assert_eq!(regions[1].calls(), 5);
    read(&store).await.unwrap();
    assert_eq!(regions[1].calls(), 6);
}

/// Regression: with an attempt timeout above the half-open time, a slow region never closed its
/// circuit.
#[tokio::test(start_paused = true)]
async fn trial_may_use_the_whole_attempt_timeout() {
    let (regions, builder) = replicas(1);
    put(&regions[0], "v").await;
    let timeouts = settings(json!({"attempt": "45s", "total": "90s"}));
    let retry = settings(json!({"enabled": false}));
    let store = builder.timeouts(timeouts).retry(retry).build().unwrap();
    regions[0].fail();
    for _ in 0..5 {
        read(&store).await.unwrap_err();
    }
    regions[0].set(Mode::Slow(secs(40)));
    tokio::time::advance(secs(33)).await;
    for _ in 0..2 {
        read(&store).await.unwrap();
    }
    assert_eq!(circuits(&store), [Closed]);
}
