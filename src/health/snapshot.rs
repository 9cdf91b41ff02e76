//! What a region's health shows of itself, as plain data.

use std::time::Duration;

use serde::Serialize;

use super::breaker::Standing;
use super::control::Override;
use super::{CircuitClass, CircuitState, Health};
use crate::sync::atomic::Ordering;
use crate::time::{self, Instant};

/// One circuit at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CircuitSnapshot {
    /// Its state.
    pub state: CircuitState,
    /// How long it has been in that state, in seconds.
    pub seconds_in_state: f64,
    /// Since when, in seconds since 1970, by this machine's calendar now.
    pub since_unix_seconds: f64,
    /// How long it has not been closed, in seconds; None where it is. Trials that fail begin the state anew, and this not: it tells
    /// for how long the region has been left alone.
    pub seconds_not_closed: Option<f64>,
    /// Since when it has not been closed, in seconds since 1970.
    pub not_closed_since_unix_seconds: Option<f64>,
    /// Whether a request could use the region now: closed, or a trial is due.
    pub admits: bool,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// Share of failures within the window.
    pub failure_rate: f64,
}

/// An operator's word that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OverrideSnapshot {
    /// What is in force.
    pub kind: Override,
    /// In how many seconds it ends by itself; None where it does not.
    pub seconds_left: Option<f64>,
}

/// One region's health at one moment.
#[derive(Debug)]
pub(crate) struct Vitals {
    pub(crate) circuits: [CircuitSnapshot; 2],
    /// How a request for a read stands with it.
    pub(crate) standing: Standing,
    pub(crate) control: Option<OverrideSnapshot>,
    pub(crate) p50: Option<Duration>,
    pub(crate) p95: Option<Duration>,
    pub(crate) in_flight: u32,
    pub(crate) attempts: u64,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) failing_in_a_row: u32,
}

impl Health {
    pub(crate) fn vitals(&self, now: Instant) -> Vitals {
        let tally = &self.tally;
        Vitals {
            circuits: CircuitClass::ALL.map(|class| self.circuit_snapshot(class, now)),
            standing: self.standing(CircuitClass::Read, now),
            control: self.override_snapshot(now),
            p50: self.p50(),
            p95: self.p95(),
            in_flight: tally.in_flight(),
            attempts: tally.attempts.load(Ordering::Relaxed),
            successes: tally.successes.load(Ordering::Relaxed),
            failures: tally.failures.load(Ordering::Relaxed),
            failing_in_a_row: tally.run.load(Ordering::Relaxed),
        }
    }

    fn circuit_snapshot(&self, class: CircuitClass, now: Instant) -> CircuitSnapshot {
        let admits = matches!(self.standing(class, now), Standing::Closed { .. } | Standing::Trial);
        self.with(class, now, |circuit| {
            let seconds_since = |moment| now.saturating_duration_since(moment).as_secs_f64();
            let (today, seconds_in_state) = (time::unix_seconds(), seconds_since(circuit.since));
            let seconds_not_closed = circuit.ailing_since.map(seconds_since);
            let snapshot = CircuitSnapshot {
                state: circuit.breaker.state(),
                seconds_in_state,
                since_unix_seconds: today - seconds_in_state,
                seconds_not_closed,
                not_closed_since_unix_seconds: seconds_not_closed.map(|seconds| today - seconds),
                admits,
                consecutive_failures: circuit.breaker.consecutive_failures(),
                failure_rate: circuit.breaker.counts(now).rate(),
            };
            (snapshot, None)
        })
    }

    fn override_snapshot(&self, now: Instant) -> Option<OverrideSnapshot> {
        self.with(CircuitClass::Read, now, |circuit| {
            let until = circuit.control.until();
            let seconds_left = until.map(|until| until.saturating_duration_since(now).as_secs_f64());
            (circuit.control.active().map(|kind| OverrideSnapshot { kind, seconds_left }), None)
        })
    }
}
