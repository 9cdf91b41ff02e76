//! What was seen on the wire: exact, where the text of an error is a guess that a new version may spoil.
//!
//! object_store hides the status of a failed request behind private types. A store that we build has a connector (`connector.rs`) of
//! ours under it, which sees every request and answer, and writes what it sees into the [`Recorder`] of the attempt that made the
//! request. It finds the recorder in a task-local that is set around each poll of the attempt. (The extensions of a request would do for
//! gets and puts; they are two hash tables for each, and listings, deletes and parts have none.)
//!
//! Requests for credentials are no part of it: they are made outside of the task-local. So a token service that answers 404 or cannot
//! be reached says nothing about an object, and nothing was sent to the region yet.
//!
//! An attempt that has no recorder (its store was handed in) is judged by text alone. One that has gets a recorder of its own,
//! so attempts in flight at once never mix.

#[cfg(all(test, feature = "aws"))]
mod answer_tests;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
mod body;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
mod client;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
pub(crate) mod connector;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp"))]
pub(crate) mod credentials;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
mod retry_after;
#[cfg(all(test, feature = "aws"))]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::HeaderValue;
use object_store::client::HttpErrorKind;
use parking_lot::Mutex;

/// What one attempt did on the wire.
///
/// An attempt may make several requests (pages, parts, retries). `sent`, `requests` and `bytes` are of all of them; the rest is of the
/// one that ended last, because that is the one whose error the caller gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Wire requests that were begun; those for credentials do not count.
    pub(crate) requests: u32,
    pub(crate) sent: Sent,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) delete_marker: bool,
    /// How long the region asked to be left alone: a year at most.
    pub(crate) retry_after: Option<Duration>,
    /// From the moment the request was handed to the client until the head of its answer; None where none came.
    pub(crate) first_byte: Option<Duration>,
    /// Of bodies, errors included, that have come so far.
    pub(crate) bytes: u64,
    /// Why there is no status.
    pub(crate) transport: Option<HttpErrorKind>,
}

/// Whether anything of a request may have reached the region: what decides whether it is safe to send it elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Sent {
    /// No: there was no connection to send it on.
    #[default]
    No,
    /// It may have been: the connection broke, or nothing came back in time.
    Maybe,
    /// Yes: the region has answered.
    Yes,
}

/// Where the evidence of one attempt is gathered.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    record: Mutex<Record>,
    /// Outside of the lock: it is counted with each piece of a body.
    bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Record {
    seen: Evidence,
    /// Requests that certainly never left. Those that are neither answered nor this may have arrived: also one that is dropped.
    unsent: u32,
    answered: u32,
    /// As it came: most ids are never asked for.
    request_id: Option<HeaderValue>,
    /// The request that `seen` tells of.
    #[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
    last: u32,
}

impl Recorder {
    pub(crate) fn evidence(&self) -> Evidence {
        let record = self.record.lock();
        let sent = match record.seen.requests {
            _ if record.answered > 0 => Sent::Yes,
            begun if begun > record.unsent => Sent::Maybe,
            _ => Sent::No,
        };
        let bytes = self.bytes.load(Ordering::Relaxed);
        let request_id = record.request_id.as_ref().and_then(|id| id.to_str().ok()).map(str::to_owned);
        let mut seen = Evidence { sent, bytes, ..record.seen.clone() };
        seen.request_id = request_id.or(seen.request_id);
        seen
    }

    /// The status of the answer that ended last.
    pub(crate) fn status(&self) -> Option<u16> {
        self.record.lock().seen.status
    }
}

#[cfg(feature = "simulation")]
impl Recorder {
    /// A simulated region is asked.
    pub(crate) fn on_simulated_request(&self) {
        self.record.lock().seen.requests += 1;
    }

    /// It has answered, or there was nobody to answer.
    pub(crate) fn on_simulated_answer(&self, seen: Evidence) {
        let mut record = self.record.lock();
        record.answered += u32::from(seen.status.is_some());
        record.unsent += u32::from(seen.transport == Some(HttpErrorKind::Connect));
        record.seen = Evidence { requests: record.seen.requests, ..seen };
    }
}

tokio::task_local! {
    /// The recorder of the attempt that is being polled; None where what it does is not its own.
    static CURRENT: Option<Arc<Recorder>>;
}

/// One attempt, and the recorder of what it does. Where nobody would write into it there is none, and nothing is allocated.
pub(crate) fn watch<'a, A: 'a>(reports: bool, attempt: impl FnOnce() -> BoxFuture<'a, A>) -> (Option<Arc<Recorder>>, BoxFuture<'a, A>) {
    if !reports {
        return (None, attempt());
    }
    let recorder = Arc::new(Recorder::default());
    let current = Some(Arc::clone(&recorder));
    let future = CURRENT.sync_scope(current.clone(), attempt);
    (Some(recorder), CURRENT.scope(current, future).boxed())
}

/// The same, where there may be no attempt.
pub(crate) fn watch_some<'a, A: 'a>(
    reports: bool,
    attempt: impl FnOnce() -> Option<BoxFuture<'a, A>>,
) -> Option<(Option<Arc<Recorder>>, BoxFuture<'a, A>)> {
    let recorder = reports.then(|| Arc::new(Recorder::default()));
    let future = CURRENT.sync_scope(recorder.clone(), attempt)?;
    Some(match recorder {
        Some(recorder) => (Some(Arc::clone(&recorder)), CURRENT.scope(Some(recorder), future).boxed()),
        None => (None, future),
    })
}

/// The recorder of the attempt that is being made or polled.
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http", feature = "simulation"))]
pub(crate) fn current() -> Option<Arc<Recorder>> {
    CURRENT.try_with(Option::clone).ok().flatten()
}

/// `SlowDown`, in the XML body `<Error><Code>SlowDown</Code>...`.
pub(crate) fn provider_code(body: &str) -> Option<&str> {
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    is_code(code).then_some(code)
}

/// Codes are words. Anything else is somebody's text, and has no place in a log line.
fn is_code(code: &str) -> bool {
    !code.is_empty() && code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}
