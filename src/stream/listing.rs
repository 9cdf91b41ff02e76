//! A listing that resumes in another region when its region fails.
//!
//! A region fails when a page fails, or when none arrives within the attempt limit of a list while
//! the caller polls. Another region then continues, and a caller that lists an unchanged bucket
//! receives every key exactly once.
//!
//! If the next region is ordered, and all keys so far came in order, it resumes after the last key.
//! The order is that of the bytes of the keys, as in S3 and in `Path`. Otherwise the listing starts
//! again, and the keys that were delivered are skipped, so all of them have to be remembered; a
//! store whose regions are all ordered remembers one key.
//!
//! A region that is declared ordered may return keys out of order. They are delivered, but no
//! region can resume after the last key: without a set of all keys an interruption ends the
//! listing. This is not rare: object_store removes the slash at the end of a key, so the folder
//! marker `a/`, which S3 lists after `a-b`, arrives as `a`.
//!
//! Keys that the next region lacks because of replication lag are not listed. A listing that had
//! started there would not have them either.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::Stream;
use object_store::path::Path;
use object_store::{Error, ObjectMeta, Result};

use crate::error::{FailoverError, Failure};
use crate::failover::scope::{ScopeQuery, check_key_length};
use crate::failover::{Engine, Served, StartAt, finish_request, record_failure};
use crate::health::Permit;
use crate::request::{List, Target};
use crate::runtime::clock::{self, Instant};
use crate::stream::delivered::Delivered;
use crate::stream::region_stream::RegionStream;
use crate::stream::resume::ResumeHistory;
use crate::stream::stall::StallEvent;
use crate::types::{CircuitClass, FailureClass, Operation, Verdict};

/// The stream that a caller reads.
pub(crate) struct ResumableListing {
    query: Arc<ListQuery>,
    delivered: Delivered,
    history: ResumeHistory,
    /// Permits of refused pages, and their regions: the verdict waits for the next region.
    deferred: Vec<(usize, Permit)>,
    /// Keys delivered since the last interruption.
    items_since_interruption: u64,
    state: State,
}

/// The arguments of the call.
struct ListQuery {
    engine: Arc<Engine>,
    prefix: Option<Path>,
    offset: Option<Path>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "one per listing, moved only when its region changes"
)]
enum State {
    Opening(BoxFuture<'static, Result<RegionStream<Result<ObjectMeta>>>>),
    Streaming(RegionStream<Result<ObjectMeta>>),
    Done,
}

impl ResumableListing {
    pub(crate) fn new(engine: &Arc<Engine>, prefix: Option<&Path>, offset: Option<&Path>) -> Self {
        let query = Arc::new(ListQuery {
            engine: Arc::clone(engine),
            prefix: prefix.cloned(),
            offset: offset.cloned(),
        });
        let opening = Arc::clone(&query).start();
        Self {
            query,
            delivered: Delivered::new(&engine.regions),
            history: ResumeHistory::new(Operation::List, MIN_PROGRESS_KEYS),
            items_since_interruption: 0,
            deferred: Vec::new(),
            state: State::Opening(opening.boxed()),
        }
    }

    /// The item, unless it was delivered before an interruption.
    fn on_item(&mut self, region: usize, item: ObjectMeta) -> Option<ObjectMeta> {
        let resumed = !self.history.regions().is_empty();
        let ordered = self.query.engine.regions.get(region).ordered;
        let is_new = self
            .delivered
            .accept(&item.location, region, ordered, resumed);
        self.items_since_interruption += u64::from(is_new);
        is_new.then_some(item)
    }

    /// Records the failure of the region and opens another one; an error if none can resume.
    fn on_interruption(&mut self, class: Option<FailureClass>, cause: Error) -> Option<Error> {
        let State::Streaming(mut stream) = std::mem::replace(&mut self.state, State::Done) else {
            return None;
        };
        let (engine, now) = (&self.query.engine, clock::now());
        let classify = || Failure::of(&cause).in_flavor(engine.regions.get(stream.region).flavor);
        let failure = class.map_or_else(classify, |class| Failure::new(class, ""));
        record_failure(
            &engine.events,
            stream.region,
            &mut stream.permit,
            &failure,
            now,
        );
        // The region responded: its error is that of the request, and any region would return it.
        if failure.is_final() {
            stream.permit.record(Verdict::Success, now);
            return Some(cause);
        }
        engine
            .regions
            .get(stream.region)
            .throttle
            .on_failure(CircuitClass::Read, &failure, now);
        let verdict = match failure.is_missing() {
            true => Verdict::Failure,
            false => failure.verdict(),
        };
        let deferred = stream.permit.record(verdict, now);
        self.deferred
            .extend(deferred.map(|permit| (stream.region, permit)));
        self.history.record(
            stream.region,
            std::mem::take(&mut self.items_since_interruption),
        );
        let after = match self.delivered.resume_point() {
            Ok(_)
                if self
                    .history
                    .should_give_up(&self.query.engine, self.query.regions()) =>
            {
                return Some(
                    self.query
                        .exhausted_error(stream.region, &self.delivered, cause),
                );
            }
            Ok(after) => after.cloned(),
            Err(culprit) => return Some(self.query.out_of_order(stream.region, culprit, cause)),
        };
        self.delivered.on_resume(after.as_ref());
        let region = self.query.name(stream.region);
        tracing::debug!(%region, "listing interrupted, resuming in another region");
        let rest =
            Arc::clone(&self.query).resume(after, self.history.regions().to_vec(), failure.class());
        self.state = State::Opening(rest.boxed());
        None
    }

