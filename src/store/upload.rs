//! A multipart upload, bound to the region that created it: its id is unknown to all others.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use parking_lot::Mutex;

use crate::failover::{Engine, StartAt, finish_request};
use crate::health::CircuitClass;
use crate::region::RegionSet;
use crate::request::{OneShot, RetrySafety, Scope, transfer_time};
use crate::types::{Operation, Verdict};

pub(super) struct RegionUpload {
    engine: Arc<Engine>,
    region: usize,
    path: Path,
    upload: Box<dyn MultipartUpload>,
}

impl RegionUpload {
    pub(super) fn new(
        engine: Arc<Engine>,
        region: usize,
        path: Path,
        upload: Box<dyn MultipartUpload>,
    ) -> Self {
        Self {
            engine,
            region,
            path,
            upload,
        }
    }
}

#[async_trait]
impl MultipartUpload for RegionUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (engine, region, path) = (Arc::clone(&self.engine), self.region, self.path.clone());
        let extra_time = transfer_time(data.content_length());
        let part = self.upload.put_part(data);
        async move {
            let request = OneShot {
                extra_time,
                ..one_shot(Operation::PutPart, &path, region, part)
            };
            in_region(&engine, request).await
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let request = OneShot {
            safety: RetrySafety::SingleUseUnknown,
            ..one_shot(
                Operation::Complete,
                &self.path,
                self.region,
                self.upload.complete(),
            )
        };
        in_region(&self.engine, request).await
    }

    /// Best effort like a delete, so it has no circuit.
    async fn abort(&mut self) -> Result<()> {
        let request = OneShot {
            circuit: None,
            ..one_shot(
                Operation::Delete,
                &self.path,
                self.region,
                self.upload.abort(),
            )
        };
        in_region(&self.engine, request).await
    }
}

/// A request for the region of the upload only.
fn one_shot<'f, T>(
    operation: Operation,
    path: &'f Path,
    region: usize,
    future: BoxFuture<'f, Result<T>>,
) -> OneShot<'f, T> {
    let scope = Scope {
        allowed: RegionSet::one(region),
        first: None,
        home: None,
        avoided: RegionSet::default(),
        deadline: None,
        is_pinned: true,
    };
    let (circuit, extra_time) = (Some(CircuitClass::Write), Duration::ZERO);
    OneShot {
        operation,
        path,
        scope,
        circuit,
        safety: RetrySafety::SingleUse,
        extra_time,
        future: Mutex::new(Some(future)),
    }
}

async fn in_region<T: Send + 'static>(engine: &Engine, request: OneShot<'_, T>) -> Result<T> {
    let timer = engine.start_request(request.operation);
    let served = engine
        .execute(&request, StartAt::Rotation, timer.started_at())
        .await;
    let served = finish_request(timer, served)?;
    served.permit.record(Verdict::Success, served.at);
    Ok(served.response)
}

impl fmt::Debug for RegionUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = &self.engine.regions.get(self.region).name;
        f.debug_struct("RegionUpload")
            .field("region", region)
            .field("path", &self.path.as_ref())
            .field("upload", &self.upload)
            .finish()
    }
}
