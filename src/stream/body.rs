//! A body that resumes in another region when its region fails.
//!
//! A region fails when its connection breaks, when the body is shorter or longer than announced, or
//! when no byte arrives within the stall limit while the caller polls. The rest then comes from
//! another region, from the exact byte at which the first one stopped; [`ObjectIdentity`] makes
//! sure that it is the same object.
//!
//! The success of a region is recorded at the last byte. A body that its caller drops is a success
//! as well, unless the caller was waiting for bytes: then the verdict is unknown.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, Stream};
use futures::{FutureExt, StreamExt};
use object_store::{Error, GetResult, GetResultPayload, Result};

use crate::failover::{Engine, Served};
use crate::metrics::ResumeResult;
use crate::request::Get;
use crate::runtime::clock;
use crate::stream::object::ObjectIdentity;
use crate::stream::prefetched::{self, Prefetch};
use crate::stream::region_stream::RegionStream;
use crate::stream::resume::ResumeHistory;
use crate::stream::stall::StallEvent;
use crate::types::FailureClass::{Interrupted, Timeout};
use crate::types::{FailureClass, Operation, Verdict};

/// The stream that a caller reads.
pub(crate) struct ResumableBody {
    object: Arc<ObjectIdentity>,
    /// Offset of the next byte that the caller expects.
    next: u64,
    end: u64,
    history: ResumeHistory,
    /// Offset of the last interruption.
    interrupted_at: u64,
    state: State,
}

#[expect(
    clippy::large_enum_variant,
    reason = "one per body; a box would cost an allocation per body"
)]
enum State {
    Streaming(RegionStream<Result<Bytes>>),
    Resuming(BoxFuture<'static, Result<RegionStream<Result<Bytes>>>>),
    Done,
}

impl ResumableBody {
    /// Replaces the body of a response by one that resumes, if `may_resume`. A body that is
    /// complete already is not wrapped.
    pub(crate) fn wrap(
        engine: &Arc<Engine>,
        request: &Get<'_>,
        served: Served<GetResult>,
        may_resume: bool,
    ) -> GetResult {
        let Served {
            response,
            region,
            permit,
            at,
            ..
        } = served;
        let GetResult {
            payload,
            meta,
            range,
            attributes,
            extensions,
        } = response;
        let parts = match payload {
            GetResultPayload::Stream(parts) if !request.options.head => parts,
            // The caller reads a file itself; a head has no body.
            payload => {
                permit.record(Verdict::Success, at);
                return GetResult {
                    payload,
                    meta,
                    range,
                    attributes,
                    extensions,
                };
            }
        };
        // The success of a trial is recorded only once its caller has the last byte.
        let may_prefetch = !permit.is_trial()
            && prefetched::can_poll_eagerly(&parts, engine.regions.get(region).records_wire);
        let prefetch = if may_prefetch {
            prefetched::prefetch(parts, &range)
        } else {
            Prefetch::Partial(parts)
        };
        let body = match prefetch {
            Prefetch::Complete(bytes) => {
                engine.metrics.on_bytes(region, bytes.len());
                permit.record(Verdict::Success, at);
                stream::iter([Ok(bytes)]).boxed()
            }
            Prefetch::Partial(parts) => {
                let object = ObjectIdentity::new(engine, request, &meta, may_resume);
                let stream = object.region_stream(parts, region, permit);
                Self::new(object, range.clone(), stream).boxed()
            }
        };
        GetResult {
            payload: GetResultPayload::Stream(body),
            meta,
            range,
            attributes,
            extensions,
        }
    }

    fn new(object: ObjectIdentity, range: Range<u64>, stream: RegionStream<Result<Bytes>>) -> Self {
        Self {
            object: Arc::new(object),
            next: range.start,
            end: range.end,
            history: ResumeHistory::new(Operation::Get, MIN_PROGRESS_BYTES),
            interrupted_at: range.start,
            state: State::Streaming(stream),
        }
    }

