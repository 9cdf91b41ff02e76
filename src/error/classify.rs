//! Classification of `object_store` errors, by wire [`Evidence`] or by the error's source chain.
//!
//! ## Without evidence
//!
//! `object_store` hides the status of a failed request: the types that hold it are private. Only
//! their text remains, and text may contain keys and bodies: a key named `SlowDown/503` must not
//! look like throttling. The text is therefore matched only at the start of an inner error, which
//! never contains the key:
//!
//! 1. Outer variants that need no server are errors of the caller.
//! 2. Along the source chain, the first transport error (by type) or response (by the start of its
//!    text) decides.
//! 3. Without either, as in stores without HTTP, the outer variant decides.
//!
//! ## Statuses of other requests
//!
//! A 404, 304 or 412 describes the object only if the outer variant agrees. The same statuses come
//! from metadata and token services that provide credentials, and from a missing bucket. If
//! evidence and variant disagree, they belong to different requests, and the source chain decides.

use std::error::Error as StdError;
use std::io;

use object_store::Error;
use object_store::client::HttpError;

use super::codes;
use super::{AttemptReport, Evidence, FailoverError, Failure, SendState, provider_code};
use crate::types::FailureClass;

impl Failure {
    /// Classifies the error of an attempt with its wire evidence, if recorded.
    pub(crate) fn classify(error: &Error, evidence: Option<Evidence>) -> Self {
        let Some(evidence) = evidence else {
            return Self::of(error);
        };
        let outer = outer_class(error);
        let failure = match (evidence.status, evidence.transport) {
            _ if outer == Some(FailureClass::Caller) => Self::of(error),
            // The body was missing or broke. Only the error describes how.
            (Some(200..300), _) => Self::of(error).after_success_status(outer),
            (None, None) => Self::of(error),
            (Some(status), _) if object_status(status) != outer.filter(is_object_status) => {
                Self::of(error)
            }
            (Some(status), _) => from_status(status, evidence.code.clone(), outer),
            (None, Some(kind)) => Self::new(codes::class_of_transport(kind), innermost(error)),
        };
        failure.with_evidence(evidence)
    }

    /// The region accepted the request, so an invalid response is not the caller's error.
    fn after_success_status(self, outer: Option<FailureClass>) -> Self {
        if outer.is_none() && self.class == FailureClass::Caller {
            Self {
                class: FailureClass::Interrupted,
                ..self
            }
        } else {
            self
        }
    }

    /// Classifies an error of any object store.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        if let Some(error) = FailoverError::find(error) {
            return Self::from_failover_error(error);
        }
        let class = outer_class(error);
        if class == Some(FailureClass::Caller) && !matches!(error, Error::AlreadyExists { .. }) {
            return Self::new(FailureClass::Caller, innermost(error));
        }
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(node) = next {
            if let Some(failure) = from_node(node, class) {
                return failure;
            }
            next = node.source();
        }
        Self::new(class.unwrap_or(FailureClass::Unknown), innermost(error))
    }
}

impl Failure {
    /// Classifies an error of this crate, for callers with retries of their own.
    fn from_failover_error(error: &FailoverError) -> Self {
        let class = match error {
            FailoverError::AllRegionsFailed { attempts, .. } => {
                let failures: Vec<_> = attempts.iter().filter_map(AttemptReport::failure).collect();
                // The last transient failure decides, so that the caller may retry.
                let decisive = failures
                    .iter()
                    .rev()
                    .find(|failure| failure.is_transient())
                    .or_else(|| failures.last());
                return decisive.map_or_else(
                    || Self::new(FailureClass::Unknown, error),
                    |failure| (*failure).clone(),
                );
            }
            FailoverError::DeadlineExceeded { .. } => FailureClass::Timeout,
            FailoverError::CircuitsOpen { .. } | FailoverError::Undecided { .. } => {
                FailureClass::Unavailable
            }
            FailoverError::ReplicaDiverged { .. }
            | FailoverError::BodyLost { .. }
            | FailoverError::ListingLost { .. }
            | FailoverError::ListingOutOfOrder { .. } => FailureClass::Interrupted,
            FailoverError::TornRead { .. } => FailureClass::Precondition,
            FailoverError::Indeterminate { cause, .. } => return cause.clone(),
            FailoverError::WritesDisabled { .. }
            | FailoverError::HomeRequired { .. }
            | FailoverError::NoRegionAllowed { .. } => FailureClass::Caller,
        };
        Self::new(class, error)
    }
}

