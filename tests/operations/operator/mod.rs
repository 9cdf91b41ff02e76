//! Overrides of operators, the health snapshot, alerts and the settings of the log.

mod logging;
mod overrides;
mod race;
mod snapshot;
mod waiters;

use std::sync::Arc;

use failover_testkit::{Scripted, put, read, replicas, settings};
use object_store_failover::FailoverStore;
use serde_json::{Value, json};

async fn store_with_events(events: Value) -> (Vec<Arc<Scripted>>, FailoverStore) {
    let (regions, builder) = replicas(2);
    put(&regions[0], "value").await;
    (regions, builder.events(settings(events)).build().unwrap())
}

async fn store() -> (Vec<Arc<Scripted>>, FailoverStore) {
    store_with_events(json!({})).await
}

/// Successful reads.
async fn read_times(store: &FailoverStore, reads: u64) {
    for _ in 0..reads {
        read(store).await.unwrap();
    }
}

/// How many of this number of reads reached the region.
async fn calls_in_reads(store: &FailoverStore, region: &Scripted, reads: u64) -> u64 {
    let before = region.calls();
    read_times(store, reads).await;
    region.calls() - before
}
