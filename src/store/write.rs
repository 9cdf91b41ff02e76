//! Writes: each goes where the policy sends it, and comes back with one answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, ready};

use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, MultipartUpload, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    RenameTargetMode, Result,
};

use super::FailoverStore;
use super::upload::BoundUpload;
use crate::failover::scope::{Call, WriteRule};
use crate::failover::{Core, Route, Served, run};
use crate::operation::Operation;
use crate::request::{Copy, CreateUpload, Delete, Put, Rename, Request};
use crate::stall::{Patient, Step};
use crate::time;

pub(super) async fn put(store: &FailoverStore, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
    let overwrites = matches!(options.mode, PutMode::Overwrite);
    let call = Call { operation: Operation::Put, path: Some(path), extensions: Some(&options.extensions) };
    let scope = store.core.write_scope(!overwrites, call)?;
    match written(&store.core, &Put { path, payload, options, scope }).await {
        // A conflict on the way to overwriting; "it exists already" would be a lie.
        Err(error @ Error::AlreadyExists { .. }) if overwrites => Err(Error::Generic { store: "FailoverStore", source: Box::new(error) }),
        answer => answer,
    }
}

/// The upload lives and dies in the region that began it.
pub(super) async fn create_upload(store: &FailoverStore, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
    let call = Call { operation: Operation::Put, path: Some(path), extensions: Some(&options.extensions) };
    let scope = store.core.write_scope(false, call)?;
    let Served { answer, region, permit, .. } = run(&store.core, &CreateUpload { path, options, scope }, Route::Rotation).await?;
    permit.succeed(time::now());
    Ok(Box::new(BoundUpload::new(Arc::clone(&store.core), region, path.clone(), answer)))
}

pub(super) async fn copy(store: &FailoverStore, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
    let call = Call { operation: Operation::Copy, path: Some(from), extensions: Some(&options.extensions) };
    let scope = store.core.write_scope(!matches!(options.mode, CopyMode::Overwrite), call)?;
    written(&store.core, &Copy { from, to, options, scope }).await
}

/// The region's own rename, so that its two halves never straddle regions.
pub(super) async fn rename(store: &FailoverStore, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
    let call = Call { operation: Operation::Rename, path: Some(from), extensions: Some(&options.extensions) };
    let scope = store.core.write_scope(!matches!(options.target_mode, RenameTargetMode::Overwrite), call)?;
    written(&store.core, &Rename { from, to, options, scope }).await
}

/// Deletes go where writes go. With one home they are handed over whole, so that its own batches stay; what was sent is never sent
/// again, here or there. With several regions each path is a call of its own.
pub(super) fn delete_stream(store: &FailoverStore, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
    let core = Arc::clone(&store.core);
    match (core.write_rule, core.home) {
        (WriteRule::Home, Some(home)) => deleted_at_home(&core, home, paths),
        (WriteRule::Anywhere, _) => {
            paths.map(move |path| delete_anywhere(Arc::clone(&core), path).boxed()).buffered(DELETES_AT_ONCE).boxed()
        }
        _ => paths.map(move |path| delete_refused(&core, &path?)).boxed(),
    }
}

async fn delete_anywhere(core: Arc<Core>, path: Result<Path>) -> Result<Path> {
    let path = path?;
    let scope = core.write_scope(false, Call { operation: Operation::Delete, path: Some(&path), extensions: None })?;
    let request = Delete { path, scope };
    written(&core, &request).await?;
    Ok(request.path)
}

fn delete_refused(core: &Core, path: &Path) -> Result<Path> {
    core.write_scope(false, Call { operation: Operation::Delete, path: Some(path), extensions: None })?;
    Ok(path.clone())
}

fn deleted_at_home(core: &Arc<Core>, home: usize, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
    let region = core.regions.get(home);
    let limit = region.limits.attempt(Operation::Delete);
    let name = Arc::clone(&region.name);
    // While the caller has no path to give, it is not home that keeps us waiting.
    let starved = Arc::new(AtomicBool::new(false));
    let mut deleted = Patient::new(region.store.delete_stream(watched(paths, Arc::clone(&starved))), limit, limit);
    let mut ended = false;
    stream::poll_fn(move |cx| {
        loop {
            if ended {
                return Poll::Ready(None);
            }
            match ready!(deleted.poll_step(cx)) {
                Step::StillWaiting | Step::Abandoned => {}
                Step::Stalled if starved.load(Ordering::Relaxed) => deleted.start_again(),
                Step::Item(item) => {
                    ended = item.is_none();
                    return Poll::Ready(item);
                }
                Step::Stalled => {
                    ended = true;
                    let why = format!("deletes in {name} have had no answer for {limit:?}; they may have taken effect");
                    return Poll::Ready(Some(Err(Error::Generic { store: "FailoverStore", source: why.into() })));
                }
            }
        }
    })
    .boxed()
}

/// The same paths; `starved` while the next one is waited for.
fn watched(mut paths: BoxStream<'static, Result<Path>>, starved: Arc<AtomicBool>) -> BoxStream<'static, Result<Path>> {
    stream::poll_fn(move |cx| {
        let path = paths.poll_next_unpin(cx);
        starved.store(path.is_pending(), Ordering::Relaxed);
        path
    })
    .boxed()
}

/// A write has its answer, and no body: the region's success is complete.
async fn written<R: Request>(core: &Core, request: &R) -> Result<R::Answer> {
    let served = run(core, request, Route::Rotation).await?;
    served.permit.succeed(time::now());
    Ok(served.answer)
}

/// Deletes of single objects under way at a time, where no batches can be made.
const DELETES_AT_ONCE: usize = 16;
