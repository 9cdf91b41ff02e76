//! From an error to what it means: the only walk down an error's source chain.
//!
//! object_store hides the status of a failed request: the types that hold it are private. What is left is their text, and text
//! is dangerous, because keys and bodies are in it: a key named `SlowDown/503` must not look like an overload. So the text of an
//! error is read only where its own words begin, at the innermost error, which never contains the key:
//!
//! 1. variants that no server has anything to do with are the caller's own;
//! 2. walking down the sources, the first transport error (by type) or answer (by its first words) decides;
//! 3. where there is neither, as in stores that speak no HTTP, the outer variant decides.
//!
//! A 404, 304 or 412 is news about the object only where the outer variant says so too: the same statuses come from metadata and
//! token services when credentials are fetched, and from listings of a bucket that does not exist.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use super::codes;
use crate::error::{AttemptReport, FailoverError};
use crate::failure::{Failure, FailureClass};

impl Failure {
    /// What an error of any object store means.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        if let Some(story) = FailoverError::find(error) {
            return Self::of_story(story);
        }
        let class = outer_class(error);
        if class == Some(FailureClass::Caller) {
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
    /// What an error of our own means: for a caller that has a loop of its own above ours.
    fn of_story(story: &FailoverError) -> Self {
        let class = match story {
            FailoverError::AllRegionsFailed { attempts, .. } => {
                let failures: Vec<_> = attempts.iter().filter_map(AttemptReport::failure).collect();
                let telling = failures.iter().rev().find(|failure| failure.is_transient()).or_else(|| failures.last());
                return telling.map_or_else(|| Self::new(FailureClass::Unknown, story), |failure| (*failure).clone());
            }
            FailoverError::DeadlineExceeded { .. } => FailureClass::Timeout,
            FailoverError::CircuitsOpen { .. } | FailoverError::Undecided { .. } => FailureClass::Unavailable,
            FailoverError::ReplicaDiverged { .. } | FailoverError::BodyLost { .. } => FailureClass::Interrupted,
            FailoverError::TornRead { .. } => FailureClass::Precondition,
            FailoverError::WritesDisabled { .. } => FailureClass::Caller,
        };
        Self::new(class, story)
    }
}

/// What the outer variant alone says; None where it says nothing.
fn outer_class(error: &Error) -> Option<FailureClass> {
    Some(match error {
        Error::NotFound { .. } => FailureClass::NotFound,
        Error::Precondition { .. } => FailureClass::Precondition,
        Error::NotModified { .. } => FailureClass::NotModified,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => FailureClass::Unauthorized,
        Error::InvalidPath { .. } | Error::NotSupported { .. } | Error::NotImplemented { .. } | Error::UnknownConfigurationKey { .. } => {
            FailureClass::Caller
        }
        _ => return None,
    })
}

/// What one error of the chain says, where it says anything.
fn from_node(node: &(dyn StdError + 'static), outer: Option<FailureClass>) -> Option<Failure> {
    if let Some(transport) = node.downcast_ref::<HttpError>() {
        return Some(Failure::new(transport_class(transport.kind()), innermost(node)));
    }
    if let Some(io) = node.downcast_ref::<io::Error>() {
        return io_class(io.kind()).filter(|_| outer.is_none()).map(|class| Failure::new(class, node));
    }
    // The outer error's own text contains the key.
    if node.is::<Error>() { None } else { from_words(&node.to_string(), outer) }
}

/// What an error says in its first words.
fn from_words(words: &str, outer: Option<FailureClass>) -> Option<Failure> {
    if let Some(answer) = words.strip_prefix("Server returned non-2xx status code: ") {
        return from_answer(answer, outer);
    }
    if let Some(body) = words.strip_prefix("Server returned error response: ") {
        // A 200 whose body is an error: the work was not done.
        let code = provider_code(body);
        let class = codes::class(500, code.as_deref(), false);
        return Some(Failure { class, status: None, code, detail: "error in a response of status 200".into() });
    }
    let redirect = words.starts_with("Received redirect without LOCATION");
    let bad_range = words.starts_with("Wanted range starting at ") || words.starts_with("Range started at ");
    match (redirect, bad_range) {
        (true, _) => {
            Some(Failure { status: Some(301), ..Failure::new(FailureClass::Misconfigured, "redirect: wrong region for this bucket?") })
        }
        (_, true) => Some(Failure::new(FailureClass::Caller, words)),
        _ => None,
    }
}

/// `503 Service Unavailable: <body>`.
fn from_answer(answer: &str, outer: Option<FailureClass>) -> Option<Failure> {
    let status: u16 = answer.get(..3)?.parse().ok()?;
    let code = answer.split_once(": ").and_then(|(_, body)| provider_code(body));
    let found = codes::class(status, code.as_deref(), outer == Some(FailureClass::NotFound));
    let about_object = matches!(found, FailureClass::NotModified | FailureClass::Precondition);
    let class = if about_object && outer != Some(found) { FailureClass::Misconfigured } else { found };
    Some(Failure { class, status: Some(status), code, detail: String::new() })
}

/// `<Code>SlowDown</Code>` in an XML body.
fn provider_code(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let plain = !code.is_empty() && code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    plain.then(|| code.to_owned())
}

fn transport_class(kind: HttpErrorKind) -> FailureClass {
    match kind {
        HttpErrorKind::Connect => FailureClass::Connect,
        HttpErrorKind::Timeout => FailureClass::Timeout,
        HttpErrorKind::Request | HttpErrorKind::Interrupted | HttpErrorKind::Decode => FailureClass::Interrupted,
        _ => FailureClass::Unknown,
    }
}

fn io_class(kind: ErrorKind) -> Option<FailureClass> {
    Some(match kind {
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => FailureClass::Connect,
        ErrorKind::TimedOut => FailureClass::Timeout,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
            FailureClass::Interrupted
        }
        _ => return None,
    })
}

/// The text of the last error of the chain, in one line of bearable length.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let line: String = last.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(DETAIL_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// A line in a log that names every region is still a line.
const DETAIL_MAX: usize = 160;
