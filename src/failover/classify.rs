//! From an error to what it means: by [evidence](crate::evidence) where there is some, and else by the only walk down an error's
//! source chain. Both end in the same table.
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
//! token services when credentials are fetched, and from listings of a bucket that does not exist. Where evidence and variant
//! disagree about that, they are not about the same request, and the walk decides.

use std::error::Error as StdError;
use std::io;

use object_store::Error;
use object_store::client::HttpError;

use super::codes;
use crate::error::{AttemptReport, FailoverError};
use crate::evidence::{Evidence, Sent, provider_code};
use crate::failure::{Failure, FailureClass};

impl Failure {
    /// What the error of an attempt means, of which this was seen on the wire.
    pub(crate) fn seen(error: &Error, evidence: Option<Evidence>) -> Self {
        let Some(evidence) = evidence else { return Self::of(error) };
        let outer = outer_class(error);
        let failure = match (evidence.status, evidence.transport) {
            _ if outer == Some(FailureClass::Caller) => Self::of(error),
            // A success whose body was none, or broke: only the error knows.
            (Some(200..300), _) => Self::of(error).in_a_success(outer),
            (None, None) => Self::of(error),
            (Some(status), _) if news(status) != outer.filter(is_news) => Self::of(error),
            (Some(status), _) => from_status(status, evidence.code.clone(), outer),
            (None, Some(kind)) => Self::new(codes::class_of_transport(kind), innermost(error)),
        };
        failure.with(evidence)
    }

    /// The region has said yes: what is wrong with its answer is not the caller's mistake.
    fn in_a_success(self, outer: Option<FailureClass>) -> Self {
        if outer.is_none() && self.class == FailureClass::Caller { Self { class: FailureClass::Interrupted, ..self } } else { self }
    }

    /// What an error of any object store means.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        if let Some(story) = FailoverError::find(error) {
            return Self::of_story(story);
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
            FailoverError::ReplicaDiverged { .. }
            | FailoverError::BodyLost { .. }
            | FailoverError::ListingLost { .. }
            | FailoverError::ListingOutOfOrder { .. } => FailureClass::Interrupted,
            FailoverError::TornRead { .. } => FailureClass::Precondition,
            FailoverError::Indeterminate { cause, .. } => return cause.clone(),
            FailoverError::WritesDisabled { .. } | FailoverError::HomeRequired { .. } | FailoverError::NoRegionAllowed { .. } => {
                FailureClass::Caller
            }
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
        Error::AlreadyExists { .. } => FailureClass::Caller,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => FailureClass::Unauthorized,
        // A plain HTTP server that knows no ranges: another region may.
        Error::NotSupported { source } if source.to_string().starts_with("Range request not supported by ") => FailureClass::Misconfigured,
        Error::InvalidPath { .. } | Error::NotSupported { .. } | Error::NotImplemented { .. } | Error::UnknownConfigurationKey { .. } => {
            FailureClass::Caller
        }
        _ => return None,
    })
}

