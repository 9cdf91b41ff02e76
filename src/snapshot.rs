//! The whole store at one moment, as plain data: for people, pages and programs.
//!
//! It never holds a key or a URL: a snapshot is shown to more people than the objects are.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::event::LastError;
use crate::failover::Core;
use crate::failover::hedge::HedgeCounts;
use crate::health::{CircuitSnapshot, OverrideSnapshot, Standing, Vitals};
use crate::plan::SLOW_SHARE;
use crate::time::Instant;

/// The whole store at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HealthSnapshot {
    /// The store's name.
    pub store: Arc<str>,
    /// One word for the whole.
    pub status: Status,
    /// The regions in configured order.
    pub regions: Vec<RegionSnapshot>,
    /// Extra attempts that the retry budget refused, since the store was built.
    pub retry_budget_refused: u64,
    /// What has happened since the store was built.
    pub totals: Totals,
}

/// One word for the whole store, judged by its reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Every region may be used.
    Healthy,
    /// Some regions are left alone; reads go to the others.
    Degraded,
    /// No region is in use: circuits are open and requests are early probes, or an operator has taken the regions out.
    Down,
}

/// One region at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RegionSnapshot {
    /// The region's name.
    pub name: Arc<str>,
    /// Whether reads go there as a matter of course: its circuit is closed and no operator has taken it out, or one keeps it in use.
    pub in_use: bool,
    /// Whether it is home (`writes.home`): writes that belong there, and reads of `reads.home_prefixes`, fail while an operator has it
    /// taken out.
    pub home: bool,
    /// The circuit of its reads.
    pub read: CircuitSnapshot,
    /// The circuit of its writes.
    pub write: CircuitSnapshot,
    /// Whether an operator has drained it or forced it open.
    pub operator_override: bool,
    /// The operator's words that are in force: at most one.
    pub overrides: Vec<OverrideSnapshot>,
    /// Share of reads that begin there, as its weight and the state of all regions have it now: 0 to 1. Trials and hedges are
    /// none of it.
    pub share: f64,
    /// Time within which half of its answers to gets and heads come; None where too little is known.
    pub p50: Option<Duration>,
    /// Time within which 95 of 100 of them come.
    pub p95: Option<Duration>,
    /// Calls and bodies that are under way.
    pub in_flight: u32,
    /// Attempts sent since the store was built.
    pub attempts: u64,
    /// Attempts delivered whole.
    pub successes: u64,
    /// Attempts that were the region's fault.
    pub failures: u64,
    /// Attempts in a row that failed, whoever was to blame, up to now; an alert counts these (`events.alert_after`).
    pub failing_in_a_row: u32,
    /// How far it lags behind, as probes last could tell (`[probe]`, and somebody who writes the canary).
    pub replication_lag: Option<Duration>,
    /// The last attempt that failed, whoever was to blame.
    pub last_error: Option<LastError>,
}

/// What has happened since the store was built.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// Calls of the store.
    pub requests: u64,
    /// Those whose callers got what they asked for, or the word that there is no such thing (404, 412, 304).
    pub successes: u64,
    /// Those whose callers got an error that is not of their own making. Calls that were cancelled or were the caller's mistake
    /// are neither.
    pub errors: u64,
    /// Share of successes among these two, 0 to 1; 1 where there was none.
    pub success_rate: f64,
    /// Further rounds over the regions.
    pub retries: u64,
    /// Calls that were served in a further round.
    pub retry_successes: u64,
    /// Attempts that had no answer in time.
    pub timeouts: u64,
    /// Circuits that opened; failed early probes are left out.
    pub opens: u64,
    /// Circuits that closed.
    pub closes: u64,
    /// Extra attempts that the retry budget refused.
    pub retry_budget_refused: u64,
    /// Second attempts beside slow ones.
    pub hedges: HedgeCounts,
}

impl HealthSnapshot {
    pub(crate) fn of(store: &Arc<str>, core: &Core, now: Instant) -> Self {
        let vitals: Vec<_> = core.regions.iter().map(|region| region.health.vitals(now)).collect();
        let slow = core.hedging.slow(&core.regions, now);
        let left = |(index, vitals): (usize, &Vitals)| left_of_share(vitals.standing, slow.contains(index));
        let shares = core.rotation.shares(&vitals.iter().enumerate().map(left).collect::<Vec<_>>());
        let regions: Vec<_> = vitals.into_iter().zip(shares).enumerate().map(|(index, of)| region(core, index, of)).collect();
        let status = match regions.iter().filter(|region| region.in_use).count() {
            0 => Status::Down,
            count if count < regions.len() => Status::Degraded,
            _ => Status::Healthy,
        };
        Self { store: Arc::clone(store), status, regions, retry_budget_refused: core.budget.refused(), totals: Totals::of(core) }
    }
}

/// What is left of a region's share of first picks.
fn left_of_share(standing: Standing, is_slow: bool) -> f64 {
    match standing {
        Standing::Closed { share } => share.min(if is_slow { SLOW_SHARE } else { 1.0 }),
        Standing::Trial | Standing::Busy { .. } | Standing::Open { .. } | Standing::Drained | Standing::ForcedOpen => 0.0,
    }
}

fn region(core: &Core, index: usize, (vitals, share): (Vitals, f64)) -> RegionSnapshot {
    let [read, write] = vitals.circuits;
    RegionSnapshot {
        name: Arc::clone(&core.regions.get(index).name),
        in_use: matches!(vitals.standing, Standing::Closed { .. }),
        home: core.home == Some(index),
        read,
        write,
        operator_override: vitals.control.is_some_and(|control| control.kind.takes_out()),
        overrides: vitals.control.into_iter().collect(),
        share,
        p50: vitals.p50,
        p95: vitals.p95,
        in_flight: vitals.in_flight,
        attempts: vitals.attempts,
        successes: vitals.successes,
        failures: vitals.failures,
        failing_in_a_row: vitals.failing_in_a_row,
        replication_lag: core.regions.get(index).probed.lag(),
        last_error: core.events.last_error(index),
    }
}

impl Totals {
    fn of(core: &Core) -> Self {
        let totals = core.metrics.totals();
        let (successes, errors) = (totals.successes.get(), totals.errors.get());
        let ended = successes + errors;
        Self {
            requests: totals.requests.get(),
            successes,
            errors,
            success_rate: if ended == 0 { 1.0 } else { successes as f64 / ended as f64 },
            retries: totals.retries.get(),
            retry_successes: totals.retry_successes.get(),
            timeouts: totals.timeouts.get(),
            opens: totals.opens.get(),
            closes: totals.closes.get(),
            retry_budget_refused: core.budget.refused(),
            hedges: core.hedging.counts(),
        }
    }
}
