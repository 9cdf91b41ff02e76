//! Writes: each goes where the policy sends it, and comes back with one answer.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, MultipartUpload, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    RenameTargetMode, Result,
};

use super::upload::BoundUpload;
use super::{FailoverStore, wording};
use crate::failover::scope::Call;
use crate::failover::{Core, Route, Served, run};
use crate::operation::Operation;
use crate::request::{Copy, CreateUpload, Put, Rename, Request};
use crate::time::Instant;

pub(super) async fn put(store: &FailoverStore, path: &Path, payload: PutPayload, options: PutOptions, began: Instant) -> Result<PutResult> {
    wording::of_put(&options)?;
    let overwrites = matches!(options.mode, PutMode::Overwrite);
    let call = Call { operation: Operation::Put, path: Some(path), extensions: Some(&options.extensions) };
    let scope = store.core.write_scope(!overwrites, call)?;
    match written(&store.core, &Put { path, payload, options, scope }, began).await {
        // A conflict on the way to overwriting; "it exists already" would be a lie.
        Err(error @ Error::AlreadyExists { .. }) if overwrites => Err(Error::Generic { store: "FailoverStore", source: Box::new(error) }),
        answer => answer,
    }
}

/// The upload lives and dies in the region that began it.
pub(super) async fn create_upload(
    store: &FailoverStore,
    path: &Path,
    options: PutMultipartOptions,
    began: Instant,
) -> Result<Box<dyn MultipartUpload>> {
    wording::of_attributes(&options.attributes)?;
    let call = Call { operation: Operation::Put, path: Some(path), extensions: Some(&options.extensions) };
    let scope = store.core.write_scope(false, call)?;
    let request = CreateUpload { path, options, scope };
    let Served { answer, region, permit, at, .. } = run(&store.core, &request, Route::Rotation, began).await?;
    permit.succeed(at);
    Ok(Box::new(BoundUpload::new(Arc::clone(&store.core), region, path.clone(), answer)))
}

pub(super) async fn copy(store: &FailoverStore, from: &Path, to: &Path, options: CopyOptions, began: Instant) -> Result<()> {
    wording::of_key(to)?;
    let call = Call { operation: Operation::Copy, path: Some(from), extensions: Some(&options.extensions) };
    let scope = store.core.write_scope(!matches!(options.mode, CopyMode::Overwrite), call)?;
    written(&store.core, &Copy { from, to, options, scope }, began).await
}

/// The region's own rename, so that its two halves never straddle regions.
pub(super) async fn rename(store: &FailoverStore, from: &Path, to: &Path, options: RenameOptions, began: Instant) -> Result<()> {
    wording::of_key(to)?;
    let call = Call { operation: Operation::Rename, path: Some(from), extensions: Some(&options.extensions) };
    let scope = store.core.write_scope(!matches!(options.target_mode, RenameTargetMode::Overwrite), call)?;
    written(&store.core, &Rename { from, to, options, scope }, began).await
}

/// A write has its answer, and no body: the region's success is complete.
pub(super) async fn written<R: Request>(core: &Core, request: &R, began: Instant) -> Result<R::Answer> {
    let served = run(core, request, Route::Rotation, began).await?;
    served.permit.succeed(served.at);
    Ok(served.answer)
}
