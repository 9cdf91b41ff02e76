//! What probes leave with a region: how far it lags behind, and whether its next trial is theirs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Written by the probes, read by whoever shows it and by calls that look for a trial. Without probes it stays as it is made.
#[derive(Debug)]
pub(crate) struct Probed {
    /// In microseconds.
    lag: AtomicU64,
    takes_trials: AtomicBool,
}

impl Default for Probed {
    fn default() -> Self {
        Self { lag: AtomicU64::new(UNKNOWN), takes_trials: AtomicBool::new(false) }
    }
}

impl Probed {
    /// How far the region lagged behind when a probe last could tell; None where none could.
    pub(crate) fn lag(&self) -> Option<Duration> {
        let micros = self.lag.load(Ordering::Relaxed);
        (micros != UNKNOWN).then(|| Duration::from_micros(micros))
    }

    pub(crate) fn on_lag(&self, lag: Option<Duration>) {
        let micros = lag.map_or(UNKNOWN, |lag| u64::try_from(lag.as_micros()).unwrap_or(UNKNOWN - 1));
        self.lag.store(micros, Ordering::Relaxed);
    }

    /// A probe comes as soon as a trial is due: no user's read need be one.
    pub(crate) fn takes_trials(&self) -> bool {
        self.takes_trials.load(Ordering::Relaxed)
    }

    pub(crate) fn leave_trials(&self, to_probes: bool) {
        self.takes_trials.store(to_probes, Ordering::Relaxed);
    }

    /// The probes have ended.
    pub(crate) fn forget(&self) {
        self.on_lag(None);
        self.leave_trials(false);
    }
}

const UNKNOWN: u64 = u64::MAX;
