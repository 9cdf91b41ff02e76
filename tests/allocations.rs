//! What metrics cost on the way of a request: no allocation.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use allocation_counter::measure;
use object_store::ObjectStoreExt;
use object_store_failover::FailoverStore;
use support::*;
use tokio::runtime::{Builder, Runtime};

const REQUESTS: u64 = 100_000;

/// Allocations of so many reads, after the first few.
fn allocations(runtime: &Runtime, store: &FailoverStore) -> u64 {
    let read = |count: u64| {
        runtime.block_on(async {
            for _ in 0..count {
                store.get(&key()).await.unwrap().bytes().await.unwrap();
            }
        });
    };
    read(1_000);
    measure(|| read(REQUESTS)).count_total
}

#[test]
fn a_hundred_thousand_requests_allocate_nothing_for_metrics() {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let build = || {
        let (regions, builder) = replicas(3);
        runtime.block_on(put(&regions[0], "value"));
        builder.build().unwrap()
    };
    let without = allocations(&runtime, &build());
    let recorded = Recorded::default();
    let with = metrics::with_local_recorder(&recorded, || allocations(&runtime, &build()));
    let seen = recorded.count("requests_total", &[("operation", "get"), ("result", "success")]);
    assert_eq!(seen, Some(REQUESTS + 1_000), "it was recorded");
    assert!(without > REQUESTS, "something is allocated by a read: {without}");
    assert_eq!(with, without);
}