    /// Another region serves the rest: what a region refused was its own fault. Where all regions
    /// refuse, no region is charged.
    fn settle_deferred(&mut self, served_by: usize) {
        let now = clock::now();
        for (region, permit) in self.deferred.drain(..) {
            if region != served_by {
                permit.record(Verdict::Failure, now);
            }
        }
    }

    /// The caller has the last key, or reads no further: the region has served the request.
    fn finish(&mut self) {
        if let State::Streaming(stream) = std::mem::replace(&mut self.state, State::Done) {
            stream.permit.record(Verdict::Success, clock::now());
        }
    }
}

impl Stream for ResumableListing {
    type Item = Result<ObjectMeta>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<ObjectMeta>>> {
        loop {
            let (region, event) = match &mut self.state {
                State::Done => return Poll::Ready(None),
                State::Opening(opening) => {
                    let opened = ready!(opening.poll_unpin(cx));
                    self.state = State::Done;
                    match opened {
                        Ok(stream) => {
                            self.settle_deferred(stream.region);
                            self.state = State::Streaming(stream);
                        }
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                    continue;
                }
                State::Streaming(stream) => match ready!(stream.poll(cx)) {
                    // A page may take long: silence does not interrupt a listing.
                    StallEvent::WaitTick | StallEvent::RegionSilent => continue,
                    StallEvent::Stalled => (
                        stream.region,
                        Some(Err((Some(FailureClass::Timeout), stalled(stream)))),
                    ),
                    StallEvent::Item(item) => (
                        stream.region,
                        item.map(|item| item.map_err(|error| (None, error))),
                    ),
                },
            };
            let item = match event {
                Some(Ok(item)) => self.on_item(region, item).map(Ok),
                Some(Err((class, cause))) => self.on_interruption(class, cause).map(Err),
                None => {
                    self.finish();
                    return Poll::Ready(None);
                }
            };
            // None: a key that was delivered before, or the next region is being opened.
            if item.is_some() {
                return Poll::Ready(item);
            }
        }
    }
}

impl Drop for ResumableListing {
    fn drop(&mut self) {
        // A caller that was waiting may have given up on the region: no verdict.
        if matches!(&self.state, State::Streaming(stream) if !stream.is_waiting()) {
            self.finish();
        }
    }
}

impl ListQuery {
    /// The listing from its start. The request starts at the first poll.
    async fn start(self: Arc<Self>) -> Result<RegionStream<Result<ObjectMeta>>> {
        let timer = self.engine.start_request(Operation::List);
        let opened = self.open(None, &[], timer.started_at()).await;
        finish_request(timer, opened)
    }

    /// The rest of the listing, after the last of the `failed` regions.
    async fn resume(
        self: Arc<Self>,
        after: Option<Path>,
        failed: Vec<usize>,
        reason: FailureClass,
    ) -> Result<RegionStream<Result<ObjectMeta>>> {
        let stream = self.open(after, &failed, clock::now()).await?;
        if let Some(from) = failed.last().filter(|from| **from != stream.region) {
            self.engine
                .metrics
                .on_failover(*from, stream.region, reason);
        }
        Ok(stream)
    }

    /// Opens the listing in a region that has not failed yet, or that failed the longest ago.
    async fn open(
        &self,
        after: Option<Path>,
        failed: &[usize],
        started_at: Instant,
    ) -> Result<RegionStream<Result<ObjectMeta>>> {
        let query = ScopeQuery {
            operation: Operation::List,
            path: self.prefix.as_ref(),
            extensions: None,
        };
        let scope = self.engine.read_scope(query)?;
        self.offset.as_ref().map_or(Ok(()), check_key_length)?;
        let request = List {
            prefix: self.prefix.clone(),
            offset: self.offset.clone(),
            after,
            scope,
        };
        let start = if failed.is_empty() {
            StartAt::Rotation
        } else {
            StartAt::AfterFailed(failed)
        };
        let Served {
            response: items,
            region,
            permit,
            ..
        } = self.engine.execute(&request, start, started_at).await?;
        // Each further page may take as long as the first.
        let limit = self
            .engine
            .regions
            .get(region)
            .timeouts
            .attempt(Operation::List);
        Ok(RegionStream::without_silence_detection(
            items, limit, region, permit,
        ))
    }

    /// How many regions the listing may use.
    fn regions(&self) -> usize {
        let query = ScopeQuery {
            operation: Operation::List,
            path: self.prefix.as_ref(),
            extensions: None,
        };
        self.engine
            .read_scope(query)
            .map_or(1, |scope| scope.allowed.len())
    }

    fn name(&self, region: usize) -> Arc<str> {
        Arc::clone(&self.engine.regions.get(region).name)
    }

    fn path(&self) -> String {
        Target::Prefix(self.prefix.as_ref()).to_string()
    }

    /// Every region has failed after this key.
    fn exhausted_error(&self, region: usize, delivered: &Delivered, cause: Error) -> Error {
        let after = delivered.last().map(Path::to_string).unwrap_or_default();
        FailoverError::ListingLost {
            path: self.path(),
            region: self.name(region),
            after,
            source: Box::new(cause),
        }
        .into()
    }

    /// No key is known after which another region could resume.
    fn out_of_order(&self, region: usize, culprit: usize, cause: Error) -> Error {
        let (region, culprit) = (self.name(region), self.name(culprit));
        FailoverError::ListingOutOfOrder {
            path: self.path(),
            region,
            culprit,
            source: Box::new(cause),
        }
        .into()
    }
}

fn stalled(stream: &RegionStream<Result<ObjectMeta>>) -> Error {
    let detail = format!("no item for {:?}", stream.limit());
    Error::Generic {
        store: "FailoverStore",
        source: detail.into(),
    }
}

/// Fewer keys than this between two interruptions count as little progress.
const MIN_PROGRESS_KEYS: u64 = 2;
