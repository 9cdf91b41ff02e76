//! A listing that survives its region.
//!
//! The keys that a caller reads come from one region until that region breaks: a page fails, or none comes for longer than the
//! list attempt limit while the caller polls. Then another region goes on, so that whoever lists a quiet bucket sees every key
//! once.
//!
//! Where a region lists in order, and every key so far came in order, it goes on after the last key. Order is that of the keys'
//! bytes: S3's, and `Path`'s own. Where the region that goes on lists in no order, or one that has given keys did, the listing
//! starts again from where the caller wanted it to, and the keys that were given are left out. So they have to be remembered;
//! a store whose regions are all ordered remembers one key.
//!
//! A region that is declared ordered may lie. Keys out of order are given as they come, but there is no "after the last key" any
//! more: without a memory of all keys a later break ends the listing. It is no rare lie: object_store drops the slash at the end
//! of a key, so that the marker of a folder `a/`, which S3 lists after `a-b`, arrives as `a`.
//!
//! What a lagging region does not have is not listed from there. That is no gap of ours: a listing that had begun there would
//! not have it either.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::Stream;
use object_store::path::Path;
use object_store::{Error, ObjectMeta, Result};

use crate::breaks::Breaks;
use crate::error::FailoverError;
use crate::failover::scope::Call;
use crate::failover::{Core, Route, Served, run, settled, take_down};
use crate::failure::{Failure, FailureClass};
use crate::health::Permit;
use crate::metrics::Outcome;
use crate::operation::Operation;
use crate::region::Regions;
use crate::request::{List, Target};
use crate::source::Source;
use crate::stall::Step;
use crate::time::{self, Instant};

/// The stream that a caller reads.
pub(crate) struct Items {
    query: Arc<Query>,
    given: Given,
    breaks: Breaks,
    /// Keys given since the last break.
    fresh: u64,
    state: State,
}

/// What the caller has asked for.
struct Query {
    core: Arc<Core>,
    prefix: Option<Path>,
    offset: Option<Path>,
}

/// The keys that the caller has.
struct Given {
    last: Option<Path>,
    /// The region that first gave a key out of order, or that lists in no order at all.
    disorder: Option<usize>,
    /// All of them, where some region lists in no order.
    keys: Option<HashSet<Path>>,
}

#[expect(clippy::large_enum_variant, reason = "one for each listing, and it is moved when a region breaks")]
enum State {
    Opening(BoxFuture<'static, Result<Source<Result<ObjectMeta>>>>),
    Streaming(Source<Result<ObjectMeta>>),
    Done,
}

impl Items {
    pub(crate) fn new(core: &Arc<Core>, prefix: Option<&Path>, offset: Option<&Path>) -> Self {
        let query = Arc::new(Query { core: Arc::clone(core), prefix: prefix.cloned(), offset: offset.cloned() });
        let opening = Arc::clone(&query).begin();
        Self {
            query,
            given: Given::new(&core.regions),
            breaks: Breaks::new(Operation::List, ENOUGH),
            fresh: 0,
            state: State::Opening(opening.boxed()),
        }
    }

    fn on_item(&mut self, region: usize, item: ObjectMeta) -> Option<ObjectMeta> {
        let continued = !self.breaks.regions().is_empty();
        let ordered = self.query.core.regions.get(region).ordered;
        let is_new = self.given.take(&item.location, region, ordered, continued);
        self.fresh += u64::from(is_new);
        is_new.then_some(item)
    }

    /// The region is charged, and another one goes on; an error where none can.
    fn on_break(&mut self, class: Option<FailureClass>, cause: Error) -> Option<Error> {
        let State::Streaming(mut source) = std::mem::replace(&mut self.state, State::Done) else { return None };
        let (core, now) = (&self.query.core, time::now());
        let of_error = || Failure::of(&cause).in_flavor(core.regions.get(source.region).flavor);
        let failure = class.map_or_else(of_error, |class| Failure::new(class, ""));
        take_down(&core.events, source.region, &mut source.permit, &failure, now);
        if failure.is_answer() {
            source.permit.succeed(now);
            return Some(cause);
        }
        let throttled = failure.class() == FailureClass::Throttled;
        let verdict = if throttled { Permit::throttled } else { Permit::fail };
        verdict(source.permit, now);
        self.breaks.record(source.region, std::mem::take(&mut self.fresh));
        let after = match self.given.place() {
            Ok(_) if self.breaks.are_hopeless(&self.query.core, self.query.regions()) => {
                return Some(self.query.lost(source.region, &self.given, cause));
            }
            Ok(after) => after.cloned(),
            Err(culprit) => return Some(self.query.out_of_order(source.region, culprit, cause)),
        };
        tracing::debug!(region = %self.query.name(source.region), "a listing broke; it goes on elsewhere");
        let rest = Arc::clone(&self.query).go_on(after, self.breaks.regions().to_vec(), failure.class().into());
        self.state = State::Opening(rest.boxed());
        None
    }

