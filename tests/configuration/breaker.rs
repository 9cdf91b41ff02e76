//! The settings of the circuit breaker, and the flavor of a region.

use std::sync::Arc;

use failover_testkit::*;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store_failover::config::Flavor;
use object_store_failover::{CircuitState, FailoverConfig, FailoverStore, Region};
use serde_json::{Value, json};

use CircuitState::{Closed, HalfOpen, Open};

/// Reads over two regions, one of which fails; returns the circuit of the failing one.
async fn after_failing_reads(
    breaker: Value,
    reads: u32,
) -> (CircuitState, FailoverStore, Vec<Arc<Scripted>>) {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    regions[1].fail();
    let store = builder.breaker(settings(breaker)).build().unwrap();
    for _ in 0..reads {
        read(&store).await.unwrap();
    }
    (circuits(&store)[1], store, regions)
}

#[tokio::test(start_paused = true)]
async fn failure_threshold_opens_the_circuit() {
    assert_eq!(
        after_failing_reads(json!({"failure_threshold": 2}), 3)
            .await
            .0,
        Closed
    );
    assert_eq!(
        after_failing_reads(json!({"failure_threshold": 2}), 4)
            .await
            .0,
        Open
    );
    assert_eq!(after_failing_reads(json!({}), 8).await.0, Closed);
    assert_eq!(
        after_failing_reads(json!({"enabled": false}), 100).await.0,
        Closed
    );
}

#[tokio::test(start_paused = true)]
async fn failure_rate_opens_the_circuit() {
    let every_second_call_fails = async |breaker: Value, pause| {
        let (regions, builder) = replicas(1);
        put(&regions[0], "v").await;
        let store = builder
            .breaker(settings(breaker))
            .retry(settings(json!({"enabled": false})))
            .build()
            .unwrap();
        for n in 0..19 {
            regions[0].next((n % 2 == 0).then_some(Mode::Fail(Fault::Status(500, ""))));
            let _ = read(&store).await;
            tokio::time::advance(pause).await;
        }
        circuits(&store)[0]
    };
    assert_eq!(
        every_second_call_fails(json!({"minimum_calls": 19}), ms(1)).await,
        Open
    );
    assert_eq!(
        every_second_call_fails(json!({"minimum_calls": 20}), ms(1)).await,
        Closed
    );
    assert_eq!(
        every_second_call_fails(json!({"minimum_calls": 19, "failure_rate": 0.6}), ms(1)).await,
        Closed
    );
    assert_eq!(
        every_second_call_fails(json!({"minimum_calls": 19, "window": "5s"}), secs(1)).await,
        Closed
    );
    assert_eq!(
        every_second_call_fails(json!({"minimum_calls": 19, "window": "60s"}), secs(1)).await,
        Open
    );
}

