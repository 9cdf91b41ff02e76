//! Which series exist, and from when on.

use failover_testkit::read;

use super::{gauges, recorded_store};
use crate::UNHEALTHY;

/// The number of series of each metric of a store with two regions.
const SERIES: [(&str, usize); 23] = [
    ("region_failing", 2),
    ("circuit_state", 4),
    ("region_admitted", 2),
    ("region_auth_failing", 2),
    ("region_misconfigured", 2),
    ("operator_override", 8),
    ("regions_available", 1),
    ("in_flight", 2),
    ("last_success_timestamp_seconds", 2),
    ("requests_total", 10 * 12),
    ("attempts_total", 2 * 4 * 16),
    ("retries_total", 10 * 4),
    ("failovers_total", 2 * 10),
    ("circuit_transitions_total", 2 * 2 * 5),
    ("all_regions_failed_total", 10),
    ("hedges_total", 4),
    ("body_bytes_total", 2),
    ("body_resumes_total", 2 * 2 + 2 * 2),
    ("lagging_reads_total", 2),
    ("retry_budget_exhausted_total", 1),
    ("throttled_total", 2),
    ("not_found_total", 4),
    ("replication_lag_seconds", 0),
];

/// The recorder is installed after the store was built: handles are resolved by the first request.
#[tokio::test(start_paused = true)]
async fn first_request_creates_all_series() {
    let (_regions, store, recorded, _guard) = recorded_store().await;
    assert_eq!(recorded.everything(), "{}");
    read(&store).await.unwrap();
    for (name, count) in SERIES {
        assert_eq!(recorded.series(name), count, "{name}");
    }
    let counters = SERIES.iter().filter(|(name, _)| name.ends_with("_total"));
    let counted: Vec<_> = counters
        .flat_map(|(name, _)| recorded.counts(name))
        .collect();
    assert_eq!(
        counted.len(),
        3,
        "one request, one attempt, its bytes: {counted:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn override_before_the_first_request_is_published() {
    let (_regions, store, recorded, _guard) = recorded_store().await;
    store.drain(UNHEALTHY).unwrap();
    read(&store).await.unwrap();
    let labels = [("bucket_region", UNHEALTHY), ("kind", "drain")];
    assert_eq!(recorded.gauge("operator_override", &labels), Some(1.0));
    assert_eq!(gauges(&recorded), [0.0, 0.0, 0.0, 1.0]);
}
