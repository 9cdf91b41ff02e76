//! The results of probes for one region: its replication lag, and whether probes run its trials.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Written by probes; read by snapshots and by calls that look for a trial. Constant without
/// probes.
#[derive(Debug)]
pub(crate) struct ProbeState {
    /// In microseconds.
    lag: AtomicU64,
    owns_trials: AtomicBool,
}

impl Default for ProbeState {
    fn default() -> Self {
        Self {
            lag: AtomicU64::new(UNKNOWN),
            owns_trials: AtomicBool::new(false),
        }
    }
}

impl ProbeState {
    /// The last measured replication lag; None if unknown.
    pub(crate) fn lag(&self) -> Option<Duration> {
        let micros = self.lag.load(Ordering::Relaxed);
        (micros != UNKNOWN).then(|| Duration::from_micros(micros))
    }

    pub(crate) fn on_lag(&self, lag: Option<Duration>) {
        let micros = lag.map_or(UNKNOWN, |lag| {
            u64::try_from(lag.as_micros()).unwrap_or(UNKNOWN - 1)
        });
        self.lag.store(micros, Ordering::Relaxed);
    }

    /// A probe runs the next trial as soon as it is due, so reads are not used as trials.
    pub(crate) fn owns_trials(&self) -> bool {
        self.owns_trials.load(Ordering::Relaxed)
    }

    pub(crate) fn set_owns_trials(&self, owns: bool) {
        self.owns_trials.store(owns, Ordering::Relaxed);
    }

    /// The probes have stopped.
    pub(crate) fn reset(&self) {
        self.on_lag(None);
        self.set_owns_trials(false);
    }
}

const UNKNOWN: u64 = u64::MAX;
