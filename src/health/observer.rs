//! Events of one region's health, for logging and public events.

use std::fmt::Debug;
use std::time::Duration;

use crate::types::{CircuitClass, Override, OverrideEndReason, Transition};

/// Receives health events after all circuit locks are released. It takes no part in decisions.
pub(crate) trait HealthObserver: Debug + Send + Sync {
    /// `region` is its index in the configured order.
    fn on_event(&self, region: usize, event: HealthEvent);
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum HealthEvent {
    /// A circuit changed its state.
    Circuit(CircuitClass, Transition),
    /// The next consecutive failure opens the circuit: failures so far, and the threshold.
    AboutToOpen(CircuitClass, u32, u32),
    /// A trial succeeded, and the circuit is still half-open: successes so far, and the threshold.
    TrialSucceeded(CircuitClass, u32, u32),
    /// Consecutive failed attempts, independent of the circuits.
    ConsecutiveFailures(u32),
    /// An override is active, for a limited time or without limit.
    OverrideSet(Override, Option<Duration>),
    /// An override is no longer active.
    OverrideEnded(Override, OverrideEndReason),
    /// An operator reset the region's circuits.
    Reset,
}
