//! Label values. The lists are closed, so that all series exist from the start.

use crate::types::{CircuitState, FailureClass};

/// The result of one attempt in one region (`result` of `attempts_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptResult {
    Success,
    Failed(FailureClass),
    /// Unknown: the caller cancelled, the deadline of the call cut the attempt short, or another
    /// attempt won the race.
    Cancelled,
}

/// The result of a call (`result` of `requests_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestResult {
    Success,
    NotFound,
    Precondition,
    NotModified,
    Rejected,
    Denied,
    Undecided,
    CircuitOpen,
    Deadline,
    Indeterminate,
    Error,
    Cancelled,
    /// Labelled like `Error`, and also counted by `all_regions_failed_total`.
    AllRegionsFailed,
}

/// The result of a hedge that was due (`result` of `hedges_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HedgeResult {
    Won,
    Lost,
    Failed,
    Refused,
}

/// The result of an interrupted body (`result` of `body_resumes_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResumeResult {
    Success,
    Failed,
    Diverged,
}

/// The result of a call whose key was missing in some region (`class` of `not_found_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotFoundClass {
    /// Missing in all regions.
    Missing,
    Lagging,
    Deleted,
    Undecided,
}

impl AttemptResult {
    pub(super) const COUNT: usize = FailureClass::ALL.len() + 2;

    /// Every result, in the order of [`index`](Self::index).
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let failed = FailureClass::ALL.into_iter().map(Self::Failed);
        std::iter::once(Self::Success)
            .chain(failed)
            .chain(std::iter::once(Self::Cancelled))
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Success => 0,
            Self::Failed(class) => 1 + class.index(),
            Self::Cancelled => 1 + FailureClass::ALL.len(),
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed(class) => class.as_str(),
            Self::Cancelled => "cancelled",
        }
    }

    /// The region did not serve the request, whatever the cause.
    pub(crate) fn is_failing(self) -> bool {
        matches!(self, Self::Failed(class) if class.is_failing())
    }
}

impl RequestResult {
    pub(super) const LABELS: [&str; 12] = [
        "success",
        "not_found",
        "precondition",
        "not_modified",
        "rejected",
        "denied",
        "undecided",
        "circuit_open",
        "deadline",
        "indeterminate",
        "error",
        "cancelled",
    ];

    /// Index into [`LABELS`](Self::LABELS).
    pub(super) fn index(self) -> usize {
        if self == Self::AllRegionsFailed {
            Self::Error as usize
        } else {
            self as usize
        }
    }

    /// An object, or a definite response without one.
    pub(super) fn is_success(self) -> bool {
        matches!(
            self,
            Self::Success | Self::NotFound | Self::Precondition | Self::NotModified
        )
    }

    /// An error because no region served.
    pub(super) fn is_total_failure(self) -> bool {
        matches!(
            self,
            Self::AllRegionsFailed | Self::CircuitOpen | Self::Deadline
        )
    }

    /// An error that the caller did not cause.
    pub(super) fn is_failure(self) -> bool {
        match self {
            Self::Denied | Self::Undecided | Self::Indeterminate | Self::Error => true,
            Self::AllRegionsFailed | Self::CircuitOpen | Self::Deadline => true,
            Self::Success
            | Self::NotFound
            | Self::Precondition
            | Self::NotModified
            | Self::Rejected
            | Self::Cancelled => false,
        }
    }
}

impl HedgeResult {
    pub(super) const LABELS: [&str; 4] = ["won", "lost", "failed", "refused"];
}

impl ResumeResult {
    pub(super) const LABELS: [&str; 3] = ["success", "failed", "diverged"];
}

impl NotFoundClass {
    pub(super) const LABELS: [&str; 4] = ["missing", "lagging", "deleted", "undecided"];
}

/// The possible transitions of a circuit. The last one is an override or a reset.
pub(super) const TRANSITIONS: [(CircuitState, CircuitState); 5] = {
    use CircuitState::{Closed, HalfOpen, Open};
    [
        (Closed, Open),
        (Open, HalfOpen),
        (HalfOpen, Open),
        (HalfOpen, Closed),
        (Open, Closed),
    ]
};
/// Retry rounds by number. The last label covers all higher numbers.
pub(super) const RETRIES: [&str; 4] = ["1", "2", "3", "4+"];
