//! Writes: put, multipart upload, copy and rename, in the regions that the write policy allows.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, MultipartUpload, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, RenameOptions, RenameTargetMode, Result,
};

use super::upload::RegionUpload;
use super::{FailoverStore, validate};
use crate::failover::scope::ScopeQuery;
use crate::failover::{Engine, Served, StartAt};
use crate::request::{Copy, CreateUpload, Put, Rename, Request};
use crate::runtime::clock::Instant;
use crate::types::{Operation, Verdict};

pub(super) async fn put(
    store: &FailoverStore,
    path: &Path,
    payload: PutPayload,
    options: PutOptions,
    started_at: Instant,
) -> Result<PutResult> {
    validate::of_put(&options)?;
    let overwrites = matches!(options.mode, PutMode::Overwrite);
    let query = ScopeQuery {
        operation: Operation::Put,
        path: Some(path),
        extensions: Some(&options.extensions),
    };
    let scope = store.engine.write_scope(!overwrites, query)?;
    let request = Put {
        path,
        payload,
        options,
        scope,
    };
    run_put(&store.engine, &request, overwrites, started_at).await
}

/// Starts an upload. All of its parts stay in the region that created it.
pub(super) async fn create_upload(
    store: &FailoverStore,
    path: &Path,
    options: PutMultipartOptions,
    started_at: Instant,
) -> Result<Box<dyn MultipartUpload>> {
    validate::of_attributes(&options.attributes)?;
    let query = ScopeQuery {
        operation: Operation::Put,
        path: Some(path),
        extensions: Some(&options.extensions),
    };
    let scope = store.engine.write_scope(false, query)?;
    let request = CreateUpload {
        path,
        options,
        scope,
    };
    let Served {
        response,
        region,
        permit,
        at,
        ..
    } = store
        .engine
        .execute(&request, StartAt::Rotation, started_at)
        .await?;
    permit.record(Verdict::Success, at);
    Ok(Box::new(RegionUpload::new(
        Arc::clone(&store.engine),
        region,
        path.clone(),
        response,
    )))
}

pub(super) async fn copy(
    store: &FailoverStore,
    from: &Path,
    to: &Path,
    options: CopyOptions,
    started_at: Instant,
) -> Result<()> {
    validate::of_key(to)?;
    let query = ScopeQuery {
        operation: Operation::Copy,
        path: Some(scope_key(store, from, to)),
        extensions: Some(&options.extensions),
    };
    let overwrites = matches!(options.mode, CopyMode::Overwrite);
    let scope = store.engine.write_scope(!overwrites, query)?;
    let request = Copy {
        from,
        to,
        options,
        scope,
    };
    run_put(&store.engine, &request, overwrites, started_at).await
}

/// Uses the rename of one region, so that its copy and its delete happen in the same region.
pub(super) async fn rename(
    store: &FailoverStore,
    from: &Path,
    to: &Path,
    options: RenameOptions,
    started_at: Instant,
) -> Result<()> {
    validate::of_key(to)?;
    let query = ScopeQuery {
        operation: Operation::Rename,
        path: Some(scope_key(store, from, to)),
        extensions: Some(&options.extensions),
    };
    let overwrites = matches!(options.target_mode, RenameTargetMode::Overwrite);
    let scope = store.engine.write_scope(!overwrites, query)?;
    let request = Rename {
        from,
        to,
        options,
        scope,
    };
    run_put(&store.engine, &request, overwrites, started_at).await
}

/// The key that decides where a copy happens: at home, if one of the keys belongs there.
fn scope_key<'a>(store: &FailoverStore, from: &'a Path, to: &'a Path) -> &'a Path {
    if store.engine.belongs_to_home(Some(to)) {
        to
    } else {
        from
    }
}

/// Runs a write that creates an object. A 409 to one that overwrites is a conflict with another
/// writer: `AlreadyExists` would make no sense.
async fn run_put<R: Request>(
    engine: &Engine,
    request: &R,
    overwrites: bool,
    started_at: Instant,
) -> Result<R::Response> {
    run_write(engine, request, started_at)
        .await
        .map_err(|error| match error {
            Error::AlreadyExists { .. } if overwrites => Error::Generic {
                store: "FailoverStore",
                source: Box::new(error),
            },
            error => error,
        })
}

/// A write has no body: its success is complete with the response.
pub(super) async fn run_write<R: Request>(
    engine: &Engine,
    request: &R,
    started_at: Instant,
) -> Result<R::Response> {
    let served = engine
        .execute(request, StartAt::Rotation, started_at)
        .await?;
    served.permit.record(Verdict::Success, served.at);
    Ok(served.response)
}
