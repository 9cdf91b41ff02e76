//! Snapshot of a whole store, as plain data.
//!
//! It contains no key and no URL: more people see a snapshot than may see the objects.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::snapshot::as_optional_seconds;
use super::{CircuitSnapshot, OverrideSnapshot};
use crate::error::LastError;

/// The whole store at one moment. Serialized, times are numbers of seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HealthSnapshot {
    /// Name of the store.
    pub store: Arc<str>,
    /// Summary over all regions.
    pub status: StoreStatus,
    /// The regions, in configured order.
    pub regions: Vec<RegionSnapshot>,
    /// Totals since the store was built.
    pub totals: StoreTotals,
}

/// Summary over all regions, based on reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreStatus {
    /// All regions are in use.
    Healthy,
    /// Some regions are excluded. Reads use the others.
    Degraded,
    /// No region is in use: all circuits are open and requests are last-resort attempts, or
    /// overrides exclude the regions.
    Down,
}

/// One region at one moment. Serialized, times are numbers of seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RegionSnapshot {
    /// Name of the region.
    pub name: Arc<str>,
    /// Whether regular reads use it: its circuit for reads is closed and no override excludes it,
    /// or an override keeps it in use.
    pub in_use: bool,
    /// Whether it is home (`writes.home`). While an override excludes home, writes that belong
    /// there and reads of `reads.home_prefixes` fail.
    pub home: bool,
    /// The circuit for reads.
    pub read: CircuitSnapshot,
    /// The circuit for writes.
    pub write: CircuitSnapshot,
    /// The active override, if any.
    pub override_active: Option<OverrideSnapshot>,
    /// Share of reads that start at this region, 0 to 1, from its weight and the current state of
    /// all regions. Trials and hedges are not included.
    pub share: f64,
    /// Median time to response headers of gets and heads; None with too few samples.
    #[serde(serialize_with = "as_optional_seconds")]
    pub p50: Option<Duration>,
    /// 95th percentile of the same.
    #[serde(serialize_with = "as_optional_seconds")]
    pub p95: Option<Duration>,
    /// Requests and response bodies in flight.
    pub in_flight: u32,
    /// Attempts since the store was built.
    pub attempts: u64,
    /// Attempts that delivered a complete response.
    pub successes: u64,
    /// Attempts that failed through a fault of the region.
    pub failures: u64,
    /// Consecutive failed attempts, whatever the cause; `events.alert_after` applies to these.
    pub failing_in_a_row: u32,
    /// Replication lag at the last probe; None without `[probe]` or without a canary object.
    #[serde(serialize_with = "as_optional_seconds")]
    pub replication_lag: Option<Duration>,
    /// The last failed attempt, whatever the cause.
    pub last_error: Option<LastError>,
}

/// Totals since the store was built.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StoreTotals {
    /// Calls on the store.
    pub requests: u64,
    /// Calls that returned an object, or a definite response without one (404, 412, 304).
    pub successes: u64,
    /// Calls that returned an error that the caller did not cause. Cancelled calls and errors of
    /// the caller are neither successes nor errors.
    pub errors: u64,
    /// `successes / (successes + errors)`, 0 to 1; 1 without calls.
    pub success_rate: f64,
    /// Retry rounds over the regions.
    pub retries: u64,
    /// Calls that succeeded in a retry round.
    pub retry_successes: u64,
    /// Attempts that timed out.
    pub timeouts: u64,
    /// Circuits that opened, without failed last-resort attempts.
    pub opens: u64,
    /// Circuits that closed.
    pub closes: u64,
    /// Additional attempts that the retry budget refused.
    pub retry_budget_refused: u64,
    /// Hedges.
    pub hedges: HedgeCounts,
}

/// Hedges since the store was built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HedgeCounts {
    /// Second attempts that were sent.
    pub sent: u64,
    /// Hedges that responded first.
    pub won: u64,
    /// Hedges that did not.
    pub lost: u64,
    /// Hedges that were due and not sent: the budget was exhausted, or all regions were slow.
    pub refused: u64,
}
