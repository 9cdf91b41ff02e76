//! One attempt in flight: its future, its limits, and what is known of it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::{Error, Result};

use super::hedge::Hedge;
use crate::error::{Evidence, Failure};
use crate::health::{Permit, SilenceSignal, WaitingFor};
use crate::request::ResponseContext;
use crate::runtime::clock::{self, Instant};
use crate::transport::WireRecorder;
use crate::types::FailureClass;

/// One attempt in flight.
pub(super) struct InFlight<'a, A> {
    pub(super) attempt: Attempt,
    pub(super) future: AttemptFuture<'a, A>,
    pub(super) limit: Instant,
    /// When it counts as slow.
    pub(super) slow_at: Option<Instant>,
    /// Another region may be asked beside it.
    pub(super) is_slow: bool,
    /// When it next reports that it still waits, where silence counts.
    pub(super) report_wait_at: Option<Instant>,
    /// Resolves when the circuit of its region opens for silence.
    pub(super) silence_signal: Option<SilenceSignal>,
}

/// The future of an attempt.
pub(super) enum AttemptFuture<'a, A> {
    /// Ends with its call.
    Borrowed(BoxFuture<'a, Result<A>>),
    /// May outlive its call.
    Owned(BoxFuture<'static, Result<A>>),
}

/// What is known of an attempt besides its future.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) region: usize,
    pub(super) permit: Permit,
    pub(super) started_at: Instant,
    /// The limit is shorter than the region's own: a timeout says nothing about the region.
    pub(super) truncated_by_deadline: bool,
    /// The evidence from the wire, for stores whose client is recorded.
    pub(super) recorder: Option<Arc<WireRecorder>>,
    /// Every object of the region has an ETag or a time of its last change.
    pub(super) has_identity: bool,
    /// Set for a hedge: an attempt that was started beside a slow one.
    pub(super) hedge: Option<Hedge>,
}

impl<A> InFlight<'_, A> {
    /// When the next of its times is due.
    pub(super) fn next_deadline(&self) -> Instant {
        self.slow_at
            .into_iter()
            .chain(self.report_wait_at)
            .fold(self.limit, Instant::min)
    }

    /// Moves its times by a delay of this process.
    pub(super) fn delay(&mut self, late: Duration) {
        self.limit = clock::saturating_add(self.limit, late);
        for time in [&mut self.slow_at, &mut self.report_wait_at] {
            *time = time.map(|time| clock::saturating_add(time, late));
        }
    }

    /// The region of this attempt, once its circuit opens for silence.
    pub(super) fn poll_silence_signal(&mut self, cx: &mut Context<'_>) -> Option<usize> {
        // Created at the first poll, when the attempt has to wait: most responses of an in-memory
        // store never do.
        let health = self.report_wait_at.map(|_| self.attempt.permit.health())?;
        let silence_signal = self
            .silence_signal
            .get_or_insert_with(|| health.silence_signal(WaitingFor::Headers));
        silence_signal.poll_unpin(cx).is_ready().then(|| {
            (self.silence_signal, self.report_wait_at) = (None, None);
            self.attempt.region
        })
    }
}

impl<A> AttemptFuture<'_, A> {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<A>> {
        let poll = catch_panic(|| match self {
            Self::Borrowed(future) => future.poll_unpin(cx),
            Self::Owned(future) => future.poll_unpin(cx),
        });
        poll.unwrap_or_else(|error| Poll::Ready(Err(error)))
    }
}

impl Attempt {
    /// What is known of its response besides the content.
    pub(super) fn context(&self) -> ResponseContext {
        let recorder = self.recorder.as_ref();
        ResponseContext {
            status: recorder.and_then(|recorder| recorder.status()),
            has_identity: self.has_identity,
        }
    }

    /// The failure of an attempt that reached its limit.
    pub(super) fn timeout(&self) -> Failure {
        let failure = Failure::new(
            FailureClass::Timeout,
            "no response within the attempt limit",
        );
        let sent = self
            .evidence()
            .map_or(failure.sent, |evidence| evidence.sent);
        Failure { sent, ..failure }
    }

    /// What was observed of it on the wire.
    pub(super) fn evidence(&self) -> Option<Evidence> {
        self.recorder.as_ref().map(|recorder| recorder.evidence())
    }
}

/// Runs code of a region's store. A panic below is a failed attempt of that region, not the end of
/// the caller's task: another region may serve the request.
///
/// Unwind safety: the future or request that panicked is dropped and not used again.
pub(super) fn catch_panic<T>(run: impl FnOnce() -> T) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Error::Generic {
            store: "FailoverStore",
            source: format!("the store of the region panicked: {text}").into(),
        }
    })
}
