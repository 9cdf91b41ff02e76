//! What opens a circuit.

use failover_testkit::*;
use object_store::Error;
use object_store_failover::CircuitState::{Closed, Open};
use serde_json::json;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn hanging_region_opens_and_gets_single_trials() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    regions[1].set(Mode::Hang);
    let store = builder.build().unwrap();
    let mut slow = Vec::new();
    for _ in 0..60 {
        let start = Instant::now();
        read(&store).await.unwrap();
        slow.extend(Some(start.elapsed()).filter(|time| !time.is_zero()));
    }
    // Four attempt timeouts; then silence detection opens the circuit during the fifth attempt.
    assert_eq!(slow, [secs(5), secs(5), secs(5), secs(5), secs(1)]);
    assert_eq!(regions[1].calls(), 5, "no attempt after the threshold");
    assert_eq!(circuits(&store), [Closed, Open, Closed]);
    // One trial per open time.
    for expected in [6, 7, 8] {
        tokio::time::advance(secs(67)).await;
        for _ in 0..30 {
            read(&store).await.unwrap();
        }
        assert_eq!(regions[1].calls(), expected);
        // The reads were served by other regions; the trial stays in flight until its timeout.
        tokio::time::sleep(secs(5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_rejected_in_one_region_open_its_circuit() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    let denied = Mode::Fail(Fault::Status(403, "AccessDenied"));
    regions.iter().for_each(|region| region.set(denied));
    for _ in 0..10 {
        let error = read(&store).await.unwrap_err();
        assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    }
    assert_eq!(
        circuits(&store),
        [Closed; 3],
        "rejected everywhere is no fault of a region"
    );
    regions[0].serve();
    regions[2].serve();
    for _ in 0..15 {
        assert_eq!(read(&store).await.unwrap(), "v");
    }
    assert_eq!(circuits(&store), [Closed, Open, Closed]);
}

/// Regression: an attempt that ended with its call was not recorded, so a hanging region never
/// opened.
#[tokio::test(start_paused = true)]
async fn attempt_timeout_equal_to_total_is_recorded() {
    let (regions, builder) = replicas(1);
    regions[0].set(Mode::Hang);
    let timeouts = settings(json!({"attempt": "5s", "total": "5s"}));
    let store = builder.timeouts(timeouts).build().unwrap();
    for _ in 0..5 {
        read(&store).await.unwrap_err();
    }
    assert_eq!(circuits(&store), [Open]);
}