/// The class of the outer variant alone, if it implies one.
fn outer_class(error: &Error) -> Option<FailureClass> {
    Some(match error {
        Error::NotFound { .. } => FailureClass::NotFound,
        Error::Precondition { .. } => FailureClass::Precondition,
        Error::NotModified { .. } => FailureClass::NotModified,
        Error::AlreadyExists { .. } => FailureClass::Caller,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            FailureClass::Unauthorized
        }
        // A plain HTTP server without range support. Another region may support ranges.
        Error::NotSupported { source }
            if source
                .to_string()
                .starts_with("Range request not supported by ") =>
        {
            FailureClass::Misconfigured
        }
        Error::InvalidPath { .. }
        | Error::NotSupported { .. }
        | Error::NotImplemented { .. }
        | Error::UnknownConfigurationKey { .. } => FailureClass::Caller,
        _ => return None,
    })
}

/// The failure described by one error of the source chain, if any.
fn from_node(node: &(dyn StdError + 'static), outer: Option<FailureClass>) -> Option<Failure> {
    if let Some(transport) = node.downcast_ref::<HttpError>() {
        return Some(Failure::new(
            codes::class_of_transport(transport.kind()),
            innermost(node),
        ));
    }
    if let Some(io) = node.downcast_ref::<io::Error>() {
        return codes::class_of_io(io.kind())
            .filter(|_| outer.is_none())
            .map(|class| Failure::new(class, node));
    }
    // The text of an `object_store::Error` contains the key.
    if node.is::<Error>() {
        None
    } else {
        from_text(&node.to_string(), outer)
    }
}

/// The failure described by the start of an error's text.
fn from_text(text: &str, outer: Option<FailureClass>) -> Option<Failure> {
    if let Some(response) = text.strip_prefix("Server returned non-2xx status code: ") {
        return from_response_text(response, outer);
    }
    if let Some(body) = text.strip_prefix("Server returned error response: ") {
        // A 200 with an error as its body: the operation was not executed.
        let code = provider_code(body).map(str::to_owned);
        let class = codes::class(500, code.as_deref(), false);
        let failure = Failure::new(class, "error in a response of status 200");
        return Some(Failure {
            code,
            sent: SendState::Yes,
            ..failure
        });
    }
    if let Some((class, fault)) = header_fault(text) {
        return Some(Failure {
            sent: SendState::Yes,
            ..Failure::new(class, single_line(fault))
        });
    }
    let is_redirect = text.starts_with("Received redirect without LOCATION");
    if is_redirect {
        return Some(Failure::with_status(FailureClass::Misconfigured, 301, None));
    }
    let is_bad_range =
        text.starts_with("Wanted range starting at ") || text.starts_with("Range started at ");
    is_bad_range.then(|| Failure::new(FailureClass::Caller, single_line(text)))
}

/// Class and text of an error about response headers. The value of a header is left out of the
/// text.
///
/// A response that does not belong to the request is a fault of the region or of a proxy, like a
/// broken body. Attributes of an object are chosen by its writer and equal in all replicas, so they
/// count against a region only once another region serves the same object.
fn header_fault(text: &str) -> Option<(FailureClass, &str)> {
    let other_range = text
        .strip_prefix("Requested ")
        .and_then(|ranges| ranges.split_once(", got "));
    if other_range.is_some_and(|(requested, got)| is_range(requested) && is_range(got)) {
        return Some((FailureClass::Interrupted, text));
    }
    let find = |texts: &[&'static str], class| {
        let fault = texts.iter().find(|fault| text.starts_with(**fault))?;
        Some((class, *fault))
    };
    find(&INVALID_RESPONSE_TEXTS, FailureClass::Interrupted)
        .or_else(|| find(&INVALID_ATTRIBUTE_TEXTS, FailureClass::Misconfigured))
}

/// A range like `0..3`.
fn is_range(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once("..")
        .is_some_and(|(start, end)| is_number(start) && is_number(end))
}

/// Parses `503 Service Unavailable: <body>`.
fn from_response_text(response: &str, outer: Option<FailureClass>) -> Option<Failure> {
    let status: u16 = response.get(..3)?.parse().ok()?;
    let code = response
        .split_once(": ")
        .and_then(|(_, body)| provider_code(body));
    Some(from_status(status, code.map(str::to_owned), outer))
}

/// Classifies a response by status, code and outer variant.
fn from_status(status: u16, code: Option<String>, outer: Option<FailureClass>) -> Failure {
    let is_object_request = matches!(
        outer,
        Some(FailureClass::NotFound | FailureClass::Precondition)
    );
    let by_status = codes::class(status, code.as_deref(), is_object_request);
    let is_about_object = matches!(
        by_status,
        FailureClass::NotModified | FailureClass::Precondition
    );
    let class = match outer {
        // The object exists already, unless the code has another reason for the 409.
        Some(FailureClass::Caller)
            if !matches!(
                by_status,
                FailureClass::Conflict | FailureClass::Unsupported | FailureClass::Misconfigured
            ) =>
        {
            FailureClass::Caller
        }
        // S3 responds 404 to a conditional update of a missing object.
        Some(FailureClass::Precondition) if by_status == FailureClass::NotFound => {
            FailureClass::Precondition
        }
        _ if is_about_object && outer != Some(by_status) => FailureClass::Misconfigured,
        _ => by_status,
    };
    Failure::with_status(class, status, code)
}

/// The class of a status that describes an object, if the request was about one.
fn object_status(status: u16) -> Option<FailureClass> {
    Some(match status {
        304 => FailureClass::NotModified,
        404 => FailureClass::NotFound,
        412 => FailureClass::Precondition,
        _ => return None,
    })
}

fn is_object_status(class: &FailureClass) -> bool {
    matches!(
        class,
        FailureClass::NotModified | FailureClass::NotFound | FailureClass::Precondition
    )
}

/// The text of the innermost error, in one line of at most [`DETAIL_MAX`] characters.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    single_line(&last.to_string())
}

