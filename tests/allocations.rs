//! What metrics cost on the way of a request: no allocation of ours, and what the exporter for Prometheus allocates beside.
//! `cargo test --test allocations -- --nocapture` prints the figure.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use allocation_counter::measure;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use object_store::ObjectStoreExt;
use object_store_failover::FailoverStore;
use support::*;
use tokio::runtime::{Builder, Runtime};

const REQUESTS: u64 = 100_000;
/// Reads before the count begins: series are made with the first.
const WARM_UP: u64 = 1_000;

/// Allocations of so many reads, after the first few.
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

/// What the same reads allocate under a recorder, or none.
fn measured(recorder: Option<&dyn metrics::Recorder>) -> u64 {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (regions, builder) = replicas(3);
    runtime.block_on(put(&regions[0], "value"));
    let run = || allocations(&runtime, &builder.build().unwrap());
    match recorder {
        Some(recorder) => metrics::with_local_recorder(recorder, run),
        None => run(),
    }
}

#[test]
fn a_hundred_thousand_requests_allocate_nothing_for_metrics() {
    let without = measured(None);
    let recorded = Recorded::default();
    let with = measured(Some(&recorded));
    let seen = recorded.count("requests_total", &[("operation", "get"), ("result", "success")]);
    assert_eq!(seen, Some(REQUESTS + WARM_UP), "it was recorded");
    assert!(without > REQUESTS, "something is allocated by a read: {without}");
    assert_eq!(with, without);
}

#[test]
fn the_exporter_for_prometheus_allocates_a_block_for_64_samples_of_a_histogram() {
    let ours = measured(Some(&Recorded::default()));
    let exporter = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_duration_seconds".into()), &[0.1, 1.0]).unwrap();
    let recorder = exporter.build_recorder();
    let theirs = measured(Some(&recorder));
    let text = recorder.handle().render();
    let counted =
        format!("object_store_failover_request_duration_seconds_count{{store=\"default\",operation=\"get\"}} {}\n", REQUESTS + WARM_UP);
    assert!(text.contains(&counted), "it was recorded: {text}");
    let extra = theirs.checked_sub(ours).expect("it allocates no less") as f64 / REQUESTS as f64;
    println!("the exporter: {} allocations for {REQUESTS} requests, {extra:.4} each", theirs - ours);
    // Two samples a read: the request's time and the attempt's.
    assert!((0.02..=0.04).contains(&extra), "{extra}");
}
