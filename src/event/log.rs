//! Log lines.
//!
//! There are none while all regions are healthy. At INFO and above a line never contains the key or
//! URL of an object, only region, class, status, code and request id.

use std::sync::Arc;
use std::time::Duration;

use super::Events;
use crate::health::HealthEvent;
use crate::types::{
    CircuitClass, CircuitState, FailureClass, Operation, Override, Transition, TransitionReason,
};

/// A line at this level if it is enabled, otherwise at DEBUG.
macro_rules! line {
    ($enabled:expr, $level:ident, $($line:tt)+) => {
        if $enabled { tracing::$level!($($line)+) } else { tracing::debug!($($line)+) }
    };
}

impl Events {
    pub(super) fn log(&self, region: usize, event: HealthEvent) {
        let (store, name) = (&self.shared.store, self.name(region));
        match event {
            HealthEvent::Circuit(class, change) => self.log_transition(region, class, change),
            HealthEvent::AboutToOpen(class, failures, threshold) => {
                let last_error = self.last_error_text(region);
                tracing::warn!(
                    %store, region = %name, %class, failures, threshold, last_error,
                    "circuit near threshold"
                );
            }
            HealthEvent::TrialSucceeded(class, successes, required) => {
                self.log_trial(region, class, successes, required);
            }
            HealthEvent::ConsecutiveFailures(failures)
                if failures == self.shared.config.alert_after =>
            {
                let last_error = self.last_error_text(region);
                tracing::warn!(%store, region = %name, failures, last_error, "region failing");
            }
            HealthEvent::ConsecutiveFailures(_) => {}
            HealthEvent::OverrideSet(kind, duration) => log_override(store, name, kind, duration),
            HealthEvent::OverrideEnded(kind, reason) => {
                let (kind, reason) = (kind.label(), reason.label());
                tracing::info!(%store, region = %name, kind, reason, "override ended");
            }
            HealthEvent::Reset => tracing::info!(%store, region = %name, "circuits reset"),
        }
    }

    fn log_transition(&self, region: usize, class: CircuitClass, change: Transition) {
        let (store, name, reason) = (&self.shared.store, self.name(region), change.reason);
        let enabled = self.shared.config.log_transitions;
        if let TransitionReason::TrialsSucceeded(count) = reason {
            self.log_trial(region, class, count, count);
        }
        match change.to {
            // Last-resort attempts cause two of these per second and region while all regions fail.
            state if change.is_last_resort() => {
                tracing::debug!(%store, region = %name, %class, %reason, "circuit {state}");
            }
            CircuitState::Open => {
                let last_error = self.last_error_text(region);
                line!(
                    enabled, warn, %store, region = %name, %class, %reason, last_error,
                    "circuit opened"
                );
            }
            CircuitState::HalfOpen => {
                line!(enabled, info, %store, region = %name, %class, %reason, "circuit half-open");
            }
            CircuitState::Closed => {
                line!(enabled, info, %store, region = %name, %class, %reason, "circuit closed");
            }
        }
    }

    fn log_trial(&self, region: usize, class: CircuitClass, successes: u32, required: u32) {
        let (store, name) = (&self.shared.store, self.name(region));
        line!(
            self.shared.config.log_transitions, info,
            %store, region = %name, %class, successes, required, "trial succeeded"
        );
    }

    /// A call continues in another region.
    pub(crate) fn log_failover(
        &self,
        operation: Operation,
        from: usize,
        to: usize,
        reason: FailureClass,
    ) {
        let (store, from, to) = (&self.shared.store, self.name(from), self.name(to));
        let reason = reason.as_str();
        line!(
            self.shared.config.log_retries, info,
            %store, %operation, %from, %to, reason, "failing over"
        );
    }

    /// A further round begins after `delay`.
    pub(crate) fn log_retry(&self, operation: Operation, retry: u32, delay: Duration) {
        let store = &self.shared.store;
        line!(self.shared.config.log_retries, info, %store, %operation, retry, ?delay, "retrying");
    }

    fn last_error_text(&self, region: usize) -> Option<String> {
        self.shared
            .last_errors
            .get(region)
            .map(|error| error.to_string())
    }
}

fn log_override(store: &Arc<str>, name: &Arc<str>, kind: Override, duration: Option<Duration>) {
    let kind = kind.label();
    match duration {
        Some(duration) => {
            tracing::info!(%store, region = %name, kind, ?duration, "override set");
        }
        None => {
            tracing::info!(%store, region = %name, kind, duration = "unlimited", "override set")
        }
    }
}
