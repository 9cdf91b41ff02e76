//! The words for what a circuit does.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// The state of a circuit, in the textbook sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CircuitState {
    /// Calls pass.
    Closed,
    /// A few trials pass.
    HalfOpen,
    /// Nothing passes.
    Open,
}

/// Which of a region's circuits: its reads may fail while its writes do not, and the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CircuitClass {
    /// Gets, heads and lists.
    Read,
    /// Puts, multipart uploads, copies and renames. Best-effort deletes have no circuit, on purpose: nobody waits for them.
    Write,
}

/// A circuit has changed its state.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// The state before.
    pub from: CircuitState,
    /// The state after.
    pub to: CircuitState,
    /// What made it change.
    pub reason: Reason,
}

/// What made a circuit change its state.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// So many failures in a row.
    ConsecutiveFailures(u32),
    /// So large a share of failures in the window.
    FailureRate(f64),
    /// Attempts together waited so long for nothing, while another region answered.
    Silence(Duration),
    /// So large a share of calls was turned away as too many.
    Throttling(f64),
    /// The open time is over.
    TimeIsUp,
    /// A request found no other region and asked early.
    NothingElseLeft,
    /// A trial failed.
    TrialFailed,
    /// An early probe failed: the circuit is open as it was.
    EarlyProbeFailed,
    /// The caller of an early probe went away: the circuit is open as it was.
    EarlyProbeAbandoned,
    /// Trials waited longer than the half-open time without closing the circuit.
    TrialsTookTooLong,
    /// So many trials succeeded.
    TrialsSucceeded(u32),
    /// Another region has recovered while none was closed.
    PeerRecovered,
    /// An operator has forced it closed.
    ForcedClosed,
    /// An operator has made it forget.
    Reset,
}

impl CircuitClass {
    pub(crate) const ALL: [Self; 2] = [Self::Read, Self::Write];

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl CircuitState {
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl Transition {
    /// Part of asking an open circuit early: it happens once a second and region while nothing else is left, and changes nothing.
    ///
    /// Whoever keeps [`Event::CircuitChanged`](crate::Event::CircuitChanged) leaves these out, or an outage of everything washes away what
    /// came before it. The log has them at DEBUG.
    #[must_use]
    pub fn is_early_probing(&self) -> bool {
        matches!(self.reason, Reason::NothingElseLeft | Reason::EarlyProbeFailed | Reason::EarlyProbeAbandoned)
    }
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        })
    }
}

impl fmt::Display for CircuitClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConsecutiveFailures(count) => write!(f, "{count} failures in a row"),
            Self::FailureRate(rate) => write!(f, "{:.0} % of calls failed", rate * 100.0),
            Self::Silence(waited) => write!(f, "attempts waited {:.1} s in all for nothing", waited.as_secs_f64()),
            Self::Throttling(rate) => write!(f, "{:.0} % of calls were throttled", rate * 100.0),
            Self::TimeIsUp => f.write_str("the open time is over"),
            Self::NothingElseLeft => f.write_str("a request found no other region"),
            Self::TrialFailed => f.write_str("a trial failed"),
            Self::EarlyProbeFailed => f.write_str("an early probe failed"),
            Self::EarlyProbeAbandoned => f.write_str("the caller of an early probe went away"),
            Self::TrialsTookTooLong => f.write_str("trials took too long"),
            Self::TrialsSucceeded(count) => write!(f, "{count} successful trials"),
            Self::PeerRecovered => f.write_str("another region has recovered"),
            Self::ForcedClosed => f.write_str("an operator has forced it closed"),
            Self::Reset => f.write_str("an operator has reset it"),
        }
    }
}
