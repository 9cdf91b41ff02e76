//! The words of labels: closed lists, so that every series is known before anything happens.

/// What came of one attempt in one region (`result` of `attempts_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    NotFound,
    Precondition,
    NotModified,
    Connect,
    Timeout,
    Interrupted,
    Unavailable,
    Throttled,
    Unauthorized,
    Misconfigured,
    Conflict,
    Unknown,
    Caller,
    /// Nothing is known: its caller went away, the time was not the region's own, or another attempt was faster.
    Cancelled,
}

/// What a caller got (`result` of `requests_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
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
    /// An error like any other to its caller, counted by itself as well.
    AllRegionsFailed,
}

/// What became of a hedge that was due (`result` of `hedges_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HedgeEnd {
    Won,
    Lost,
    Failed,
    Refused,
}

/// What became of a body that broke (`result` of `body_resumes_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResumeEnd {
    Success,
    Failed,
    Diverged,
}

/// How a request ended whose key was missing somewhere (`class` of `not_found_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is nowhere.
    Nowhere,
    Lagging,
    Deleted,
    Undecided,
}

impl Outcome {
    pub(super) const LABELS: [&str; 15] = [
        "success",
        "not_found",
        "precondition",
        "not_modified",
        "connect",
        "timeout",
        "interrupted",
        "unavailable",
        "throttled",
        "unauthorized",
        "misconfigured",
        "conflict",
        "unknown",
        "caller",
        "cancelled",
    ];
    /// Those because of which a request moves on.
    pub(super) const REASONS: std::ops::Range<usize> = Self::Connect as usize..Self::Unknown as usize + 1;

    pub(crate) fn label(self) -> &'static str {
        Self::LABELS[self as usize]
    }

    /// The caller got nothing from the region, whoever is to blame.
    pub(crate) fn is_failing(self) -> bool {
        match self {
            Self::Connect | Self::Timeout | Self::Interrupted | Self::Unavailable | Self::Throttled => true,
            Self::Unauthorized | Self::Misconfigured | Self::Unknown => true,
            Self::Success | Self::NotFound | Self::Precondition | Self::NotModified => false,
            Self::Conflict | Self::Caller | Self::Cancelled => false,
        }
    }
}

impl Answer {
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

    /// Its place among the labels.
    pub(super) fn index(self) -> usize {
        if self == Self::AllRegionsFailed { Self::Error as usize } else { self as usize }
    }

    /// It was what the caller had asked for, or a true word on why there is no such thing.
    pub(super) fn is_success(self) -> bool {
        matches!(self, Self::Success | Self::NotFound | Self::Precondition | Self::NotModified)
    }

    /// No region served, and that is why the caller has an error.
    pub(super) fn is_total_failure(self) -> bool {
        matches!(self, Self::AllRegionsFailed | Self::CircuitOpen | Self::Deadline)
    }

    /// The caller has an error that is not its own doing.
    pub(super) fn is_failure(self) -> bool {
        match self {
            Self::Denied | Self::Undecided | Self::Indeterminate | Self::Error => true,
            Self::AllRegionsFailed | Self::CircuitOpen | Self::Deadline => true,
            Self::Success | Self::NotFound | Self::Precondition | Self::NotModified | Self::Rejected | Self::Cancelled => false,
        }
    }
}

impl HedgeEnd {
    pub(super) const LABELS: [&str; 4] = ["won", "lost", "failed", "refused"];
}

impl ResumeEnd {
    pub(super) const LABELS: [&str; 3] = ["success", "failed", "diverged"];
}

impl Missing {
    pub(super) const LABELS: [&str; 4] = ["missing", "lagging", "deleted", "undecided"];
}

/// Circuits, their states in the order of the gauge's values, and operators' words, by their indexes in `health`.
pub(super) const CLASSES: [&str; 2] = ["read", "write"];
pub(super) const STATES: [&str; 3] = ["closed", "half_open", "open"];
pub(super) const KINDS: [&str; 4] = ["drain", "force_open", "force_closed", "metrics_only"];
/// The steps that a circuit can make; the last two skip the trials, by an operator's word.
pub(super) const STEPS: [(usize, usize); 5] = [(0, 2), (2, 1), (1, 2), (1, 0), (2, 0)];
/// Further rounds by their number; the last is all others.
pub(super) const ROUNDS: [&str; 4] = ["1", "2", "3", "4+"];
