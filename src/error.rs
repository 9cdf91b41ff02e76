//! The error that tells the whole story: every region, why, and how long it took, in one line.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::failure::Failure;
use crate::operation::Operation;

/// Why a call on a [`FailoverStore`](crate::FailoverStore) failed, where that is not what one bucket would have answered.
///
/// It travels as the source of `object_store::Error::Generic`: [`FailoverError::find`] finds it there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FailoverError {
    /// Every region was tried, and none served.
    #[error("{operation} {path}: all regions failed: {attempts}")]
    AllRegionsFailed {
        /// The call.
        operation: Operation,
        /// Its key or prefix.
        path: String,
        /// What each region did.
        attempts: Story,
    },
    /// Nothing was sent: every region is left alone just now.
    #[error("{operation} {path}: no region admits a request; try again in {}: {attempts}", Short(*.retry_after))]
    CircuitsOpen {
        /// The call.
        operation: Operation,
        /// Its key or prefix.
        path: String,
        /// When the next request may be admitted.
        retry_after: Duration,
        /// Why each region was left out.
        attempts: Story,
    },
    /// The limit of the whole call was over before any region had served.
    #[error("{operation} {path}: no region served within {}: {attempts}", Short(*.limit))]
    DeadlineExceeded {
        /// The call.
        operation: Operation,
        /// Its key or prefix.
        path: String,
        /// The limit.
        limit: Duration,
        /// What each region did until then.
        attempts: Story,
    },
    /// Some regions do not have the object, and the others could not be asked: it may exist.
    #[error("{operation} {path}: undecided, some regions do not have it and others cannot tell: {attempts}")]
    Undecided {
        /// The call.
        operation: Operation,
        /// Its key.
        path: String,
        /// What each region said.
        attempts: Story,
    },
    /// A body broke, and no other region could prove that it has the same object.
    #[error("{path}: the body from {region} broke after {offset} bytes, and no other region holds the same version: {source}")]
    ReplicaDiverged {
        /// The key.
        path: String,
        /// The region whose body broke.
        region: Arc<str>,
        /// Where it broke: bytes from the start of the object.
        offset: u64,
        /// What broke it.
        source: Box<object_store::Error>,
    },
    /// A body broke at the same byte in every region.
    #[error("{path}: the body broke after {offset} bytes in every region, in {region} last: {source}")]
    BodyLost {
        /// The key.
        path: String,
        /// The region that broke last.
        region: Arc<str>,
        /// Where they broke: bytes from the start of the object.
        offset: u64,
        /// What broke the last one.
        source: Box<object_store::Error>,
    },
    /// The ranges of one call never came from one version of the object: it is being overwritten faster than it is read.
    #[error("get {path}: its ranges came from different versions of the object, {rereads} times in a row")]
    TornRead {
        /// The key.
        path: String,
        /// How often they were read again.
        rereads: u32,
    },
    /// The write policy does not allow this call.
    #[error("{operation} {path}: refused by writes.policy = \"none\": this store only reads")]
    WritesDisabled {
        /// The call.
        operation: Operation,
        /// Its key.
        path: String,
    },
}

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
    /// The call ended before it was its turn.
    NotReached,
}

impl FailoverError {
    /// The story behind an error of a [`FailoverStore`](crate::FailoverStore), where there is one.
    #[must_use]
    pub fn find(error: &object_store::Error) -> Option<&Self> {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

impl From<FailoverError> for object_store::Error {
    fn from(error: FailoverError) -> Self {
        match error {
            FailoverError::WritesDisabled { .. } => Self::NotSupported { source: Box::new(error) },
            _ => Self::Generic { store: "FailoverStore", source: Box::new(error) },
        }
    }
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
            Self::NotReached => f.write_str("no time left"),
        }
    }
}

/// A duration as a person would say it.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            time if time >= Duration::from_secs(1) => write!(f, "{:.1} s", time.as_secs_f64()),
            time => write!(f, "{} ms", time.as_millis()),
        }
    }
}
