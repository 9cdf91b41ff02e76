//! What operators see and do: metrics, events, log lines, snapshots, overrides and probes.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the clock, and a panic fails the test"
)]

mod metrics;
mod operator;
mod probes;
mod trait_methods;

use failover_testkit::{NAMES, Recorded};

/// The region that fails in these tests.
const UNHEALTHY: &str = NAMES[0];
const HEALTHY: &str = NAMES[1];

/// Records what this thread registers from now on, until the guard is dropped.
fn record_metrics() -> (Recorded, impl Drop) {
    let recorded = Recorded::default();
    let leaked: &'static Recorded = Box::leak(Box::new(recorded.clone()));
    (recorded, ::metrics::set_default_local_recorder(leaked))
}
