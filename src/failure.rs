//! What one attempt came back with, as a value.

use std::fmt;

/// What an error of an object store means for the one who meets it.
///
/// Useful without a `FailoverStore` too: object_store hides the status of a failed request, and [`Failure::of`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub(crate) class: FailureClass,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) detail: String,
}

/// The kinds of failures that are treated differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// The region could not be reached: refused, DNS, TLS.
    Connect,
    /// It did not answer in time.
    Timeout,
    /// The connection broke, or the body came short.
    Interrupted,
    /// It answered that it cannot: 5xx.
    Unavailable,
    /// It answered that it is too busy: overload, not death.
    Throttled,
    /// It does not accept our credentials: 401, 403, expired or skewed ones.
    Unauthorized,
    /// It is not what we take it for: no such bucket, wrong region, a request it does not understand.
    Misconfigured,
    /// It does not have the object.
    NotFound,
    /// It has another version of the object than the one that was asked for.
    Precondition,
    /// It has no newer version than the one that the caller has.
    NotModified,
    /// The caller's own mistake: it would be one everywhere.
    Caller,
    /// An error that says nothing about its kind.
    Unknown,
}

impl Failure {
    /// Its kind.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        self.class
    }

    /// The store asked for fewer requests.
    #[must_use]
    pub fn is_throttle(&self) -> bool {
        self.class == FailureClass::Throttled
    }

    /// It may heal by itself: the same request may succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.is_transport() || matches!(self.class, FailureClass::Unavailable | FailureClass::Throttled)
    }

    /// The HTTP status, where there was one.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.status
    }

    /// The provider's code, like `SlowDown`, where there was one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    pub(crate) fn new(class: FailureClass, detail: impl ToString) -> Self {
        Self { class, status: None, code: None, detail: detail.to_string() }
    }

    /// The region never got as far as an answer.
    pub(crate) fn is_transport(&self) -> bool {
        matches!(self.class, FailureClass::Connect | FailureClass::Timeout | FailureClass::Interrupted)
    }

    /// The region is charged with it at once.
    pub(crate) fn is_regions_fault(&self) -> bool {
        self.is_transport() || matches!(self.class, FailureClass::Unavailable | FailureClass::Unknown)
    }

    /// The region is charged with it only once another has served the same request: until then it may be the caller's mistake.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.class, FailureClass::Unauthorized | FailureClass::Misconfigured)
    }

    /// The region did its job: the answer is the caller's.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self.class, FailureClass::NotModified | FailureClass::Caller)
    }

    /// The region does not have what was asked for; another one may.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self.class, FailureClass::NotFound | FailureClass::Precondition)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, &self.code) {
            (Some(status), Some(code)) => write!(f, "{status} {code}"),
            (None, Some(code)) => write!(f, "{}: {code}, {}", self.class, self.detail),
            (Some(status), None) => write!(f, "{status} ({})", self.class),
            _ => write!(f, "{}: {}", self.class, self.detail),
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "cannot connect",
            Self::Timeout => "timed out",
            Self::Interrupted => "interrupted",
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::Unauthorized => "refused our credentials",
            Self::Misconfigured => "misconfigured",
            Self::NotFound => "not found",
            Self::Precondition => "another version",
            Self::NotModified => "not modified",
            Self::Caller => "bad request",
            Self::Unknown => "failed",
        })
    }
}
