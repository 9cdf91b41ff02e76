//! A body that survives its region.
//!
//! The bytes that a caller reads come from one region until that region breaks: the connection dies, the body comes short or
//! long, or nothing comes for longer than the stall limit while the caller polls. Then the rest is read from another region,
//! from the exact byte at which the first one stopped.
//!
//! The danger is splicing two different objects. So the rest is asked for under `If-Match` with the tag of the first answer,
//! and the new answer must bear the same tag, the same total size and exactly the range that is missing. Where that cannot be
//! had the body ends with [`FailoverError::ReplicaDiverged`], and the error that broke it as its source. An object without a
//! strong tag is never continued.
//!
//! A region's success is recorded here, at the last byte. A body that its caller drops is a success as well, unless the caller
//! was waiting: then nothing is known.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, Stream};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, Result};

use crate::breaks::Breaks;
use crate::error::FailoverError;
use crate::failover::{Core, Route, Served, run, take_down};
use crate::failure::FailureClass::{Interrupted, Timeout};
use crate::failure::{Failure, FailureClass};
use crate::health::Permit;
use crate::metrics::ResumeEnd;
use crate::operation::Operation;
use crate::request::{Get, Scope, Version};
use crate::source::Source;
use crate::stall::Step;
use crate::time::{self, Instant};
use crate::whole::{self, Arrived};

/// The stream that a caller reads.
pub(crate) struct Body {
    object: Arc<Object>,
    /// The next byte that the caller expects.
    next: u64,
    end: u64,
    breaks: Breaks,
    /// Where the body broke last.
    last_break: u64,
    state: State,
}

/// What is read, and how to prove that it is the same elsewhere.
struct Object {
    core: Arc<Core>,
    path: Path,
    options: GetOptions,
    scope: Scope,
    tag: Option<String>,
    size: u64,
    may_resume: bool,
}

#[expect(clippy::large_enum_variant, reason = "one for each body, and a box would be an allocation for each")]
enum State {
    Streaming(Source<Result<Bytes>>),
    Reopening(BoxFuture<'static, Result<Source<Result<Bytes>>>>),
    Done,
}

impl Body {
    /// The body of an answer, guarded to its last byte.
    pub(crate) fn guard(core: &Arc<Core>, request: &Get<'_>, served: Served<GetResult>, may_resume: bool) -> GetResult {
        let Served { answer, region, permit, at, .. } = served;
        let GetResult { payload, meta, range, attributes, extensions } = answer;
        let parts = match payload {
            GetResultPayload::Stream(parts) if !request.options.head => parts,
            // A file is the caller's own; a head has no body.
            payload => {
                permit.succeed(at);
                return GetResult { payload, meta, range, attributes, extensions };
            }
        };
        // Trials are rare, and judged as ever: when their caller has the last byte.
        let may_look = !permit.is_trial() && whole::may_look(&parts, core.regions.get(region).reports);
        let arrived = if may_look { whole::look(parts, &range) } else { Arrived::NotAll(parts) };
        let body = match arrived {
            Arrived::All(bytes) => {
                core.metrics.on_bytes(region, bytes.len());
                permit.succeed(at);
                stream::iter([Ok(bytes)]).boxed()
            }
            Arrived::NotAll(parts) => {
                let object = Object::new(core, request, &meta, may_resume);
                let source = object.source(parts, region, permit);
                Self::new(object, range.clone(), source).boxed()
            }
        };
        GetResult { payload: GetResultPayload::Stream(body), meta, range, attributes, extensions }
    }

    fn new(object: Object, range: Range<u64>, source: Source<Result<Bytes>>) -> Self {
        Self {
            object: Arc::new(object),
            next: range.start,
            end: range.end,
            breaks: Breaks::new(Operation::Get, ENOUGH),
            last_break: range.start,
            state: State::Streaming(source),
        }
    }

    fn poll_streaming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let State::Streaming(source) = &mut self.state else {
            return Poll::Ready(None);
        };
        let (class, cause) = match source.poll(cx) {
            Poll::Pending if self.next < self.end => return Poll::Pending,
            Poll::Ready(Step::Item(Some(Ok(bytes)))) if self.next + bytes.len() as u64 <= self.end => {
                self.next += bytes.len() as u64;
                self.object.core.metrics.on_bytes(source.region, bytes.len());
                return Poll::Ready(Some(Ok(bytes)));
            }
            // Whoever has delivered the last byte need not say that it was the last.
            Poll::Pending | Poll::Ready(Step::Item(None)) if self.next == self.end => {
                self.finish();
                return Poll::Ready(None);
            }
            Poll::Ready(Step::Item(Some(Err(error)))) => (None, error),
            Poll::Ready(Step::Item(Some(Ok(_)))) => broken(Interrupted, "longer than announced"),
            Poll::Ready(Step::Item(None)) => broken(Interrupted, "shorter than announced"),
            // Whoever cannot go on elsewhere waits on, to the stall limit.
            Poll::Ready(Step::StillWaiting | Step::Abandoned) if !self.object.may_go_on() => return self.poll_streaming(cx),
            Poll::Ready(Step::StillWaiting | Step::Abandoned) => broken(Timeout, "the region fell silent"),
            Poll::Pending | Poll::Ready(Step::Stalled) => broken(Timeout, format!("nothing came for {:?}", source.limit())),
        };
        self.on_break(class, cause)
    }