/// The text without line breaks and control characters.
fn single_line(text: &str) -> String {
    let words: Vec<_> = text
        .split(|char: char| char.is_whitespace() || char.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(DETAIL_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// Keeps a log line with the failures of all regions readable.
const DETAIL_MAX: usize = 160;

/// Errors about a response that does not belong to the request, or that `object_store` cannot
/// parse.
const INVALID_RESPONSE_TEXTS: [&str; 10] = [
    "Received non-partial response when range requested",
    "Content-Range header not present in partial response",
    "Content-Range header contained non UTF-8 characters",
    "Failed to parse value for CONTENT_RANGE header",
    "ETag Header missing from response",
    "Last-Modified Header missing from response",
    "Content-Length Header missing from response",
    "Invalid last modified",
    "Invalid content length",
    "Received header containing non-ASCII data",
];

/// A response of status 200 that S3, Google Cloud Storage or Azure would not send for an object: a
/// login page, a maintenance page.
pub(crate) const NO_IDENTITY: &str = "the response has neither ETag nor Last-Modified";

/// Errors about object attributes that are not text, and responses without an object: they count
/// against a region once another region serves the object.
const INVALID_ATTRIBUTE_TEXTS: [&str; 7] = [
    NO_IDENTITY,
    "Cache-Control header contained non UTF-8 characters",
    "Content-Disposition header contained non UTF-8 characters",
    "Content-Encoding header contained non UTF-8 characters",
    "Content-Language header contained non UTF-8 characters",
    "Content-Type header contained non UTF-8 characters",
    "Metadata value for ",
];
