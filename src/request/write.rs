//! The calls that write.
//!
//! A put or copy that overwrites may be repeated: whichever of two lands last has the same bytes. One that must not overwrite may
//! not: the first may have taken effect, and the second would then find its own work and call it somebody else's.

use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, MultipartUpload, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use parking_lot::Mutex;

use super::{Absence, Request, Safety, Scope, Target};
use crate::health::CircuitClass;
use crate::operation::Operation;
use crate::region::RegionState;

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

/// A delete of one object. Nobody waits for a best-effort delete: no circuit hears of it.
#[derive(Debug)]
pub(crate) struct Delete {
    pub(crate) path: Path,
    pub(crate) scope: Scope,
}

/// Work that has its own future already: a part of an upload, or its end.
pub(crate) struct Once<'f, T> {
    pub(crate) operation: Operation,
    pub(crate) path: &'f Path,
    pub(crate) scope: Scope,
    pub(crate) circuit: Option<CircuitClass>,
    pub(crate) safety: Safety,
    pub(crate) extra_time: Duration,
    pub(crate) work: Mutex<Option<BoxFuture<'f, Result<T>>>>,
}

impl Request for Put<'_> {
    type Answer = PutResult;

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

    fn absence(&self) -> Absence {
        Absence::Final
    }

    fn safety(&self) -> Safety {
        if matches!(self.options.mode, PutMode::Overwrite) { Safety::Repeatable } else { Safety::OnlyUnsent }
    }

    fn extra_time(&self) -> Duration {
        time_for(self.payload.content_length())
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<PutResult>> {
        region.store().put_opts(self.path, self.payload.clone(), self.options.clone())
    }
}

impl Request for CreateUpload<'_> {
    type Answer = Box<dyn MultipartUpload>;

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

    fn absence(&self) -> Absence {
        Absence::Final
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<Self::Answer>> {
        region.store().put_multipart_opts(self.path, self.options.clone())
    }
}

impl Request for Copy<'_> {
    type Answer = ();

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
    fn absence(&self) -> Absence {
        Absence::MoveOn
    }

    fn safety(&self) -> Safety {
        if matches!(self.options.mode, CopyMode::Overwrite) { Safety::Repeatable } else { Safety::OnlyUnsent }
    }

    /// Its answer may take minutes: too long to be a trial.
    fn may_try(&self) -> bool {
        false
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<()>> {
        region.store().copy_opts(self.from, self.to, self.options.clone())
    }
}

impl Request for Rename<'_> {
    type Answer = ();

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

    fn absence(&self) -> Absence {
        Absence::MoveOn
    }

    /// Most stores copy and then delete.
    fn safety(&self) -> Safety {
        Safety::InSteps
    }

    fn may_try(&self) -> bool {
        false
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<()>> {
        region.store().rename_opts(self.from, self.to, self.options.clone())
    }
}

impl Request for Delete {
    type Answer = ();

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

    fn absence(&self) -> Absence {
        Absence::Final
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<()>> {
        let path = self.path.clone();
        let mut deleted = region.store().delete_stream(stream::once(async move { Ok(path) }).boxed());
        async move { deleted.next().await.transpose().map(|_| ()) }.boxed()
    }
}

impl<T: Send + 'static> Request for Once<'_, T> {
    type Answer = T;

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

    fn absence(&self) -> Absence {
        Absence::Final
    }

    fn safety(&self) -> Safety {
        self.safety
    }

    fn extra_time(&self) -> Duration {
        self.extra_time
    }

    fn attempt<'a>(&'a self, _: &'a RegionState) -> BoxFuture<'a, Result<T>> {
        let spent = || async { Err(Error::Generic { store: "FailoverStore", source: "it was sent before".into() }) }.boxed();
        self.work.lock().take().unwrap_or_else(spent)
    }
}

/// A second for each MiB: slower lines than that are no lines for objects.
pub(crate) fn time_for(bytes: usize) -> Duration {
    Duration::from_secs((bytes as u64).div_ceil(1 << 20))
}
