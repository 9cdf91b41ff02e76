//! What one attempt came back with, as a value.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::evidence::{Evidence, Sent};
use crate::metrics::Outcome;

/// What an error of an object store means for the one who meets it.
///
/// Useful without a `FailoverStore` too: object_store hides the status of a failed request, and [`Failure::of`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub(crate) class: FailureClass,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) delete_marker: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) sent: Sent,
    pub(crate) detail: String,
}

/// The kinds of failures that are treated differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureClass {
    /// The region could not be reached: refused, DNS, TLS.
    Connect,
    /// It did not answer in time.
    Timeout,
    /// The connection broke, the body came short, or the head is not that of the answer to the request.
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
    /// Another write of the same key is under way: this one took no effect.
    Conflict,
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
        self.is_transport() || matches!(self.class, FailureClass::Unavailable | FailureClass::Throttled | FailureClass::Conflict)
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

    /// The id by which the provider's support finds the request, where the store was built from a document.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The object was deleted there, rather than never seen: a 404 with a delete marker, in a store that was built from a document.
    #[must_use]
    pub fn is_delete_marker(&self) -> bool {
        self.delete_marker && self.class == FailureClass::NotFound
    }

    /// How long the region asked to be left alone (`Retry-After`), at most a year; zero for a moment that is over. A date is read
    /// against the answer's own.
    ///
    /// Known only where the store was built from a document: `None` for one that was handed in, and where nothing sensible was said.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether anything of the request may have reached the region. `Maybe` wherever that is not known.
    #[must_use]
    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// A failure without an answer.
    pub(crate) fn new(class: FailureClass, detail: impl ToString) -> Self {
        let sent = if class == FailureClass::Connect { Sent::No } else { Sent::Maybe };
        Self {
            class,
            status: None,
            code: None,
            request_id: None,
            delete_marker: false,
            retry_after: None,
            sent,
            detail: detail.to_string(),
        }
    }

    /// An answer that was no success.
    pub(crate) fn answered(class: FailureClass, status: u16, code: Option<String>) -> Self {
        Self { status: Some(status), code, sent: Sent::Yes, ..Self::new(class, "") }
    }

    /// What only evidence tells.
    pub(crate) fn with(self, evidence: Evidence) -> Self {
        let Evidence { sent, request_id, delete_marker, retry_after, .. } = evidence;
        Self { sent, request_id, delete_marker, retry_after, ..self }
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

    /// It may have taken effect all the same: sent, and no answer heard that says otherwise.
    pub(crate) fn may_have_been_done(&self) -> bool {
        let unheard =
            matches!(self.class, FailureClass::Timeout | FailureClass::Interrupted | FailureClass::Unavailable | FailureClass::Unknown);
        unheard && self.sent != Sent::No
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

impl From<FailureClass> for Outcome {
    fn from(class: FailureClass) -> Self {
        match class {
            FailureClass::Connect => Self::Connect,
            FailureClass::Timeout => Self::Timeout,
            FailureClass::Interrupted => Self::Interrupted,
            FailureClass::Unavailable => Self::Unavailable,
            FailureClass::Throttled => Self::Throttled,
            FailureClass::Unauthorized => Self::Unauthorized,
            FailureClass::Misconfigured => Self::Misconfigured,
            FailureClass::NotFound => Self::NotFound,
            FailureClass::Precondition => Self::Precondition,
            FailureClass::Conflict => Self::Conflict,
            FailureClass::NotModified => Self::NotModified,
            FailureClass::Caller => Self::Caller,
            FailureClass::Unknown => Self::Unknown,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, &self.code) {
            (Some(status), Some(code)) => write!(f, "{status} {code}"),
            (None, Some(code)) => write!(f, "{}: {code}, {}", self.class, self.detail),
            (Some(status), None) => write!(f, "{status} ({})", self.class),
            _ => write!(f, "{}: {}", self.class, self.detail),
        }?;
        self.request_id.as_ref().map_or(Ok(()), |id| write!(f, ", request {id}"))
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
            Self::Conflict => "another write is under way",
            Self::NotModified => "not modified",
            Self::Caller => "bad request",
            Self::Unknown => "failed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_and_snapshots_have_one_word_for_each_class() {
        use FailureClass::*;
        for class in [Connect, Timeout, Interrupted, Unavailable, Throttled, Unauthorized, Misconfigured] {
            assert!(Outcome::from(class).is_failing(), "{class}");
            assert_eq!(serde_json::to_value(class).unwrap(), Outcome::from(class).label());
        }
        for class in [NotFound, Precondition, Conflict, NotModified, Caller, Unknown] {
            assert_eq!(serde_json::to_value(class).unwrap(), Outcome::from(class).label());
        }
    }
}
