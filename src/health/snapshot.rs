//! Snapshot of one region's health, as plain data.

use std::time::Duration;

use serde::Serialize;

use super::breaker::Availability;
use super::{CircuitClass, CircuitState, RegionHealth};
use crate::runtime::clock::{self, Instant};
use crate::runtime::sync::atomic::Ordering;
use crate::types::Override;

/// One circuit at one moment. Serialized, times are numbers of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CircuitSnapshot {
    /// The state.
    pub state: CircuitState,
    /// Time since the last change of the state. Serialized as `seconds_in_state`.
    #[serde(rename = "seconds_in_state", serialize_with = "as_seconds")]
    pub time_in_state: Duration,
    /// When the state changed last, as Unix time in seconds by the current wall clock.
    pub since_unix_seconds: f64,
    /// Time since the circuit was last closed; None if it is closed. Failed trials restart
    /// `time_in_state` and not this: it is the duration of the outage. Serialized as
    /// `seconds_not_closed`.
    #[serde(rename = "seconds_not_closed", serialize_with = "as_optional_seconds")]
    pub time_not_closed: Option<Duration>,
    /// When the circuit was last closed, as Unix time in seconds; None if it is closed.
    pub not_closed_since_unix_seconds: Option<f64>,
    /// Whether a request would be admitted now: closed, or a trial is due.
    pub admits: bool,
    /// Consecutive failures.
    pub consecutive_failures: u32,
    /// Share of failures within `breaker.window`, 0 to 1.
    pub failure_rate: f64,
}

/// An active override.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OverrideSnapshot {
    /// The kind of override.
    pub kind: Override,
    /// Time until it expires; None if it does not. Serialized as `seconds_left`.
    #[serde(rename = "seconds_left", serialize_with = "as_optional_seconds")]
    pub time_left: Option<Duration>,
}

/// One region's health at one moment.
#[derive(Debug)]
pub(crate) struct RegionHealthSnapshot {
    pub(crate) circuits: [CircuitSnapshot; 2],
    /// Availability for reads.
    pub(crate) availability: Availability,
    pub(crate) active_override: Option<OverrideSnapshot>,
    pub(crate) p50: Option<Duration>,
    pub(crate) p95: Option<Duration>,
    pub(crate) in_flight: u32,
    pub(crate) attempts: u64,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) consecutive_failures: u32,
}

impl RegionHealth {
    pub(crate) fn snapshot(&self, now: Instant) -> RegionHealthSnapshot {
        let counters = &self.counters;
        RegionHealthSnapshot {
            circuits: CircuitClass::ALL.map(|class| self.circuit_snapshot(class, now)),
            availability: self.availability(CircuitClass::Read, now),
            active_override: self.override_snapshot(now),
            p50: self.p50(),
            p95: self.p95(),
            in_flight: counters.in_flight(),
            attempts: counters.attempts.load(Ordering::Relaxed),
            successes: counters.successes.load(Ordering::Relaxed),
            failures: counters.failures.load(Ordering::Relaxed),
            consecutive_failures: counters.consecutive_failures.load(Ordering::Relaxed),
        }
    }

    fn circuit_snapshot(&self, class: CircuitClass, now: Instant) -> CircuitSnapshot {
        let admits = matches!(
            self.availability(class, now),
            Availability::Closed { .. } | Availability::TrialDue
        );
        self.update_circuit(class, now, |circuit| {
            let elapsed = |since| now.saturating_duration_since(since);
            // Monotonic times are converted to dates with the current wall clock, which may have
            // been adjusted since.
            let unix_now = clock::unix_seconds();
            let unix_time = |elapsed: Duration| unix_now - elapsed.as_secs_f64();
            let time_in_state = elapsed(circuit.since);
            let time_not_closed = circuit.not_closed_since.map(elapsed);
            let snapshot = CircuitSnapshot {
                state: circuit.breaker.state(),
                time_in_state,
                since_unix_seconds: unix_time(time_in_state),
                time_not_closed,
                not_closed_since_unix_seconds: time_not_closed.map(unix_time),
                admits,
                consecutive_failures: circuit.breaker.consecutive_failures(),
                failure_rate: circuit.breaker.counts(now).rate(),
            };
            (snapshot, None)
        })
    }

    fn override_snapshot(&self, now: Instant) -> Option<OverrideSnapshot> {
        self.update_circuit(CircuitClass::Read, now, |circuit| {
            let active_override = circuit.active_override;
            let time_left = active_override
                .until()
                .map(|until| until.saturating_duration_since(now));
            let snapshot = active_override
                .active()
                .map(|kind| OverrideSnapshot { kind, time_left });
            (snapshot, None)
        })
    }
}

fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    time.as_secs_f64().serialize(serializer)
}

pub(super) fn as_optional_seconds<S: serde::Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}
