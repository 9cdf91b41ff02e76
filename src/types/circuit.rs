//! Circuits: classes, states, transitions and overrides.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// The state of a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CircuitState {
    /// All requests are admitted.
    Closed,
    /// A few requests are admitted as trials.
    HalfOpen,
    /// No requests are admitted.
    Open,
}

/// Class of an operation. Each region has one circuit and one rate limit per class, because reads
/// and writes can fail independently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CircuitClass {
    /// Gets, heads and lists.
    Read,
    /// Puts, multipart uploads, copies and renames. Deletes count against the rate limit only: they
    /// are sent whatever the state of the circuit.
    Write,
}

/// A change of a circuit's state.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// Previous state.
    pub from: CircuitState,
    /// New state.
    pub to: CircuitState,
    /// Why it changed.
    pub reason: TransitionReason,
}

/// Why a circuit changed its state.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum TransitionReason {
    /// This many consecutive failures.
    ConsecutiveFailures(u32),
    /// This share of failed calls within the window, 0 to 1.
    FailureRate(f64),
    /// Attempts waited this long in total without a response, while another region responded.
    Silence(Duration),
    /// This share of throttled calls within 30 s, 0 to 1.
    Throttling(f64),
    /// The open time elapsed.
    OpenTimeElapsed,
    /// A request without another region started a last-resort attempt.
    LastResort,
    /// A trial failed.
    TrialFailed,
    /// A last-resort attempt failed. The circuit is open until the same time as before.
    LastResortFailed,
    /// A last-resort attempt was cancelled. The circuit is open until the same time as before.
    LastResortCancelled,
    /// Trials waited for `half_open_timeout` without closing the circuit.
    HalfOpenTimeout,
    /// This many trials succeeded.
    TrialsSucceeded(u32),
    /// Another region recovered from an outage of all regions.
    PeerRecovered,
    /// An override forced it closed.
    ForcedClosed,
    /// An operator reset it.
    Reset,
}

impl CircuitClass {
    pub(crate) const ALL: [Self; 2] = [Self::Read, Self::Write];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

impl CircuitState {
    /// In the order of the values of the gauge `circuit_state`.
    pub(crate) const ALL: [Self; 3] = [Self::Closed, Self::HalfOpen, Self::Open];

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The label in metrics and snapshots.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

impl Transition {
    /// Whether this belongs to a last-resort attempt that did not succeed.
    ///
    /// In a total outage there are about two such transitions per second and region. A program that
    /// stores [`Event::CircuitChanged`](crate::health::Event::CircuitChanged) should skip them; the
    /// log has them at DEBUG.
    #[must_use]
    pub fn is_last_resort(&self) -> bool {
        matches!(
            self.reason,
            TransitionReason::LastResort
                | TransitionReason::LastResortFailed
                | TransitionReason::LastResortCancelled
        )
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

impl fmt::Display for TransitionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConsecutiveFailures(count) => write!(f, "{count} consecutive failures"),
            Self::FailureRate(rate) => write!(f, "{:.0} % of calls failed", rate * 100.0),
            Self::Silence(waited) => write!(
                f,
                "attempts waited {:.1} s in total without a response",
                waited.as_secs_f64()
            ),
            Self::Throttling(rate) => write!(f, "{:.0} % of calls were throttled", rate * 100.0),
            Self::OpenTimeElapsed => f.write_str("open time elapsed"),
            Self::LastResort => f.write_str("last resort"),
            Self::TrialFailed => f.write_str("trial failed"),
            Self::LastResortFailed => f.write_str("last resort failed"),
            Self::LastResortCancelled => f.write_str("last resort cancelled"),
            Self::HalfOpenTimeout => f.write_str("half-open timeout"),
            Self::TrialsSucceeded(count) => write!(f, "{count} trials succeeded"),
            Self::PeerRecovered => f.write_str("another region recovered"),
            Self::ForcedClosed => f.write_str("forced closed by an operator"),
            Self::Reset => f.write_str("reset by an operator"),
        }
    }
}

/// Manual override of a region's circuits. At most one is active per region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Override {
    /// No new requests. Bodies in flight continue, and searches for a missing key may still use the
    /// region. Deletes and aborts of uploads, which have no circuit, are sent regardless.
    Drain,
    /// No requests at all, not even last-resort attempts and searches. Deletes and aborts of
    /// uploads are sent regardless.
    ForceOpen,
    /// In use: the circuits stay closed, whatever failures they count.
    ForceClosed,
    /// In use whatever the state of the circuits, which still open and close for metrics and
    /// events.
    MetricsOnly,
}

impl Override {
    pub(crate) const ALL: [Self; 4] = [
        Self::Drain,
        Self::ForceOpen,
        Self::ForceClosed,
        Self::MetricsOnly,
    ];

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The label in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::ForceOpen => "force_open",
            Self::ForceClosed => "force_closed",
            Self::MetricsOnly => "metrics_only",
        }
    }

    /// The override excludes the region. The others force its use.
    pub(crate) fn excludes_region(self) -> bool {
        match self {
            Self::Drain | Self::ForceOpen => true,
            Self::ForceClosed | Self::MetricsOnly => false,
        }
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drain => "drained",
            Self::ForceOpen => "forced open",
            Self::ForceClosed => "forced closed",
            Self::MetricsOnly => "metrics only",
        })
    }
}

/// Why an override ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverrideEndReason {
    Expired,
    /// By another override.
    Replaced,
    Cleared,
}

impl OverrideEndReason {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Replaced => "replaced",
            Self::Cleared => "cleared",
        }
    }
}