    fn poll_streaming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let State::Streaming(stream) = &mut self.state else {
            return Poll::Ready(None);
        };
        let (class, cause) = match stream.poll(cx) {
            // Before the last byte the caller waits; after it see below.
            Poll::Pending if self.next < self.end => return Poll::Pending,
            Poll::Ready(StallEvent::Item(Some(Ok(bytes))))
                if self.next + bytes.len() as u64 <= self.end =>
            {
                self.next += bytes.len() as u64;
                self.object
                    .engine
                    .metrics
                    .on_bytes(stream.region, bytes.len());
                return Poll::Ready(Some(Ok(bytes)));
            }
            // The stream may be pending after the last byte; treat the body as complete. A region
            // that never closes it would otherwise stall a caller who has everything.
            Poll::Pending | Poll::Ready(StallEvent::Item(None)) if self.next == self.end => {
                self.finish();
                return Poll::Ready(None);
            }
            Poll::Ready(StallEvent::Item(Some(Err(error)))) => (None, error),
            Poll::Ready(StallEvent::Item(Some(Ok(_)))) => {
                interruption(Interrupted, "longer than announced")
            }
            Poll::Ready(StallEvent::Item(None)) => {
                interruption(Interrupted, "shorter than announced")
            }
            // A body that cannot resume waits until the stall limit. Polling again registers the
            // waker, which the event has consumed.
            Poll::Ready(StallEvent::WaitTick | StallEvent::RegionSilent)
                if !self.object.can_resume() =>
            {
                return self.poll_streaming(cx);
            }
            Poll::Ready(StallEvent::WaitTick | StallEvent::RegionSilent) => {
                interruption(Timeout, "no response from the region")
            }
            Poll::Pending | Poll::Ready(StallEvent::Stalled) => {
                interruption(Timeout, format!("no byte for {:?}", stream.limit()))
            }
        };
        self.on_interruption(class, cause)
    }

    /// Records the failure of the region and requests the rest from another one.
    ///
    /// `Pending` here means that the state has changed: `poll_next` polls the new state at once.
    fn on_interruption(
        &mut self,
        class: Option<FailureClass>,
        cause: Error,
    ) -> Poll<Option<Result<Bytes>>> {
        let State::Streaming(mut stream) = std::mem::replace(&mut self.state, State::Done) else {
            return Poll::Ready(None);
        };
        let now = clock::now();
        self.object.record_failure(&mut stream, class, &cause, now);
        stream.permit.record(Verdict::Failure, now);
        // More than the announced bytes: the caller has all of them, so the body ends normally.
        if self.next == self.end {
            return Poll::Ready(None);
        }
        self.history
            .record(stream.region, self.next - self.interrupted_at);
        self.interrupted_at = self.next;
        if !self.object.may_resume {
            return Poll::Ready(Some(Err(cause)));
        }
        if self
            .history
            .should_give_up(&self.object.engine, self.object.scope.allowed.len())
        {
            self.object
                .engine
                .metrics
                .on_resume_failed(stream.region, ResumeResult::Failed);
            return Poll::Ready(Some(Err(self.object.exhausted_error(
                stream.region,
                self.next,
                cause,
            ))));
        }
        let region = &self.object.engine.regions.get(stream.region).name;
        tracing::debug!(%region, "body interrupted, resuming in another region");
        let rest = Arc::clone(&self.object).resume(
            self.history.regions().to_vec(),
            self.next..self.end,
            cause,
        );
        self.state = State::Resuming(rest.boxed());
        Poll::Pending
    }

    /// The caller has the last byte, or reads no further: the region has served the request.
    fn finish(&mut self) {
        if let State::Streaming(stream) = std::mem::replace(&mut self.state, State::Done) {
            stream.permit.record(Verdict::Success, clock::now());
        }
    }
}

impl Stream for ResumableBody {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            let poll = match &mut self.state {
                State::Done => return Poll::Ready(None),
                State::Streaming(_) => self.poll_streaming(cx),
                State::Resuming(rest) => match rest.poll_unpin(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(stream)) => {
                        self.state = State::Streaming(stream);
                        continue;
                    }
                    Poll::Ready(Err(error)) => {
                        self.state = State::Done;
                        return Poll::Ready(Some(Err(error)));
                    }
                },
            };
            // After an interruption the state is `Resuming`. Its future has to be polled before
            // `Pending` is returned, otherwise no waker is registered.
            if poll.is_ready() || matches!(self.state, State::Streaming(_)) {
                return poll;
            }
        }
    }
}

impl Drop for ResumableBody {
    fn drop(&mut self) {
        // A caller that was waiting may have given up on the region: no verdict.
        if matches!(&self.state, State::Streaming(stream) if !stream.is_waiting()) {
            self.finish();
        }
    }
}

fn interruption(
    class: FailureClass,
    detail: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> (Option<FailureClass>, Error) {
    (
        Some(class),
        Error::Generic {
            store: "FailoverStore",
            source: detail.into(),
        },
    )
}

/// Fewer bytes than this between two interruptions count as little progress.
const MIN_PROGRESS_BYTES: u64 = 4096;
