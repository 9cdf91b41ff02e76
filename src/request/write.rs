//! Requests that write.
//!
//! A put or copy that overwrites may be repeated: both attempts write the same bytes. A conditional
//! one may not: if the first attempt took effect, the second finds its result and reports a
//! conflict.

use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, MultipartUpload, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, RenameOptions, Result,
};
use parking_lot::Mutex;

use super::options::without_call_options;
use super::{OnMissing, Request, RetrySafety, Scope, Target};
use crate::health::CircuitClass;
use crate::region::RegionState;
use crate::types::Operation;

/// `put_opts`.
#[derive(Debug)]
pub(crate) struct Put<'a> {
    pub(crate) path: &'a Path,
    pub(crate) payload: PutPayload,
    pub(crate) options: PutOptions,
    pub(crate) scope: Scope,
}

/// `put_multipart_opts`.
#[derive(Debug)]
pub(crate) struct CreateUpload<'a> {
    pub(crate) path: &'a Path,
    pub(crate) options: PutMultipartOptions,
    pub(crate) scope: Scope,
}

/// `copy_opts`.
#[derive(Debug)]
pub(crate) struct Copy<'a> {
    pub(crate) from: &'a Path,
    pub(crate) to: &'a Path,
    pub(crate) options: CopyOptions,
    pub(crate) scope: Scope,
}

/// `rename_opts`.
#[derive(Debug)]
pub(crate) struct Rename<'a> {
    pub(crate) from: &'a Path,
    pub(crate) to: &'a Path,
    pub(crate) options: RenameOptions,
    pub(crate) scope: Scope,
}

/// A delete of one object. It is best effort, so it has no circuit.
#[derive(Debug)]
pub(crate) struct Delete {
    pub(crate) path: Path,
    pub(crate) scope: Scope,
}

/// An operation whose future exists already: one part of an upload, or its completion.
pub(crate) struct OneShot<'f, T> {
    pub(crate) operation: Operation,
    pub(crate) path: &'f Path,
    pub(crate) scope: Scope,
    pub(crate) circuit: Option<CircuitClass>,
    pub(crate) safety: RetrySafety,
    pub(crate) extra_time: Duration,
    pub(crate) future: Mutex<Option<BoxFuture<'f, Result<T>>>>,
}

impl Request for Put<'_> {
    type Response = PutResult;

    fn operation(&self) -> Operation {
        Operation::Put
    }

    fn target(&self) -> Target<'_> {
        Target::Object(self.path)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn circuit(&self) -> Option<CircuitClass> {
        Some(CircuitClass::Write)
    }

    fn on_missing(&self) -> OnMissing {
        // The object need not exist: a 404 means that the bucket is missing.
        OnMissing::Misconfigured
    }

    fn retry_safety(&self) -> RetrySafety {
        if matches!(self.options.mode, PutMode::Overwrite) {
            RetrySafety::Repeatable
        } else {
            RetrySafety::IfUnsent
        }
    }

    fn extra_time(&self) -> Duration {
        transfer_time(self.payload.content_length())
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<PutResult>> {
        region.store().put_opts(
            self.path,
            self.payload.clone(),
            without_call_options(&self.options),
        )
    }
}

impl Request for CreateUpload<'_> {
    type Response = Box<dyn MultipartUpload>;

    fn operation(&self) -> Operation {
        Operation::Put
    }

    fn target(&self) -> Target<'_> {
        Target::Object(self.path)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn circuit(&self) -> Option<CircuitClass> {
        Some(CircuitClass::Write)
    }

    fn on_missing(&self) -> OnMissing {
        // The object need not exist: a 404 means that the bucket is missing.
        OnMissing::Misconfigured
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<Self::Response>> {
        region
            .store()
            .put_multipart_opts(self.path, without_call_options(&self.options))
    }
}

impl Request for Copy<'_> {
    type Response = ();

    fn operation(&self) -> Operation {
        Operation::Copy
    }

    fn target(&self) -> Target<'_> {
        Target::Object(self.from)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn circuit(&self) -> Option<CircuitClass> {
        Some(CircuitClass::Write)
    }

    /// The source may be in another region.
    fn on_missing(&self) -> OnMissing {
        OnMissing::TryNext
    }

    fn retry_safety(&self) -> RetrySafety {
        if matches!(self.options.mode, CopyMode::Overwrite) {
            RetrySafety::Repeatable
        } else {
            RetrySafety::IfUnsent
        }
    }

    /// A copy of a large object may take minutes: too long for a trial.
    fn may_be_trial(&self) -> bool {
        false
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<()>> {
        region
            .store()
            .copy_opts(self.from, self.to, without_call_options(&self.options))
    }
}

impl Request for Rename<'_> {
    type Response = ();

    fn operation(&self) -> Operation {
        Operation::Rename
    }

    fn target(&self) -> Target<'_> {
        Target::Object(self.from)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn circuit(&self) -> Option<CircuitClass> {
        Some(CircuitClass::Write)
    }

    fn on_missing(&self) -> OnMissing {
        OnMissing::TryNext
    }

    /// Most stores implement it as a copy and a delete.
    fn retry_safety(&self) -> RetrySafety {
        RetrySafety::NonAtomic
    }

    fn may_be_trial(&self) -> bool {
        false
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<()>> {
        region
            .store()
            .rename_opts(self.from, self.to, without_call_options(&self.options))
    }
}

impl Request for Delete {
    type Response = ();

    fn operation(&self) -> Operation {
        Operation::Delete
    }

    fn target(&self) -> Target<'_> {
        Target::Object(&self.path)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn circuit(&self) -> Option<CircuitClass> {
        None
    }

    /// The object may be in another region.
    fn on_missing(&self) -> OnMissing {
        OnMissing::TryNext
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<()>> {
        let path = self.path.clone();
        let mut deleted = region
            .store()
            .delete_stream(stream::once(async move { Ok(path) }).boxed());
        async move { deleted.next().await.transpose().map(|_| ()) }.boxed()
    }
}

impl<T: Send + 'static> Request for OneShot<'_, T> {
    type Response = T;

    fn operation(&self) -> Operation {
        self.operation
    }

    fn target(&self) -> Target<'_> {
        Target::Object(self.path)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn circuit(&self) -> Option<CircuitClass> {
        self.circuit
    }

    /// The object may be in another region.
    fn on_missing(&self) -> OnMissing {
        OnMissing::TryNext
    }

    fn retry_safety(&self) -> RetrySafety {
        self.safety
    }

    fn extra_time(&self) -> Duration {
        self.extra_time
    }

    fn attempt<'a>(&'a self, _: &'a RegionState) -> BoxFuture<'a, Result<T>> {
        let already_sent = || {
            async {
                Err(Error::Generic {
                    store: "FailoverStore",
                    source: "the request was already sent".into(),
                })
            }
            .boxed()
        };
        self.future.lock().take().unwrap_or_else(already_sent)
    }
}

/// One second per MiB, the slowest connection that is supported.
pub(crate) fn transfer_time(bytes: usize) -> Duration {
    Duration::from_secs((bytes as u64).div_ceil(1 << 20))
}