    /// The region is charged, and the rest is asked for elsewhere.
    fn on_break(&mut self, class: Option<FailureClass>, cause: Error) -> Poll<Option<Result<Bytes>>> {
        let State::Streaming(mut source) = std::mem::replace(&mut self.state, State::Done) else {
            return Poll::Ready(None);
        };
        let now = time::now();
        self.object.take_down(&mut source, class, &cause, now);
        source.permit.fail(now);
        if self.next == self.end {
            return Poll::Ready(None);
        }
        self.breaks.record(source.region, self.next - self.last_break);
        self.last_break = self.next;
        if !self.object.may_resume {
            return Poll::Ready(Some(Err(cause)));
        }
        if self.breaks.are_hopeless(&self.object.core, self.object.scope.allowed.len()) {
            self.object.core.metrics.on_stranded(source.region, ResumeEnd::Failed);
            return Poll::Ready(Some(Err(self.object.lost(source.region, self.next, cause))));
        }
        tracing::debug!(region = %self.object.core.regions.get(source.region).name, "a body broke; its rest is read elsewhere");
        let rest = Arc::clone(&self.object).reopen(self.breaks.regions().to_vec(), self.next..self.end, cause);
        self.state = State::Reopening(rest.boxed());
        Poll::Pending
    }

    /// The last byte has been delivered, or the caller wants no more: the region did all that was asked of it.
    fn finish(&mut self) {
        if let State::Streaming(source) = std::mem::replace(&mut self.state, State::Done) {
            source.permit.succeed(time::now());
        }
    }
}

impl Stream for Body {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            let poll = match &mut self.state {
                State::Done => return Poll::Ready(None),
                State::Streaming(_) => self.poll_streaming(cx),
                State::Reopening(rest) => match rest.poll_unpin(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(source)) => {
                        self.state = State::Streaming(source);
                        continue;
                    }
                    Poll::Ready(Err(error)) => {
                        self.state = State::Done;
                        return Poll::Ready(Some(Err(error)));
                    }
                },
            };
            // A break leaves the next region to be polled before the caller may sleep.
            if poll.is_ready() || matches!(self.state, State::Streaming(_)) {
                return poll;
            }
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if matches!(&self.state, State::Streaming(source) if !source.is_waiting()) {
            self.finish();
        }
    }
}

impl Object {
    fn new(core: &Arc<Core>, request: &Get<'_>, meta: &ObjectMeta, may_resume: bool) -> Self {
        let tag = meta.e_tag.clone().filter(|tag| !tag.starts_with("W/"));
        let scope = Scope { deadline: None, ..request.scope };
        let (path, options) = (request.path.clone(), request.options.clone());
        Self { core: Arc::clone(core), path, options, scope, tag, size: meta.size, may_resume }
    }

    fn source(&self, stream: BoxStream<'static, Result<Bytes>>, region: usize, permit: Permit) -> Source<Result<Bytes>> {
        let stall = self.core.regions.get(region).limits.stall;
        Source::heard(stream, stall, region, permit)
    }

    /// The rest may be read elsewhere.
    fn may_go_on(&self) -> bool {
        self.may_resume && self.tag.is_some() && self.scope.allowed.len() > 1
    }

    /// What broke it: what was seen, or else what the error says.
    fn take_down(&self, source: &mut Source<Result<Bytes>>, class: Option<FailureClass>, cause: &Error, now: Instant) {
        let flavor = self.core.regions.get(source.region).flavor;
        let failure = class.map_or_else(|| Failure::of(cause).in_flavor(flavor), |class| Failure::new(class, ""));
        take_down(&self.core.events, source.region, &mut source.permit, &failure, now);
    }

    /// No region gets past this byte.
    fn lost(&self, region: usize, offset: u64, cause: Error) -> Error {
        let region = Arc::clone(&self.core.regions.get(region).name);
        FailoverError::BodyLost { path: self.path.to_string(), region, offset, source: Box::new(cause) }.into()
    }

    /// The bytes of `rest` from another region, proven to be of the same object.
    async fn reopen(self: Arc<Self>, broken: Vec<usize>, rest: Range<u64>, cause: Error) -> Result<Source<Result<Bytes>>> {
        let from = broken[broken.len() - 1];
        let region = Arc::clone(&self.core.regions.get(from).name);
        let diverged = |cause| {
            self.core.metrics.on_stranded(from, ResumeEnd::Diverged);
            let path = self.path.to_string();
            Err(FailoverError::ReplicaDiverged { path, region, offset: rest.start, source: Box::new(cause) }.into())
        };
        let Some(tag) = &self.tag else { return diverged(cause) };
        let options = GetOptions {
            range: Some(GetRange::Bounded(rest.clone())),
            if_match: Some(tag.clone()),
            if_none_match: None,
            if_modified_since: None,
            ..self.options.clone()
        };
        // Whoever answers with anything else is passed by, and the next region is asked.
        let version = Some(Version { tag, size: self.size });
        let request = Get { path: &self.path, options: &options, scope: self.scope, version };
        match run(&self.core, &request, Route::After(&broken), time::now()).await {
            Ok(served) => {
                self.core.metrics.on_resumed(from, served.region);
                Ok(self.source(served.answer.into_stream(), served.region, served.permit))
            }
            Err(Error::NotFound { .. } | Error::Precondition { .. }) => diverged(cause),
            Err(error) if matches!(FailoverError::find(&error), Some(FailoverError::Undecided { .. })) => diverged(cause),
            Err(error) => {
                self.core.metrics.on_stranded(from, ResumeEnd::Failed);
                Err(error)
            }
        }
    }
}

fn broken(class: FailureClass, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> (Option<FailureClass>, Error) {
    (Some(class), Error::Generic { store: "FailoverStore", source: why.into() })
}

/// Fewer bytes than this between two breaks are next to nothing.
const ENOUGH: u64 = 4096;
