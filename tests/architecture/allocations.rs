//! What metrics cost a request: no allocation by the library, and few by the Prometheus exporter.
//!
//! `cargo test --test architecture allocations -- --nocapture` prints the figure.

use allocation_counter::measure;
use failover_testkit::{Recorded, key, put, replicas};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use object_store::ObjectStoreExt;
use object_store_failover::FailoverStore;
use tokio::runtime::{Builder, Runtime};

const REQUESTS: u64 = 100_000;
/// The first request registers the series.
const WARM_UP: u64 = 1_000;

/// Allocations of `REQUESTS` reads after the warm-up.
fn allocations(runtime: &Runtime, store: &FailoverStore) -> u64 {
    let read = |count: u64| {
        runtime.block_on(async {
            for _ in 0..count {
                store.get(&key()).await.unwrap().bytes().await.unwrap();
            }
        });
    };
    read(WARM_UP);
    measure(|| read(REQUESTS)).count_total
}

/// The same with this recorder, or without one.
fn allocations_with(recorder: Option<&dyn metrics::Recorder>) -> u64 {
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let (regions, builder) = replicas(3);
    runtime.block_on(put(&regions[0], "value"));
    let run = || allocations(&runtime, &builder.build().unwrap());
    match recorder {
        Some(recorder) => metrics::with_local_recorder(recorder, run),
        None => run(),
    }
}

#[test]
fn metrics_allocate_nothing_per_request() {
    let without = allocations_with(None);
    let recorded = Recorded::default();
    let with = allocations_with(Some(&recorded));
    let labels = [("operation", "get"), ("result", "success")];
    let requests = recorded.count("requests_total", &labels);
    assert_eq!(requests, Some(REQUESTS + WARM_UP));
    assert!(without > REQUESTS, "a read does allocate: {without}");
    assert_eq!(with, without);
}

#[test]
fn prometheus_exporter_allocates_per_64_samples() {
    let baseline = allocations_with(Some(&Recorded::default()));
    let durations = Matcher::Suffix("_duration_seconds".into());
    let exporter = PrometheusBuilder::new().set_buckets_for_metric(durations, &[0.1, 1.0]);
    let recorder = exporter.unwrap().build_recorder();
    let with_exporter = allocations_with(Some(&recorder));
    let text = recorder.handle().render();
    let name = "object_store_failover_request_duration_seconds_count";
    let count = REQUESTS + WARM_UP;
    let line = format!("{name}{{store=\"default\",operation=\"get\"}} {count}\n");
    assert!(text.contains(&line), "not recorded: {text}");
    let extra = with_exporter.checked_sub(baseline).unwrap();
    let per_request = extra as f64 / REQUESTS as f64;
    println!("exporter: {extra} allocations in {REQUESTS} requests, {per_request:.4} each");
    // Two samples per read: the duration of the request and that of the attempt.
    assert!((0.02..=0.04).contains(&per_request), "{per_request}");
}
