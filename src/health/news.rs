//! What a region's health tells to those who watch.

use std::fmt::Debug;
use std::time::Duration;

use super::control::Override;
use super::transition::{CircuitClass, Transition};

/// Told of what happens to a region, after all locks are released. It watches; it never decides.
pub(crate) trait Watch: Debug + Send + Sync {
    /// `region` is its place in the configured order.
    fn on_news(&self, region: usize, news: News);
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum News {
    /// A circuit has changed its state.
    Circuit(CircuitClass, Transition),
    /// One more failure in a row opens the circuit.
    NearlyOpen(CircuitClass, u32),
    /// A trial has succeeded: so many of as many as are wanted.
    TrialSucceeded(CircuitClass, u32, u32),
    /// So many attempts in a row have failed, whatever the circuits made of them.
    Failing(u32),
    /// An operator's word is in force, for so long.
    Overridden(Override, Option<Duration>),
    /// It is no longer.
    OverrideEnded(Override, OverrideEnd),
    /// An operator has made the region's circuits forget.
    Reset,
}

/// What ended an operator's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverrideEnd {
    Expired,
    /// Another word of an operator's.
    Replaced,
    Undone,
}
