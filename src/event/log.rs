//! Lines in the log, for people who were woken by one.
//!
//! Quiet while all is well. A line never holds a key or a URL of an object, at INFO and above: a region, a class, a status, a code, a
//! request id.

use std::sync::Arc;
use std::time::Duration;

use super::Events;
use crate::health::{CircuitClass, CircuitState, News, Override, OverrideEnd, Reason, Transition};
use crate::metrics::Outcome;
use crate::operation::Operation;

/// A line at this level, or at DEBUG where nobody wants it.
macro_rules! line {
    ($wanted:expr, $level:ident, $($line:tt)+) => {
        if $wanted { tracing::$level!($($line)+) } else { tracing::debug!($($line)+) }
    };
}

impl Events {
    pub(super) fn log(&self, region: usize, news: News) {
        let (store, name) = (&self.shared.store, self.name(region));
        match news {
            News::Circuit(class, change) => self.log_transition(region, class, change),
            News::NearlyOpen(class, failures) => {
                let last = self.last(region);
                tracing::warn!(%store, region = %name, %class, failures, last, "one more failure in a row opens the circuit");
            }
            News::TrialSucceeded(class, count, wanted) => self.log_trial(region, class, count, wanted),
            News::Failing(run) if run == self.shared.config.alert_after => {
                tracing::warn!(%store, region = %name, failures = run, last = self.last(region), "the region keeps failing");
            }
            News::Failing(_) => {}
            News::Overridden(what, lasts) => log_override(store, name, what, lasts),
            News::OverrideEnded(what, end) => {
                let end = match end {
                    OverrideEnd::Expired => "its time is over",
                    OverrideEnd::Replaced => "replaced by another",
                    OverrideEnd::Undone => "undone",
                };
                tracing::info!(%store, region = %name, end, "an operator's word has ended: {what}");
            }
            News::Reset => tracing::info!(%store, region = %name, "an operator has reset the circuits"),
        }
    }

    fn log_transition(&self, region: usize, class: CircuitClass, change: Transition) {
        let (store, name, reason, wanted) = (&self.shared.store, self.name(region), change.reason, self.shared.config.log_transitions);
        if let Reason::TrialsSucceeded(count) = reason {
            self.log_trial(region, class, count, count);
        }
        match change.to {
            state if change.is_early_probing() => tracing::debug!(%store, region = %name, %class, %reason, "circuit {state}"),
            CircuitState::Open => {
                line!(wanted, warn, %store, region = %name, %class, %reason, last = self.last(region), "circuit opened");
            }
            CircuitState::HalfOpen => line!(wanted, info, %store, region = %name, %class, %reason, "circuit half-open"),
            CircuitState::Closed => line!(wanted, info, %store, region = %name, %class, %reason, "circuit closed"),
        }
    }

    fn log_trial(&self, region: usize, class: CircuitClass, count: u32, wanted: u32) {
        let (store, name) = (&self.shared.store, self.name(region));
        line!(self.shared.config.log_transitions, info, %store, region = %name, %class, "trial succeeded ({count} of {wanted})");
    }

    /// A call moves on to another region.
    pub(crate) fn log_failover(&self, operation: Operation, from: usize, to: usize, reason: Outcome) {
        let (store, from, to) = (&self.shared.store, self.name(from), self.name(to));
        let reason = reason.label();
        line!(self.shared.config.log_retries, info, %store, %operation, %from, %to, reason, "a call moves on to another region");
    }

    /// A call asks the regions once more, after a pause.
    pub(crate) fn log_retry(&self, operation: Operation, number: u32, pause: Duration) {
        let store = &self.shared.store;
        line!(self.shared.config.log_retries, info, %store, %operation, number, ?pause, "a call asks the regions once more");
    }

    fn last(&self, region: usize) -> Option<String> {
        self.shared.last_errors.get(region).map(|error| error.to_string())
    }
}

fn log_override(store: &Arc<str>, name: &Arc<str>, what: Override, lasts: Option<Duration>) {
    match lasts {
        Some(lasts) => tracing::info!(%store, region = %name, ?lasts, "an operator's word: {what}"),
        None => tracing::info!(%store, region = %name, "an operator's word: {what}, until it is undone"),
    }
}