#[tokio::test(start_paused = true)]
async fn open_for_schedules_trials() {
    let breaker = json!({"open_for": "10s", "open_for_max": "15s", "jitter": 0.0});
    let (state, store, regions) = after_failing_reads(breaker, 10).await;
    assert_eq!((state, regions[1].calls()), (Open, 5));
    for (wait, trials) in [
        (ms(9_999), 0),
        (ms(1), 1),
        (ms(14_999), 1),
        (ms(1), 2),
        (ms(15_000), 3),
    ] {
        tokio::time::advance(wait).await;
        read(&store).await.unwrap();
        assert_eq!(regions[1].calls() - 5, trials, "after {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn success_threshold_and_ramp_close_the_circuit() {
    let (_, store, regions) = after_failing_reads(
        json!({"success_threshold": 3, "ramp": "0s", "jitter": 0.0}),
        10,
    )
    .await;
    regions[1].serve();
    tokio::time::advance(secs(30)).await;
    let mut states = Vec::new();
    for _ in 0..3 {
        read(&store).await.unwrap();
        states.push(circuits(&store)[1]);
    }
    assert_eq!(states, [HalfOpen, HalfOpen, Closed]);
    let before = regions[1].calls();
    for _ in 0..100 {
        read(&store).await.unwrap();
    }
    assert_eq!(
        regions[1].calls() - before,
        50,
        "without a ramp the share is full at once"
    );
}

#[tokio::test(start_paused = true)]
async fn half_open_settings_bound_trials() {
    let breaker = json!({
        "half_open_timeout": "20s",
        "half_open_max_calls": 2,
        "jitter": 0.0,
        "open_for_max": "1h",
    });
    let (_, store, regions) = after_failing_reads(breaker, 10).await;
    regions[1].set(Mode::StallAfter(0));
    tokio::time::advance(secs(30)).await;
    let trial = || {
        let store = store.clone();
        tokio::spawn(async move { tokio::time::timeout(secs(9), read(&store)).await.is_err() })
    };
    let (one, two, three) = (trial(), trial(), trial());
    assert_eq!(
        [one.await.unwrap(), two.await.unwrap(), three.await.unwrap()],
        [true, true, false],
        "two trials; the third read used the other region"
    );
    assert_eq!(circuits(&store)[1], HalfOpen, "18 s of 20 s");
    tokio::time::advance(secs(1)).await;
    assert!(trial().await.unwrap());
    assert_eq!(circuits(&store)[1], Open);
}

#[tokio::test(start_paused = true)]
async fn early_probe_interval_limits_last_resort_attempts() {
    let (regions, builder) = replicas(1);
    regions[0].fail();
    let breaker = settings(json!({"early_probe_interval": "4s", "open_for": "60s"}));
    let store = builder
        .breaker(breaker)
        .retry(settings(json!({"enabled": false})))
        .build()
        .unwrap();
    for _ in 0..45 {
        read(&store).await.unwrap_err();
        tokio::time::advance(secs(1)).await;
    }
    assert_eq!(regions[0].calls() - 5, 10, "40 s of an outage");
}

#[tokio::test(start_paused = true)]
async fn flavor_decides_what_slow_down_means() {
    let after_reads = async |flavor: Flavor, code: &'static str| {
        let (regions, _) = replicas(2);
        put(&regions[0], "v").await;
        regions[1].set(Mode::Fail(Fault::Status(503, code)));
        let store =
            regions
                .iter()
                .zip(NAMES)
                .fold(FailoverStore::builder(), |builder, (region, name)| {
                    builder.region(
                        Region::new(name, Arc::clone(region) as Arc<dyn ObjectStore>)
                            .flavor(flavor),
                    )
                });
        let store = store.build().unwrap();
        for _ in 0..10 {
            read(&store).await.unwrap();
        }
        circuits(&store)[1]
    };
    for code in ["SlowDown", "SlowDownRead"] {
        assert_eq!(after_reads(Flavor::Minio, code).await, Open);
        assert_eq!(after_reads(Flavor::Aws, code).await, Closed);
        assert_eq!(after_reads(Flavor::Generic, code).await, Closed);
    }
    assert_eq!(after_reads(Flavor::Minio, "ServerBusy").await, Closed);
    let document = json!({
        "regions": [
            {"name": "a", "url": "memory:///", "flavor": "minio"},
            {"name": "b", "url": "memory:///"},
        ],
    });
    let config: FailoverConfig = settings(document);
    assert_eq!(
        [config.regions[0].flavor, config.regions[1].flavor],
        [Flavor::Minio, Flavor::Generic]
    );
}

#[tokio::test(start_paused = true)]
async fn flavor_applies_to_broken_listings() {
    let charged = async |flavor: Flavor| {
        let (regions, _) = replicas(1);
        for key in ["a", "b", "c"] {
            put_at(&regions[0], key).await;
        }
        regions[0].next([Mode::FailAfter(1, Fault::Status(503, "SlowDownRead"))]);
        let region =
            Region::new("a", Arc::clone(&regions[0]) as Arc<dyn ObjectStore>).flavor(flavor);
        let store = FailoverStore::builder()
            .region(region)
            .breaker(settings(json!({"failure_threshold": 1})))
            .build()
            .unwrap();
        assert_eq!(
            store
                .list(None)
                .try_collect::<Vec<_>>()
                .await
                .unwrap()
                .len(),
            3
        );
        circuits(&store)[0] != Closed
    };
    assert!(charged(Flavor::Minio).await && !charged(Flavor::Generic).await);
}
