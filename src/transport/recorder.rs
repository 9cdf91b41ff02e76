//! The recorder of one attempt, and the task-local by which requests find it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::HeaderValue;
#[cfg(feature = "_internals")]
use object_store::client::HttpErrorKind;
use parking_lot::Mutex;

use crate::error::{Evidence, SendState};

/// Collects the evidence of one attempt.
#[derive(Debug, Default)]
pub(crate) struct WireRecorder {
    pub(super) record: Mutex<WireRecord>,
    /// Outside of the lock, because each part of a body adds to it.
    pub(super) bytes: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct WireRecord {
    pub(super) evidence: Evidence,
    /// Requests that were certainly not sent. Those without a response that are not counted here
    /// may have arrived, also if they were dropped.
    pub(super) unsent: u32,
    pub(super) responses: u32,
    /// The raw header: most ids are never read.
    pub(super) request_id: Option<HeaderValue>,
    /// The number of the request that `evidence` is about.
    #[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
    pub(super) last: u32,
}

impl WireRecorder {
    pub(crate) fn evidence(&self) -> Evidence {
        let record = self.record.lock();
        let sent = match record.evidence.requests {
            _ if record.responses > 0 => SendState::Yes,
            requests if requests > record.unsent => SendState::Maybe,
            _ => SendState::No,
        };
        let bytes = self.bytes.load(Ordering::Relaxed);
        let request_id = record
            .request_id
            .as_ref()
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        let mut evidence = Evidence {
            sent,
            bytes,
            ..record.evidence.clone()
        };
        evidence.request_id = request_id.or(evidence.request_id);
        evidence
    }

    /// The status of the last response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.record.lock().evidence.status
    }
}

#[cfg(feature = "_internals")]
impl WireRecorder {
    /// A simulated request was sent.
    pub(crate) fn on_simulated_request(&self) {
        self.record.lock().evidence.requests += 1;
    }

    /// It received a response, or failed.
    pub(crate) fn on_simulated_response(&self, evidence: Evidence) {
        let mut record = self.record.lock();
        record.responses += u32::from(evidence.status.is_some());
        record.unsent += u32::from(evidence.transport == Some(HttpErrorKind::Connect));
        record.evidence = Evidence {
            requests: record.evidence.requests,
            ..evidence
        };
    }
}

tokio::task_local! {
    /// The recorder of the attempt that is being polled; None within requests for credentials.
    pub(super) static CURRENT: Option<Arc<WireRecorder>>;
}

/// An attempt, and the recorder of what it does on the wire. For stores that do not record it is
/// None, without an allocation.
pub(crate) fn watch<'a, A: 'a>(
    records_wire: bool,
    attempt: impl FnOnce() -> BoxFuture<'a, A>,
) -> (Option<Arc<WireRecorder>>, BoxFuture<'a, A>) {
    if !records_wire {
        return (None, attempt());
    }
    let recorder = Arc::new(WireRecorder::default());
    let current = Some(Arc::clone(&recorder));
    // Scoped twice: a request may start while the future is created, and while it is polled.
    let future = CURRENT.sync_scope(current.clone(), attempt);
    (Some(recorder), CURRENT.scope(current, future).boxed())
}

/// As [`watch`], for an attempt that the request may not support.
pub(crate) fn watch_some<'a, A: 'a>(
    records_wire: bool,
    attempt: impl FnOnce() -> Option<BoxFuture<'a, A>>,
) -> Option<(Option<Arc<WireRecorder>>, BoxFuture<'a, A>)> {
    let recorder = records_wire.then(|| Arc::new(WireRecorder::default()));
    let future = CURRENT.sync_scope(recorder.clone(), attempt)?;
    Some(match recorder {
        Some(recorder) => (
            Some(Arc::clone(&recorder)),
            CURRENT.scope(Some(recorder), future).boxed(),
        ),
        None => (None, future),
    })
}

/// The recorder of the attempt that is being created or polled.
#[cfg(any(
    feature = "aws",
    feature = "azure",
    feature = "gcp",
    feature = "http",
    feature = "_internals"
))]
pub(crate) fn current() -> Option<Arc<WireRecorder>> {
    CURRENT.try_with(Option::clone).ok().flatten()
}
