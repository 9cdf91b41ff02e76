//! Reads: failover, retries, deadlines, hedges, missing keys and home prefixes.
//!
//! Most tests run under a paused clock, so that elapsed times are exact.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the clock, and a panic is a failure"
)]

mod call_options;
mod deadlines;
mod failover;
mod hedging;
mod home_prefixes;
mod missing_keys;
mod own_limits;
mod panics;
mod raced_trials;
mod refusals;
mod resumed_bodies;
mod retry;
mod retry_budget;
mod silence;

use std::sync::Arc;
use std::time::Duration;

use failover_testkit::*;
use object_store::{GetOptions, ObjectStore};
use object_store_failover::{CallOptions, CircuitState, FailoverStore, ServedBy};
use tokio::time::Instant;

/// Options of a read that only this region may serve.
fn pinned(region: &str) -> GetOptions {
    with(CallOptions {
        pin: Some(region.into()),
        ..Default::default()
    })
}

/// Options of a read with this deadline.
fn within(deadline: Duration) -> GetOptions {
    with(CallOptions {
        deadline: Some(deadline),
        ..Default::default()
    })
}

fn with(call: CallOptions) -> GetOptions {
    let mut options = GetOptions::default();
    options.extensions.insert(call);
    options
}

/// Reads the whole object; returns the duration and which region served it.
async fn timed(store: &FailoverStore) -> (Duration, ServedBy) {
    let start = Instant::now();
    let result = store.get_opts(&key(), GetOptions::default()).await.unwrap();
    let served_by = result.extensions.get::<ServedBy>().unwrap().clone();
    result.bytes().await.unwrap();
    (start.elapsed(), served_by)
}

/// The second region fails reads until its circuit opens.
async fn open_second(regions: &[Arc<Scripted>], store: &FailoverStore) {
    regions[1].fail();
    while circuits(store)[1] == CircuitState::Closed {
        read(store).await.unwrap();
    }
}
