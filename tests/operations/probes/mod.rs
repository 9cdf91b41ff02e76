//! Probes: when they run, what they change, and the object that they read.

mod canary;
mod schedule;
mod settings;
mod trials;

use std::sync::Arc;
use std::time::Duration;

use failover_testkit::{Scripted, circuits, ms, put, put_at, replicas, secs};
use object_store_failover::config::ProbeConfig;
use object_store_failover::{CircuitState, FailoverStore, FailoverStoreBuilder};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

/// The default of `probe.path`.
const CANARY: &str = "health/canary";

/// Replicas with a canary and a key, probed every five seconds.
async fn probed_replicas(count: usize) -> (Vec<Arc<Scripted>>, FailoverStoreBuilder) {
    let (regions, builder) = replicas(count);
    put_at(&regions[0], CANARY).await;
    put(&regions[0], "v").await;
    let breaker = failover_testkit::settings(json!({"jitter": 0.0}));
    (
        regions,
        builder.breaker(breaker).probe(ProbeConfig::default()),
    )
}

/// When the region is called during `time`, in milliseconds from now.
async fn call_times(region: &Scripted, time: Duration) -> Vec<u128> {
    let (began, mut calls, mut found) = (Instant::now(), region.calls(), Vec::new());
    while began.elapsed() < time {
        sleep(ms(1)).await;
        if region.calls() > calls {
            calls = region.calls();
            found.push(began.elapsed().as_millis());
        }
    }
    found
}

/// Waits until the region's circuit has this state; returns the time that took.
async fn until(store: &FailoverStore, region: usize, state: CircuitState) -> Duration {
    let began = Instant::now();
    while circuits(store)[region] != state {
        assert!(began.elapsed() < secs(600), "not {state:?} in time");
        sleep(ms(1)).await;
    }
    began.elapsed()
}

fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// For tests that keep the log of their thread.
fn block_on_paused(future: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(future);
}
