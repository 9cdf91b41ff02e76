//! Deletes: in batches at home, or one by one in any region.

use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{Error, Result};

use super::FailoverStore;
use super::write::run_write;
use crate::error::Failure;
use crate::failover::config::WriteRule;
use crate::failover::scope::{ScopeQuery, check_key_length};
use crate::failover::{Engine, finish_request, record_failure, request_result};
use crate::health::Permit;
use crate::request::{Delete, Scope};
use crate::runtime::clock::{self, Instant};
use crate::stream::stall::{StallEvent, StallGuard};
use crate::types::{CircuitClass, Operation, Verdict};

/// Deletes follow the write policy. With one home its store gets the paths in batches and keeps its
/// bulk deletes; nothing is sent twice. With several regions each path is a call of its own.
pub(super) fn delete_stream(
    store: &FailoverStore,
    paths: BoxStream<'static, Result<Path>>,
) -> BoxStream<'static, Result<Path>> {
    let engine = Arc::clone(&store.engine);
    match (engine.write_rule, engine.home) {
        // Batches of what the caller has given so far. A batch that ends makes the store send it:
        // a store that waits for more paths, and a caller that waits for a result, would wait for
        // each other.
        (WriteRule::Home, Some(home)) => paths
            .ready_chunks(BATCH)
            .map(move |batch| delete_batch(Arc::clone(&engine), home, batch).boxed())
            .buffered(CONCURRENT_BATCHES)
            .flat_map(stream::iter)
            .boxed(),
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
    let scope = scope_of(engine, &path)?;
    let request = Delete { path, scope };
    run_write(engine, &request, started_at).await?;
    Ok(request.path)
}

fn reject(engine: &Engine, path: &Path) -> Result<Path> {
    let timer = engine.start_request(Operation::Delete);
    finish_request(timer, scope_of(engine, path)).map(|_| path.clone())
}

fn scope_of(engine: &Engine, path: &Path) -> Result<Scope> {
    let query = ScopeQuery {
        operation: Operation::Delete,
        path: Some(path),
        extensions: None,
    };
    engine.write_scope(false, query)
}

/// One batch in home: one result per item, in order. Errors of the caller's own stream stay where
/// they are.
async fn delete_batch(
    engine: Arc<Engine>,
    home: usize,
    batch: Vec<Result<Path>>,
) -> Vec<Result<Path>> {
    engine.resolve_metrics();
    let checked = |path: Result<Path>| path.and_then(|path| check_key_length(&path).map(|()| path));
    let (from_caller, paths): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(checked)
        .enumerate()
        .partition(|(_, path)| path.is_err());
    let paths: Vec<_> = paths
        .into_iter()
        .filter_map(|(_, path)| path.ok())
        .collect();
    let mut results = match paths.is_empty() {
        true => Vec::new(),
        false => send_batch(&engine, home, paths).await,
    };
    for result in &results {
        let answer = request_result(result);
        engine.metrics.on_batch_item(Operation::Delete, answer);
    }
    for (index, error) in from_caller {
        results.insert(index.min(results.len()), error);
    }
    results
}

/// Sends the paths to home, under its throttle. Deletes have no circuit.
async fn send_batch(engine: &Engine, home: usize, paths: Vec<Path>) -> Vec<Result<Path>> {
    let region = engine.regions.get(home);
    let throttle = region.throttle.acquire(CircuitClass::Write).await;
    let limit = region.timeouts.attempt(Operation::Delete);
    let mut permit = region.health.admit_untracked(CircuitClass::Write);
    permit.hold(throttle);
    permit.on_sent(Operation::Delete, false, limit, clock::now());
    let (count, batch) = (paths.len(), stream::iter(paths.into_iter().map(Ok)).boxed());
    let mut deleted = StallGuard::new(region.store().delete_stream(batch), limit, limit);
    let mut results = Vec::with_capacity(count);
    while results.len() < count {
        match std::future::poll_fn(|cx| deleted.poll_step(cx)).await {
            StallEvent::Item(Some(result)) => results.push(result),
            StallEvent::WaitTick | StallEvent::RegionSilent => {}
            StallEvent::Item(None) => {
                results.push(Err(no_response(&region.name, "the store ended the batch")));
            }
            StallEvent::Stalled => {
                let why = format!("no response for {limit:?}");
                results.resize_with(count, || Err(no_response(&region.name, &why)));
            }
        }
    }
    record_batch(engine, home, permit, &results);
    results
}

/// The first failure of a batch is its result: one attempt in metrics and events.
fn record_batch(engine: &Engine, home: usize, mut permit: Permit, results: &[Result<Path>]) {
    let (now, region) = (clock::now(), engine.regions.get(home));
    let classify = |error: &Error| Failure::of(error).in_flavor(region.flavor);
    let failures = results
        .iter()
        .filter_map(|result| result.as_ref().err().map(classify));
    let verdict = match failures
        .into_iter()
        .find(|failure| failure.class().is_failing())
    {
        Some(failure) => {
            record_failure(&engine.events, home, &mut permit, &failure, now);
            region
                .throttle
                .on_failure(CircuitClass::Write, &failure, now);
            failure.verdict().contradicted()
        }
        None => Verdict::Success,
    };
    permit.record(verdict, now);
}

fn no_response(region: &str, why: &str) -> Error {
    // A timeout, so that it is classified as one.
    let detail = format!("{region}: {why}; deletes may have taken effect");
    let source = std::io::Error::new(std::io::ErrorKind::TimedOut, detail);
    Error::Generic {
        store: "FailoverStore",
        source: source.into(),
    }
}

/// The size of an S3 bulk delete.
const BATCH: usize = 1000;
/// object_store sends up to 20 bulk deletes at once; results wait for those before them.
const CONCURRENT_BATCHES: usize = 8;
/// Single deletes at once under `any`.
const CONCURRENT_DELETES: usize = 16;
