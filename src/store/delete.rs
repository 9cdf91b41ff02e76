//! Deletes: passed to home as one stream, or one by one to any region.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, ready};

use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{Error, Result};

use super::FailoverStore;
use super::write::run_write;
use crate::error::{Failure, FailureClass};
use crate::failover::config::WriteRule;
use crate::failover::scope::ScopeQuery;
use crate::failover::{Engine, finish_request, request_result};
use crate::metrics::{AttemptResult, RequestResult};
use crate::request::Delete;
use crate::runtime::clock::Instant;
use crate::stream::stall::{StallEvent, StallGuard};
use crate::types::Operation;

/// Deletes follow the write policy. With one home the stream of paths is passed to its store, which
/// keeps its batch deletes; nothing is sent twice. With several regions each path is a call of its
/// own.
pub(super) fn delete_stream(
    store: &FailoverStore,
    paths: BoxStream<'static, Result<Path>>,
) -> BoxStream<'static, Result<Path>> {
    let engine = Arc::clone(&store.engine);
    match (engine.write_rule, engine.home) {
        (WriteRule::Home, Some(home)) => delete_at_home(engine, home, paths),
        (WriteRule::Anywhere, _) => paths
            .map(move |path| delete_any(Arc::clone(&engine), path).boxed())
            .buffered(CONCURRENT_DELETES)
            .boxed(),
        _ => paths.map(move |path| reject(&engine, &path?)).boxed(),
    }
}

async fn delete_any(engine: Arc<Engine>, path: Result<Path>) -> Result<Path> {
    let path = path?;
    let timer = engine.start_request(Operation::Delete);
    let deleted = delete_one(&engine, path, timer.started_at()).await;
    finish_request(timer, deleted)
}

async fn delete_one(engine: &Engine, path: Path, started_at: Instant) -> Result<Path> {
    let scope = engine.write_scope(
        false,
        ScopeQuery {
            operation: Operation::Delete,
            path: Some(&path),
            extensions: None,
        },
    )?;
    let request = Delete { path, scope };
    run_write(engine, &request, started_at).await?;
    Ok(request.path)
}

fn reject(engine: &Engine, path: &Path) -> Result<Path> {
    let timer = engine.start_request(Operation::Delete);
    let rejected = engine.write_scope(
        false,
        ScopeQuery {
            operation: Operation::Delete,
            path: Some(path),
            extensions: None,
        },
    );
    finish_request(timer, rejected).map(|_| path.clone())
}

fn delete_at_home(
    engine: Arc<Engine>,
    home: usize,
    paths: BoxStream<'static, Result<Path>>,
) -> BoxStream<'static, Result<Path>> {
    let region = engine.regions.get(home);
    let limit = region.timeouts.attempt(Operation::Delete);
    let input = Arc::new(InputMonitor::default());
    let mut deleted = StallGuard::new(
        region.store().delete_stream(input.watch(paths)),
        limit,
        limit,
    );
    let mut ended = false;
    stream::poll_fn(move |cx| {
        loop {
            if ended {
                return Poll::Ready(None);
            }
            match ready!(deleted.poll_step(cx)) {
                StallEvent::WaitTick | StallEvent::RegionSilent => {}
                // The store waits for the next path of the caller: home is not to blame.
                StallEvent::Stalled if input.is_starved.load(Ordering::Relaxed) => {
                    deleted.restart_wait();
                }
                StallEvent::Item(item) => {
                    ended = item.is_none();
                    // Errors of the caller's own stream come back as items as well.
                    item.iter()
                        .filter(|item| !input.is_from_caller(item))
                        .for_each(|item| record_delete(&engine, home, item));
                    return Poll::Ready(item);
                }
                StallEvent::Stalled => {
                    ended = true;
                    record_stall(&engine, home);
                    let name = &engine.regions.get(home).name;
                    let detail = format!(
                        "no response from {name} for {limit:?}; deletes may have taken effect"
                    );
                    return Poll::Ready(Some(Err(Error::Generic {
                        store: "FailoverStore",
                        source: detail.into(),
                    })));
                }
            }
        }
    })
    .boxed()
}

/// Distinguishes pauses and errors of the caller's stream of paths from those of the region.
#[derive(Debug, Default)]
struct InputMonitor {
    /// The caller's stream is pending.
    is_starved: AtomicBool,
    /// Errors of the caller's stream that the store has not returned yet.
    errors: AtomicUsize,
}

impl InputMonitor {
    /// The same stream, monitored.
    fn watch(
        self: &Arc<Self>,
        mut paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let input = Arc::clone(self);
        stream::poll_fn(move |cx| {
            let path = paths.poll_next_unpin(cx);
            input.is_starved.store(path.is_pending(), Ordering::Relaxed);
            if matches!(path, Poll::Ready(Some(Err(_)))) {
                input.errors.fetch_add(1, Ordering::Relaxed);
            }
            path
        })
        .boxed()
    }

    /// Whether an item is an error of the caller's stream. Each such error is returned once.
    fn is_from_caller(&self, item: &Result<Path>) -> bool {
        let decrement = |errors: usize| errors.checked_sub(1);
        item.is_err()
            && self
                .errors
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, decrement)
                .is_ok()
    }
}

/// Records one result of a batch. Its start is unknown, so there is no latency.
fn record_delete(engine: &Engine, home: usize, deleted: &Result<Path>) {
    engine.resolve_metrics();
    engine
        .metrics
        .on_batch_item(Operation::Delete, request_result(deleted));
    let failure = deleted
        .as_ref()
        .err()
        .map(|error| Failure::of(error).in_flavor(engine.regions.get(home).flavor));
    failure
        .iter()
        .for_each(|failure| engine.events.record_error(home, failure));
    let outcome = failure.map_or(AttemptResult::Success, |failure| {
        AttemptResult::Failed(failure.class())
    });
    engine
        .metrics
        .on_attempt_ended(home, Operation::Delete, outcome, true);
}

fn record_stall(engine: &Engine, home: usize) {
    engine.resolve_metrics();
    engine
        .metrics
        .on_batch_item(Operation::Delete, RequestResult::Error);
    engine
        .events
        .record_error(home, &Failure::new(FailureClass::Timeout, ""));
    engine.metrics.on_attempt_ended(
        home,
        Operation::Delete,
        AttemptResult::Failed(FailureClass::Timeout),
        true,
    );
}

/// Deletes of single objects in flight at a time.
const CONCURRENT_DELETES: usize = 16;
