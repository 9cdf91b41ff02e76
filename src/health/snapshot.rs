//! Health as plain data, for people and pages.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;

use super::breaker::Standing;
use super::{CircuitClass, CircuitState, Health};
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
    /// The circuit of its reads.
    pub read: CircuitSnapshot,
    /// The circuit of its writes.
    pub write: CircuitSnapshot,
    /// Whether an operator has drained it or forced it open.
    pub operator_override: bool,
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
}

/// One circuit at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CircuitSnapshot {
    /// Its state.
    pub state: CircuitState,
    /// Whether a request could use the region now: closed, or a trial is due.
    pub admits: bool,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// Share of failures within the window.
    pub failure_rate: f64,
}

impl Health {
    pub(crate) fn snapshot(&self, now: Instant) -> RegionSnapshot {
        let [read, write] = CircuitClass::ALL.map(|class| self.circuit_snapshot(class, now));
        RegionSnapshot {
            name: Arc::clone(&self.region),
            operator_override: matches!(self.standing(CircuitClass::Read, now), Standing::Drained | Standing::ForcedOpen),
            read,
            write,
            p50: self.p50(),
            p95: self.p95(),
            in_flight: self.tally.in_flight.load(Ordering::Relaxed),
            attempts: self.tally.attempts.load(Ordering::Relaxed),
            successes: self.tally.successes.load(Ordering::Relaxed),
            failures: self.tally.failures.load(Ordering::Relaxed),
        }
    }

    fn circuit_snapshot(&self, class: CircuitClass, now: Instant) -> CircuitSnapshot {
        let admits = matches!(self.standing(class, now), Standing::Closed { .. } | Standing::Trial);
        self.with(class, now, |circuit| {
            let snapshot = CircuitSnapshot {
                state: circuit.breaker.state(),
                admits,
                consecutive_failures: circuit.breaker.consecutive_failures(),
                failure_rate: circuit.breaker.counts(now).rate(),
            };
            (snapshot, None)
        })
    }
}

impl HealthSnapshot {
    pub(crate) fn new(store: Arc<str>, regions: Vec<RegionSnapshot>, retry_budget_refused: u64) -> Self {
        let in_use = regions.iter().filter(|region| region.read.state == CircuitState::Closed && !region.operator_override).count();
        let status = match in_use {
            0 => Status::Down,
            count if count < regions.len() => Status::Degraded,
            _ => Status::Healthy,
        };
        Self { store, status, regions, retry_budget_refused }
    }
}
