//! Deletes: handed to home whole, or one by one to any region.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, ready};

use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{Error, Result};

use super::FailoverStore;
use super::write::written;
use crate::failover::scope::{Call, WriteRule};
use crate::failover::{Core, answer, settled};
use crate::failure::{Failure, FailureClass};
use crate::metrics::{Answer, Outcome};
use crate::operation::Operation;
use crate::request::Delete;
use crate::stall::{Patient, Step};
use crate::time::Instant;

/// Deletes go where writes go. With one home they are handed over whole, so that its own batches stay; what was sent is never sent
/// again, here or there. With several regions each path is a call of its own.
pub(super) fn delete_stream(store: &FailoverStore, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
    let core = Arc::clone(&store.core);
    match (core.write_rule, core.home) {
        (WriteRule::Home, Some(home)) => deleted_at_home(core, home, paths),
        (WriteRule::Anywhere, _) => {
            paths.map(move |path| delete_anywhere(Arc::clone(&core), path).boxed()).buffered(DELETES_AT_ONCE).boxed()
        }
        _ => paths.map(move |path| delete_refused(&core, &path?)).boxed(),
    }
}

async fn delete_anywhere(core: Arc<Core>, path: Result<Path>) -> Result<Path> {
    let path = path?;
    let asked = core.asked(Operation::Delete);
    let deleted = delete_one(&core, path, asked.began()).await;
    settled(asked, deleted)
}

async fn delete_one(core: &Core, path: Path, began: Instant) -> Result<Path> {
    let scope = core.write_scope(false, Call { operation: Operation::Delete, path: Some(&path), extensions: None })?;
    let request = Delete { path, scope };
    written(core, &request, began).await?;
    Ok(request.path)
}

fn delete_refused(core: &Core, path: &Path) -> Result<Path> {
    let asked = core.asked(Operation::Delete);
    let refused = core.write_scope(false, Call { operation: Operation::Delete, path: Some(path), extensions: None });
    settled(asked, refused).map(|_| path.clone())
}

fn deleted_at_home(core: Arc<Core>, home: usize, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
    let region = core.regions.get(home);
    let limit = region.limits.attempt(Operation::Delete);
    let given = Arc::new(Given::default());
    let mut deleted = Patient::new(region.store().delete_stream(given.watch(paths)), limit, limit);
    let mut ended = false;
    stream::poll_fn(move |cx| {
        loop {
            if ended {
                return Poll::Ready(None);
            }
            match ready!(deleted.poll_step(cx)) {
                Step::StillWaiting | Step::Abandoned => {}
                // While the caller has no path to give, it is not home that keeps us waiting.
                Step::Stalled if given.is_starved.load(Ordering::Relaxed) => deleted.start_again(),
                Step::Item(item) => {
                    ended = item.is_none();
                    item.iter().filter(|item| !given.is_callers(item)).for_each(|item| tell(&core, home, item));
                    return Poll::Ready(item);
                }
                Step::Stalled => {
                    ended = true;
                    tell_of_stall(&core, home);
                    let name = &core.regions.get(home).name;
                    let why = format!("deletes in {name} have had no answer for {limit:?}; they may have taken effect");
                    return Poll::Ready(Some(Err(Error::Generic { store: "FailoverStore", source: why.into() })));
                }
            }
        }
    })
    .boxed()
}

/// What the caller gives: paths, pauses, errors of its own.
#[derive(Debug, Default)]
struct Given {
    /// The next path is waited for.
    is_starved: AtomicBool,
    /// Errors that have been given, and are still to come back.
    errors: AtomicUsize,
}

impl Given {
    /// The same paths, watched.
    fn watch(self: &Arc<Self>, mut paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let given = Arc::clone(self);
        stream::poll_fn(move |cx| {
            let path = paths.poll_next_unpin(cx);
            given.is_starved.store(path.is_pending(), Ordering::Relaxed);
            if matches!(path, Poll::Ready(Some(Err(_)))) {
                given.errors.fetch_add(1, Ordering::Relaxed);
            }
            path
        })
        .boxed()
    }

    /// What comes back is an error that the caller has given, and no word of the region's.
    fn is_callers(&self, item: &Result<Path>) -> bool {
        let less = |errors: usize| errors.checked_sub(1);
        item.is_err() && self.errors.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// One answer of a batch, whose beginning nobody has seen.
fn tell(core: &Core, home: usize, deleted: &Result<Path>) {
    core.wake_metrics();
    core.metrics.on_part(Operation::Delete, answer(deleted));
    let failure = deleted.as_ref().err().map(|error| Failure::of(error).in_flavor(core.regions.get(home).flavor));
    failure.iter().for_each(|failure| core.events.remember(home, failure));
    let outcome = failure.map_or(Outcome::Success, |failure| failure.class().into());
    core.metrics.on_attempt_ended(home, Operation::Delete, outcome, true);
}

fn tell_of_stall(core: &Core, home: usize) {
    core.wake_metrics();
    core.metrics.on_part(Operation::Delete, Answer::Error);
    core.events.remember(home, &Failure::new(FailureClass::Timeout, ""));
    core.metrics.on_attempt_ended(home, Operation::Delete, Outcome::Timeout, true);
}

/// Deletes of single objects under way at a time, where no batches can be made.
const DELETES_AT_ONCE: usize = 16;
