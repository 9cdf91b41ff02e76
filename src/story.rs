//! What each region did in one call: the part of an error that names them all.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::failure::Failure;

/// What each region did in one call, in the order in which it happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story(Vec<AttemptReport>);

/// One region's part in a story.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptReport {
    /// The region's name.
    pub region: Arc<str>,
    /// What happened.
    pub outcome: AttemptOutcome,
    /// How long it took; zero where nothing was sent.
    pub elapsed: Duration,
}

/// What happened with one region.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// It was asked, and this came back.
    Failed(Failure),
    /// It was asked, and had not answered when the call ended.
    Unanswered,
    /// It was not asked.
    LeftOut(LeftOut),
}

/// Why a region was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftOut {
    /// Its circuit is open.
    CircuitOpen {
        /// When it may be asked again.
        retry_after: Duration,
    },
    /// Its circuit is half-open, and somebody else's trial is under way.
    TrialUnderWay,
    /// An operator has drained it.
    Drained,
    /// An operator has forced its circuit open.
    ForcedOpen,
    /// The retry budget was spent (`retry.budget`).
    BudgetSpent,
    /// It was at its limit (`[throttle]`) until the call ended.
    AtItsLimit,
    /// The call ended before it was its turn.
    NotReached,
}
impl Story {
    /// The regions' parts, in the order in which they happened.
    pub fn iter(&self) -> impl Iterator<Item = &AttemptReport> {
        self.0.iter()
    }

    pub(crate) fn tell(&mut self, region: &Arc<str>, outcome: AttemptOutcome, elapsed: Duration) {
        self.0.push(AttemptReport { region: Arc::clone(region), outcome, elapsed });
    }
}

impl AttemptReport {
    /// What came back, where the region was asked and something did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            AttemptOutcome::Failed(failure) => Some(failure),
            AttemptOutcome::Unanswered | AttemptOutcome::LeftOut(_) => None,
        }
    }
}

impl fmt::Display for Story {
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
            AttemptOutcome::Failed(failure) => write!(f, "{}: {failure} ({})", self.region, Short(self.elapsed)),
            AttemptOutcome::Unanswered => write!(f, "{}: no answer yet ({})", self.region, Short(self.elapsed)),
            AttemptOutcome::LeftOut(why) => write!(f, "{}: not asked, {why}", self.region),
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CircuitOpen { retry_after } => write!(f, "circuit open for another {}", Short(*retry_after)),
            Self::TrialUnderWay => f.write_str("circuit half-open and a trial under way"),
            Self::Drained => f.write_str("drained by an operator"),
            Self::ForcedOpen => f.write_str("forced open by an operator"),
            Self::BudgetSpent => f.write_str("the retry budget is spent"),
            Self::AtItsLimit => f.write_str("at its limit (throttle)"),
            Self::NotReached => f.write_str("no time left"),
        }
    }
}

/// A duration as a person would say it.
pub(crate) struct Short(pub(crate) Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            time if time >= Duration::from_secs(1) => write!(f, "{:.1} s", time.as_secs_f64()),
            time => write!(f, "{} ms", time.as_millis()),
        }
    }
}