    /// The last key has been given, or the caller wants no more: the region did all that was asked of it.
    fn finish(&mut self) {
        if let State::Streaming(source) = std::mem::replace(&mut self.state, State::Done) {
            source.permit.succeed(time::now());
        }
    }
}

impl Stream for Items {
    type Item = Result<ObjectMeta>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<ObjectMeta>>> {
        loop {
            let (region, step) = match &mut self.state {
                State::Done => return Poll::Ready(None),
                State::Opening(opening) => {
                    let opened = ready!(opening.poll_unpin(cx));
                    self.state = State::Done;
                    match opened {
                        Ok(source) => self.state = State::Streaming(source),
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                    continue;
                }
                State::Streaming(source) => match ready!(source.poll(cx)) {
                    Step::StillWaiting | Step::Abandoned => continue,
                    Step::Stalled => (source.region, Some(Err((Some(FailureClass::Timeout), stalled(source))))),
                    Step::Item(item) => (source.region, item.map(|item| item.map_err(|error| (None, error)))),
                },
            };
            let item = match step {
                Some(Ok(item)) => self.on_item(region, item).map(Ok),
                Some(Err((class, cause))) => self.on_break(class, cause).map(Err),
                None => {
                    self.finish();
                    return Poll::Ready(None);
                }
            };
            if item.is_some() {
                return Poll::Ready(item);
            }
        }
    }
}

impl Drop for Items {
    /// A caller that wants no more has been served, unless it was waiting.
    fn drop(&mut self) {
        if matches!(&self.state, State::Streaming(source) if !source.is_waiting()) {
            self.finish();
        }
    }
}

impl Query {
    /// The listing from its beginning. It begins when it is first polled.
    async fn begin(self: Arc<Self>) -> Result<Source<Result<ObjectMeta>>> {
        let asked = self.core.asked(Operation::List);
        let opened = self.open(None, &[], asked.began()).await;
        settled(asked, opened)
    }

    /// The rest of it, after the last of `broken` has broken.
    async fn go_on(self: Arc<Self>, after: Option<Path>, broken: Vec<usize>, reason: Outcome) -> Result<Source<Result<ObjectMeta>>> {
        let source = self.open(after, &broken, time::now()).await?;
        if let Some(from) = broken.last().filter(|from| **from != source.region) {
            self.core.metrics.on_failover(*from, source.region, reason);
        }
        Ok(source)
    }

    /// The listing from a region that has not broken yet, or that broke longest ago.
    async fn open(&self, after: Option<Path>, broken: &[usize], began: Instant) -> Result<Source<Result<ObjectMeta>>> {
        let call = Call { operation: Operation::List, path: self.prefix.as_ref(), extensions: None };
        let scope = self.core.read_scope(call)?;
        let request = List { prefix: self.prefix.clone(), offset: self.offset.clone(), after, scope };
        let route = if broken.is_empty() { Route::Rotation } else { Route::After(broken) };
        let Served { answer: items, region, permit, .. } = run(&self.core, &request, route, began).await?;
        // A page may take as long as the first one was given.
        let limit = self.core.regions.get(region).limits.attempt(Operation::List);
        Ok(Source::new(items, limit, region, permit))
    }

    /// How many regions the listing may use.
    fn regions(&self) -> usize {
        let call = Call { operation: Operation::List, path: self.prefix.as_ref(), extensions: None };
        self.core.read_scope(call).map_or(1, |scope| scope.allowed.len())
    }

    fn name(&self, region: usize) -> Arc<str> {
        Arc::clone(&self.core.regions.get(region).name)
    }

    fn path(&self) -> String {
        Target::Prefix(self.prefix.as_ref()).to_string()
    }

    /// No region gets past this key.
    fn lost(&self, region: usize, given: &Given, cause: Error) -> Error {
        let after = given.last.as_ref().map(Path::to_string).unwrap_or_default();
        FailoverError::ListingLost { path: self.path(), region: self.name(region), after, source: Box::new(cause) }.into()
    }

    /// There is no key after which another region could go on.
    fn out_of_order(&self, region: usize, culprit: usize, cause: Error) -> Error {
        let (region, culprit) = (self.name(region), self.name(culprit));
        FailoverError::ListingOutOfOrder { path: self.path(), region, culprit, source: Box::new(cause) }.into()
    }
}

impl Given {
    fn new(regions: &Regions) -> Self {
        let keys = regions.iter().any(|region| !region.ordered).then(HashSet::new);
        Self { last: None, disorder: None, keys }
    }

    /// Takes note of a key; false where the caller has it from before a break, and it is to be left out.
    fn take(&mut self, key: &Path, region: usize, ordered: bool, continued: bool) -> bool {
        let known = match &mut self.keys {
            Some(keys) => !keys.insert(key.clone()),
            // The marker `a/` comes again after the key `a`.
            None => self.last.as_ref() == Some(key),
        };
        if known && continued {
            return false;
        }
        if !ordered || self.last.as_ref().is_some_and(|last| key <= last) {
            self.disorder.get_or_insert(region);
        }
        self.last = Some(key.clone());
        true
    }

    /// The key after which an ordered region goes on, none where it starts again; or the region because of which nobody can go on.
    fn place(&self) -> Result<Option<&Path>, usize> {
        match (self.disorder, &self.keys) {
            (None, _) => Ok(self.last.as_ref()),
            (Some(_), Some(_)) => Ok(None),
            (Some(culprit), None) => Err(culprit),
        }
    }
}

fn stalled(source: &Source<Result<ObjectMeta>>) -> Error {
    let why = format!("the listing stalled: no item for {:?}", source.limit());
    Error::Generic { store: "FailoverStore", source: why.into() }
}

/// One key between two breaks is next to nothing.
const ENOUGH: u64 = 2;
