//! `timeouts.total`: how a call divides its time between regions.

use failover_testkit::*;
use object_store_failover::{CircuitState::Closed, FailoverError};
use serde_json::json;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn attempts_truncated_by_the_deadline_are_not_recorded() {
    let (regions, builder) = replicas(2);
    regions.iter().for_each(|region| region.set(Mode::Hang));
    let timeouts = settings(json!({"attempt": "5s", "total": "8s"}));
    let store = builder.timeouts(timeouts).build().unwrap();
    for _ in 0..10 {
        let start = Instant::now();
        let error = read(&store).await.unwrap_err();
        assert!(
            matches!(
                failover_error(&error),
                FailoverError::DeadlineExceeded { .. }
            ),
            "{error}"
        );
        assert_eq!(start.elapsed(), secs(8));
    }
    assert_eq!(circuits(&store), [Closed; 2]);
    let regions = store.health().regions;
    assert!(regions.iter().all(|region| region.failures == 0));
}

#[tokio::test(start_paused = true)]
async fn hanging_regions_leave_time_for_the_last() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let timeouts = settings(json!({"attempt": "5s", "total": "6s"}));
    let store = builder.timeouts(timeouts).build().unwrap();
    regions[1].set(Mode::Hang);
    regions[2].set(Mode::Hang);
    for _ in 0..6 {
        assert_eq!(
            read(&store).await.unwrap(),
            "v",
            "two hanging regions use at most two thirds of the total"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn short_total_timeout_logs_a_warning() {
    let timeouts = settings(json!({"attempt": "5s", "total": "19s"}));
    let log = logged(|| drop(replicas(4).1.timeouts(timeouts).build().unwrap()));
    assert!(log.contains("timeouts.total"), "{log}");
    assert_eq!(logged(|| drop(replicas(4).1.build().unwrap())), "");
}