/// What one error of the chain says, where it says anything.
fn from_node(node: &(dyn StdError + 'static), outer: Option<FailureClass>) -> Option<Failure> {
    if let Some(transport) = node.downcast_ref::<HttpError>() {
        return Some(Failure::new(codes::class_of_transport(transport.kind()), innermost(node)));
    }
    if let Some(io) = node.downcast_ref::<io::Error>() {
        return codes::class_of_io(io.kind()).filter(|_| outer.is_none()).map(|class| Failure::new(class, node));
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
        let code = provider_code(body).map(str::to_owned);
        let class = codes::class(500, code.as_deref(), false);
        let failure = Failure::new(class, "error in a response of status 200");
        return Some(Failure { code, sent: Sent::Yes, ..failure });
    }
    if let Some((class, fault)) = fault_of_head(words) {
        return Some(Failure { sent: Sent::Yes, ..Failure::new(class, one_line(fault)) });
    }
    let redirect = words.starts_with("Received redirect without LOCATION");
    let bad_range = words.starts_with("Wanted range starting at ") || words.starts_with("Range started at ");
    match (redirect, bad_range) {
        (true, _) => Some(Failure::answered(FailureClass::Misconfigured, 301, None)),
        (_, true) => Some(Failure::new(FailureClass::Caller, one_line(words))),
        _ => None,
    }
}

/// What object_store cannot accept in the head of a success, and its own words for it; what the header says is left out.
///
/// An answer that is not the one to the request is the region's fault, like a body that breaks: a proxy or a broken server stands there.
/// The attributes of an object are another matter. Its writer chose them, and every replica has them: they are held against a region only
/// once another one has given the same object.
fn fault_of_head(words: &str) -> Option<(FailureClass, &str)> {
    let other_range = words.strip_prefix("Requested ").and_then(|ranges| ranges.split_once(", got "));
    if other_range.is_some_and(|(wanted, got)| is_range(wanted) && is_range(got)) {
        return Some((FailureClass::Interrupted, words));
    }
    let is_said = |fault: &&&str| words.starts_with(**fault);
    let lie = LIES.iter().find(is_said).map(|fault| (FailureClass::Interrupted, *fault));
    lie.or_else(|| ATTRIBUTES.iter().find(is_said).map(|fault| (FailureClass::Misconfigured, *fault)))
}

/// `0..3`
fn is_range(text: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once("..").is_some_and(|(start, end)| number(start) && number(end))
}

/// `503 Service Unavailable: <body>`.
fn from_answer(answer: &str, outer: Option<FailureClass>) -> Option<Failure> {
    let status: u16 = answer.get(..3)?.parse().ok()?;
    let code = answer.split_once(": ").and_then(|(_, body)| provider_code(body));
    Some(from_status(status, code.map(str::to_owned), outer))
}

/// What an answer means, however it was found.
fn from_status(status: u16, code: Option<String>, outer: Option<FailureClass>) -> Failure {
    let may_lack = matches!(outer, Some(FailureClass::NotFound | FailureClass::Precondition));
    let found = codes::class(status, code.as_deref(), may_lack);
    let about_object = matches!(found, FailureClass::NotModified | FailureClass::Precondition);
    let class = match outer {
        // "It exists already", unless another write of the key is only under way.
        Some(FailureClass::Caller) if found != FailureClass::Conflict => FailureClass::Caller,
        // S3 says 404 where there is nothing to update; object_store calls it what it is.
        Some(FailureClass::Precondition) if found == FailureClass::NotFound => FailureClass::Precondition,
        _ if about_object && outer != Some(found) => FailureClass::Misconfigured,
        _ => found,
    };
    Failure::answered(class, status, code)
}

/// What a status says about an object, if the request was about one.
fn news(status: u16) -> Option<FailureClass> {
    Some(match status {
        304 => FailureClass::NotModified,
        404 => FailureClass::NotFound,
        412 => FailureClass::Precondition,
        _ => return None,
    })
}

fn is_news(class: &FailureClass) -> bool {
    matches!(class, FailureClass::NotModified | FailureClass::NotFound | FailureClass::Precondition)
}

/// The text of the last error of the chain, in one line of bearable length.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    one_line(&last.to_string())
}

/// The text without what would end a line, or draw in a terminal.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(DETAIL_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// A line in a log that names every region is still a line.
const DETAIL_MAX: usize = 160;

/// Not the answer to the request, or none that object_store can read.
const LIES: [&str; 10] = [
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

/// Attributes of an object that are no text.
const ATTRIBUTES: [&str; 6] = [
    "Cache-Control header contained non UTF-8 characters",
    "Content-Disposition header contained non UTF-8 characters",
    "Content-Encoding header contained non UTF-8 characters",
    "Content-Language header contained non UTF-8 characters",
    "Content-Type header contained non UTF-8 characters",
    "Metadata value for ",
];
