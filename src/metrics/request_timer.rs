//! Counts and times one call of the store.

use super::Metrics;
use super::labels::RequestResult;
use crate::runtime::clock::{self, Instant};
use crate::types::Operation;

/// A call in progress. It is counted once: by [`finish`](Self::finish), or as cancelled when it is
/// dropped.
#[derive(Debug)]
#[must_use = "a call that is dropped at once was cancelled"]
pub(crate) struct RequestTimer<'a> {
    metrics: &'a Metrics,
    operation: Operation,
    started_at: Instant,
    /// When the response arrived. None: its duration ends with `finish`.
    served_at: Option<Instant>,
    is_finished: bool,
}

impl<'a> RequestTimer<'a> {
    pub(super) fn new(metrics: &'a Metrics, operation: Operation) -> Self {
        metrics.totals.requests.add_one();
        Self {
            metrics,
            operation,
            started_at: clock::now(),
            served_at: None,
            is_finished: false,
        }
    }

    pub(crate) fn started_at(&self) -> Instant {
        self.started_at
    }

    /// A region responded at this time.
    pub(crate) fn served(&mut self, at: Instant) {
        self.served_at = Some(at);
    }

    /// Records the result of the call.
    pub(crate) fn finish(mut self, result: RequestResult) {
        let now = self.served_at.unwrap_or_else(clock::now);
        self.is_finished = true;
        self.metrics.on_request_ended(
            self.operation,
            result,
            Some(now.saturating_duration_since(self.started_at)),
        );
    }
}

impl Drop for RequestTimer<'_> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.metrics
                .on_request_ended(self.operation, RequestResult::Cancelled, None);
        }
    }
}
