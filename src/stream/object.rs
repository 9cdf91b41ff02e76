//! The identity of an object whose body may resume in another region.
//!
//! Two different objects must never be joined. The rest is requested with `If-Match` on the ETag of
//! the first response, and the new response must have the same ETag, the same total size and
//! exactly the missing range. If no region has that, the body ends with
//! [`FailoverError::ReplicaDiverged`]. An object without a strong ETag is never resumed.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectMeta, Result};

use crate::error::{FailoverError, Failure};
use crate::failover::{Engine, StartAt, record_failure};
use crate::health::Permit;
use crate::metrics::ResumeResult;
use crate::request::{ExpectedVersion, Get, Scope};
use crate::runtime::clock::{self, Instant};
use crate::stream::region_stream::RegionStream;
use crate::types::FailureClass;

/// The object that a body belongs to, and how to request the rest of it.
pub(super) struct ObjectIdentity {
    pub(super) engine: Arc<Engine>,
    pub(super) path: Path,
    options: GetOptions,
    pub(super) scope: Scope,
    tag: Option<String>,
    size: u64,
    pub(super) may_resume: bool,
}

impl ObjectIdentity {
    pub(super) fn new(
        engine: &Arc<Engine>,
        request: &Get<'_>,
        meta: &ObjectMeta,
        may_resume: bool,
    ) -> Self {
        // A weak tag does not promise identical bytes.
        let tag = meta.e_tag.clone().filter(|tag| !tag.starts_with("W/"));
        let scope = Scope {
            // The deadline of a call ends with its headers.
            deadline: None,
            ..request.scope
        };
        let (path, options) = (request.path.clone(), request.options.clone());
        Self {
            engine: Arc::clone(engine),
            path,
            options,
            scope,
            tag,
            size: meta.size,
            may_resume,
        }
    }

    /// The part of the body that `region` streams.
    pub(super) fn region_stream(
        &self,
        stream: BoxStream<'static, Result<Bytes>>,
        region: usize,
        permit: Permit,
    ) -> RegionStream<Result<Bytes>> {
        let stall = self.engine.regions.get(region).timeouts.stall;
        RegionStream::with_silence_detection(stream, stall, region, permit)
    }

    /// The rest can be read from another region.
    pub(super) fn can_resume(&self) -> bool {
        self.may_resume && self.tag.is_some() && self.scope.allowed.len() > 1
    }

    /// Records an interruption: of the observed `class`, otherwise as classified from the error.
    pub(super) fn record_failure(
        &self,
        stream: &mut RegionStream<Result<Bytes>>,
        class: Option<FailureClass>,
        cause: &Error,
        now: Instant,
    ) {
        let flavor = self.engine.regions.get(stream.region).flavor;
        let failure = class.map_or_else(
            || Failure::of(cause).in_flavor(flavor),
            |class| Failure::new(class, ""),
        );
        record_failure(
            &self.engine.events,
            stream.region,
            &mut stream.permit,
            &failure,
            now,
        );
    }

    /// Every region has failed at this byte.
    pub(super) fn exhausted_error(&self, region: usize, offset: u64, cause: Error) -> Error {
        let region = Arc::clone(&self.engine.regions.get(region).name);
        FailoverError::BodyLost {
            path: self.path.to_string(),
            region,
            offset,
            source: Box::new(cause),
        }
        .into()
    }

    /// The bytes of `rest` from another region, verified to be of the same object.
    ///
    /// # Errors
    ///
    /// [`FailoverError::ReplicaDiverged`] if no region has the same version, otherwise the error of
    /// the call.
    pub(super) async fn resume(
        self: Arc<Self>,
        failed: Vec<usize>,
        rest: Range<u64>,
        cause: Error,
    ) -> Result<RegionStream<Result<Bytes>>> {
        let from = failed[failed.len() - 1];
        let region = Arc::clone(&self.engine.regions.get(from).name);
        let diverged = |cause| {
            self.engine
                .metrics
                .on_resume_failed(from, ResumeResult::Diverged);
            let path = self.path.to_string();
            Err(FailoverError::ReplicaDiverged {
                path,
                region,
                offset: rest.start,
                source: Box::new(cause),
            }
            .into())
        };
        let Some(tag) = &self.tag else {
            return diverged(cause);
        };
        let options = GetOptions {
            range: Some(GetRange::Bounded(rest.clone())),
            if_match: Some(tag.clone()),
            // The caller's other conditions were checked by the first region.
            if_none_match: None,
            if_modified_since: None,
            ..self.options.clone()
        };
        // `Get::validate` turns a response with another tag, size or range into an error, and the
        // call continues in the next region.
        let version = Some(ExpectedVersion {
            tag,
            size: self.size,
        });
        let request = Get {
            path: &self.path,
            options: &options,
            scope: self.scope,
            version,
        };
        match self
            .engine
            .execute(&request, StartAt::AfterFailed(&failed), clock::now())
            .await
        {
            Ok(served) => {
                self.engine.metrics.on_resumed(from, served.region);
                Ok(self.region_stream(served.response.into_stream(), served.region, served.permit))
            }
            Err(error) if lacks_version(&error) => diverged(cause),
            Err(error) => {
                self.engine
                    .metrics
                    .on_resume_failed(from, ResumeResult::Failed);
                Err(error)
            }
        }
    }
}

/// All regions lack the version, or some lack it and the others did not respond.
fn lacks_version(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. } | Error::Precondition { .. })
        || matches!(
            FailoverError::find(error),
            Some(FailoverError::Undecided { .. })
        )
}
