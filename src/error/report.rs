//! Per-region results of one call, as part of its error.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Failure;

/// The result of each region in one call, in the order of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttemptReports(Vec<AttemptReport>);

/// The result of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptReport {
    /// Name of the region.
    pub region: Arc<str>,
    /// The result.
    pub outcome: AttemptOutcome,
    /// Duration of the attempt; zero if none was sent.
    pub elapsed: Duration,
}

/// The result of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// An attempt failed.
    Failed(Failure),
    /// An attempt had no response yet when the call ended.
    Unanswered,
    /// No attempt was sent.
    Skipped(SkipReason),
}

/// Why no attempt was sent to a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// Its circuit is open.
    CircuitOpen {
        /// Time until its next trial.
        retry_after: Duration,
    },
    /// Its circuit is half-open, and the trial of another call is in flight.
    TrialInFlight,
    /// An operator drained it.
    Drained,
    /// An operator forced its circuits open.
    ForcedOpen,
    /// The retry budget was exhausted (`retry.budget`).
    BudgetExhausted,
    /// It was at its rate or concurrency limit (`[throttle]`) until the call ended.
    AtItsLimit,
    /// The caller excluded it ([`CallOptions::avoid`](crate::CallOptions)).
    Avoided,
    /// The call ended before its turn.
    NotReached,
}

impl AttemptReports {
    /// The results in the order of events.
    pub fn iter(&self) -> impl Iterator<Item = &AttemptReport> {
        self.0.iter()
    }

    pub(crate) fn push(&mut self, region: &Arc<str>, outcome: AttemptOutcome, elapsed: Duration) {
        self.0.push(AttemptReport {
            region: Arc::clone(region),
            outcome,
            elapsed,
        });
    }
}

impl AttemptOutcome {
    /// A limit of the store or of the call ended or prevented the attempt: the region may be
    /// healthy.
    pub(crate) fn is_own_limit(&self) -> bool {
        match self {
            Self::Unanswered
            | Self::Skipped(
                SkipReason::AtItsLimit | SkipReason::NotReached | SkipReason::BudgetExhausted,
            ) => true,
            Self::Failed(_) | Self::Skipped(_) => false,
        }
    }
}

impl AttemptReport {
    /// The failure, if an attempt failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            AttemptOutcome::Failed(failure) => Some(failure),
            AttemptOutcome::Unanswered | AttemptOutcome::Skipped(_) => None,
        }
    }
}

impl fmt::Display for AttemptReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, report) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{report}")?;
        }
        Ok(())
    }
}

impl fmt::Display for AttemptReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            AttemptOutcome::Failed(failure) => write!(
                f,
                "{}: {failure} ({})",
                self.region,
                HumanDuration(self.elapsed)
            ),
            AttemptOutcome::Unanswered => write!(
                f,
                "{}: no response yet ({})",
                self.region,
                HumanDuration(self.elapsed)
            ),
            AttemptOutcome::Skipped(reason) => write!(f, "{}: skipped, {reason}", self.region),
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CircuitOpen { retry_after } => write!(
                f,
                "circuit open for another {}",
                HumanDuration(*retry_after)
            ),
            Self::TrialInFlight => f.write_str("half-open with a trial in flight"),
            Self::Drained => f.write_str("drained by an operator"),
            Self::ForcedOpen => f.write_str("forced open by an operator"),
            Self::BudgetExhausted => f.write_str("retry budget exhausted"),
            Self::AtItsLimit => f.write_str("at its limit (throttle)"),
            Self::Avoided => f.write_str("excluded by the caller"),
            Self::NotReached => f.write_str("no time left"),
        }
    }
}

/// Formats a duration with one suitable unit.
pub(crate) struct HumanDuration(pub(crate) Duration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            time if time >= Duration::from_secs(1) => write!(f, "{:.1} s", time.as_secs_f64()),
            time => write!(f, "{} ms", time.as_millis()),
        }
    }
}
