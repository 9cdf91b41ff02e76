//! A classified failure.

use std::fmt;
use std::time::Duration;

use super::{Evidence, SendState};
use crate::types::{FailureClass, Verdict};

/// A classified error of an object store.
///
/// Also useful without a `FailoverStore`: `object_store` hides the status of a failed request, and
/// [`Failure::of`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub(crate) class: FailureClass,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) delete_marker: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) sent: SendState,
    pub(crate) detail: String,
    /// A 404 without a mark of the provider: it may be that of a proxy or another server.
    pub(crate) is_foreign: bool,
}

impl Failure {
    /// The class.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        self.class
    }

    /// Whether the region rejected the request because of its rate.
    #[must_use]
    pub fn is_throttle(&self) -> bool {
        self.class == FailureClass::Throttled
    }

    /// Whether the same request may succeed when it is repeated.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.is_transport()
            || matches!(
                self.class,
                FailureClass::Unavailable | FailureClass::Throttled | FailureClass::Conflict
            )
    }

    /// The HTTP status, if there was a response.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.status
    }

    /// The provider's code, like `SlowDown`, if the response had one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The provider's request id, for its support. Only in stores built from a document.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Whether the object was deleted, rather than never written: a 404 with a delete marker. Only
    /// in stores built from a document.
    #[must_use]
    pub fn is_delete_marker(&self) -> bool {
        self.delete_marker && self.class == FailureClass::NotFound
    }

    /// The region's `Retry-After`, at most a year; zero for a date in the past. Dates are relative
    /// to the `Date` of the response.
    ///
    /// `None` without a valid header, and in stores that were not built from a document.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the request may have reached the region. `Maybe` if that is unknown.
    #[must_use]
    pub fn sent(&self) -> SendState {
        self.sent
    }

    /// A failure without a response.
    pub(crate) fn new(class: FailureClass, detail: impl ToString) -> Self {
        let sent = if class == FailureClass::Connect {
            SendState::No
        } else {
            SendState::Maybe
        };
        Self {
            class,
            status: None,
            code: None,
            request_id: None,
            delete_marker: false,
            retry_after: None,
            sent,
            detail: detail.to_string(),
            is_foreign: false,
        }
    }

    /// A response that was no success.
    pub(crate) fn with_status(class: FailureClass, status: u16, code: Option<String>) -> Self {
        Self {
            status: Some(status),
            code,
            sent: SendState::Yes,
            ..Self::new(class, "")
        }
    }

    /// Adds what only evidence contains.
    pub(crate) fn with_evidence(self, evidence: Evidence) -> Self {
        let Evidence {
            sent,
            request_id,
            delete_marker,
            retry_after,
            ..
        } = evidence;
        Self {
            sent,
            request_id,
            delete_marker,
            retry_after,
            ..self
        }
    }

    /// Replaces one class by another, in the context of a request.
    pub(crate) fn reclassify(self, from: FailureClass, to: FailureClass) -> Self {
        if self.class == from {
            Self { class: to, ..self }
        } else {
            self
        }
    }

    /// There was no complete response.
    pub(crate) fn is_transport(&self) -> bool {
        matches!(
            self.class,
            FailureClass::Connect | FailureClass::Timeout | FailureClass::Interrupted
        )
    }

    /// What the failure means for the circuit of its region.
    pub(crate) fn verdict(&self) -> Verdict {
        match self.class {
            FailureClass::Connect
            | FailureClass::Timeout
            | FailureClass::Interrupted
            | FailureClass::Unavailable
            | FailureClass::Unknown => Verdict::Failure,
            FailureClass::Throttled => Verdict::Throttled,
            // The request may be at fault: it counts once another region serves it.
            FailureClass::Unauthorized | FailureClass::Misconfigured => Verdict::Deferred,
            FailureClass::NotFound
            | FailureClass::Unsupported
            | FailureClass::Precondition
            | FailureClass::Conflict
            | FailureClass::NotModified
            | FailureClass::Caller => Verdict::Success,
        }
    }

    /// The operation may have taken effect: it may have been sent, and no response denies it.
    pub(crate) fn may_have_taken_effect(&self) -> bool {
        let is_unconfirmed = matches!(
            self.class,
            FailureClass::Timeout
                | FailureClass::Interrupted
                | FailureClass::Unavailable
                | FailureClass::Unknown
        );
        is_unconfirmed && self.sent != SendState::No
    }

    /// The response is final: it is returned to the caller.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self.class, FailureClass::NotModified | FailureClass::Caller)
    }

    /// A 404 that a provider marked as its own, by its code or a request id. A 404 without a mark
    /// may come from a proxy or another server at that address.
    pub(crate) fn is_marked(&self) -> bool {
        self.code.is_some() || self.request_id.is_some()
    }

    /// The region does not have the requested object or version. Another region may have it.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(
            self.class,
            FailureClass::NotFound | FailureClass::Precondition
        )
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
        self.request_id
            .as_ref()
            .map_or(Ok(()), |id| write!(f, ", request {id}"))
    }
}
