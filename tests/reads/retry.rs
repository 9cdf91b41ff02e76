//! Further rounds over the regions.

use failover_testkit::*;
use object_store_failover::CircuitState::{Closed, Open};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn throttled_single_region_is_retried_by_default() {
    let (regions, builder) = replicas(1);
    put(&regions[0], "v").await;
    regions[0].next([Mode::Fail(Fault::Status(503, "SlowDown")); 2]);
    let store = builder.build().unwrap();
    assert_eq!(read(&store).await.unwrap(), "v");
    assert_eq!((regions[0].calls(), circuits(&store)), (3, vec![Closed]));
}

#[tokio::test(start_paused = true)]
async fn only_transient_failures_are_retried() {
    for (fault, calls) in [
        (Fault::Status(403, "AccessDenied"), 1),
        (Fault::Status(400, ""), 1),
        (Fault::Unclassified, 1),
        (Fault::Reset, 3),
        (Fault::Status(500, ""), 3),
    ] {
        let (regions, builder) = replicas(1);
        regions[0].set(Mode::Fail(fault));
        read(&builder.build().unwrap()).await.unwrap_err();
        assert_eq!(regions[0].calls(), calls, "{fault:?}");
    }
}

/// Regression: of two regions, one that had just recovered was not retried before its next
/// last-resort attempt was due.
#[tokio::test(start_paused = true)]
async fn retry_waits_until_a_region_admits() {
    for seed in 0..50 {
        let (regions, builder) = replicas(2);
        put(&regions[0], "v").await;
        let timeouts = settings(json!({"attempt": "500ms", "total": "4s"}));
        let store = builder.seed(seed).timeouts(timeouts).build().unwrap();
        regions[0].fail();
        while circuits(&store)[0] != Open {
            read(&store).await.unwrap();
        }
        // A last-resort attempt has just failed; then its region recovers and the other one hangs.
        regions[1].next([Mode::Fail(Fault::Reset)]);
        let _ = tokio::time::timeout(ms(1), read(&store)).await;
        regions[0].serve();
        regions[1].set(Mode::Hang);
        assert_eq!(read(&store).await.unwrap(), "v", "seed {seed}");
    }
}

/// Regression: every further round waited for a drained region.
#[tokio::test(start_paused = true)]
async fn drained_region_does_not_delay_retries() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    store.drain("eu-west-1").unwrap();
    for _ in 0..20 {
        regions[0].next([Mode::Fail(Fault::Status(503, "SlowDown"))]);
        assert_eq!(read(&store).await.unwrap(), "v");
    }
}
