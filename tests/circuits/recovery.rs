//! How a circuit closes again, and what that means for the other regions.

use failover_testkit::*;
use object_store_failover::CircuitState::{Closed, HalfOpen, Open};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn circuit_closes_after_trials_and_ramps_up() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = builder
        .breaker(settings(json!({"jitter": 0.0})))
        .build()
        .unwrap();
    regions[2].fail();
    for _ in 0..15 {
        read(&store).await.unwrap();
    }
    assert_eq!(
        (circuits(&store), regions[2].calls()),
        (vec![Closed, Closed, Open], 5)
    );
    regions[2].serve();
    tokio::time::advance(secs(29)).await;
    for _ in 0..30 {
        read(&store).await.unwrap();
    }
    assert_eq!(
        regions[2].calls(),
        5,
        "no attempt before the open time has elapsed"
    );
    tokio::time::advance(secs(1)).await;
    read(&store).await.unwrap();
    assert_eq!(
        (circuits(&store), regions[2].calls()),
        (vec![Closed, Closed, HalfOpen], 6)
    );
    read(&store).await.unwrap();
    assert_eq!(circuits(&store), [Closed; 3]);
    let before = regions[2].calls();
    for _ in 0..300 {
        read(&store).await.unwrap();
    }
    let ramped = regions[2].calls() - before;
    assert!(
        (2..=30).contains(&ramped),
        "a tenth of its share of 100 at first, not {ramped}"
    );
    tokio::time::advance(secs(10)).await;
    let before = regions[2].calls();
    for _ in 0..300 {
        read(&store).await.unwrap();
    }
    assert_eq!(
        regions[2].calls() - before,
        100,
        "its whole share after the ramp"
    );
}

/// Regression: a region that was forced open counted as closed, and the others stayed open for
/// their whole open time.
#[tokio::test(start_paused = true)]
async fn recovery_half_opens_peers_beside_excluded_region() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    store.force_open("us-east-1", None).unwrap();
    regions.iter().for_each(|region| region.fail());
    for _ in 0..10 {
        read(&store).await.unwrap_err();
    }
    assert_eq!(circuits(&store)[1..], [Open; 2]);
    regions[1].serve();
    tokio::time::advance(secs(1)).await;
    for _ in 0..2 {
        read(&store).await.unwrap();
    }
    assert_eq!(circuits(&store)[1..], [Closed, HalfOpen]);
}
