//! A multipart upload, bound to the region that began it: its id means nothing anywhere else.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use parking_lot::Mutex;

use crate::failover::{Core, Route, run, settled};
use crate::health::CircuitClass;
use crate::operation::Operation;
use crate::region::RegionSet;
use crate::request::{Once, Safety, Scope, time_for};

pub(super) struct BoundUpload {
    core: Arc<Core>,
    region: usize,
    path: Path,
    upload: Box<dyn MultipartUpload>,
}

impl BoundUpload {
    pub(super) fn new(core: Arc<Core>, region: usize, path: Path, upload: Box<dyn MultipartUpload>) -> Self {
        Self { core, region, path, upload }
    }
}

#[async_trait]
impl MultipartUpload for BoundUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (core, region, path) = (Arc::clone(&self.core), self.region, self.path.clone());
        let extra_time = time_for(data.content_length());
        let part = self.upload.put_part(data);
        async move {
            let request = Once { extra_time, ..once(Operation::PutPart, &path, region, part) };
            in_region(&core, request).await
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let request = Once { safety: Safety::OnceForAll, ..once(Operation::Complete, &self.path, self.region, self.upload.complete()) };
        in_region(&self.core, request).await
    }

    /// Best effort, like a delete: no circuit hears of it.
    async fn abort(&mut self) -> Result<()> {
        let request = Once { circuit: None, ..once(Operation::Delete, &self.path, self.region, self.upload.abort()) };
        in_region(&self.core, request).await
    }
}

/// Work for the upload's own region.
fn once<'f, T>(operation: Operation, path: &'f Path, region: usize, work: BoxFuture<'f, Result<T>>) -> Once<'f, T> {
    let scope = Scope { allowed: RegionSet::one(region), first: None, deadline: None, is_pinned: true };
    let (circuit, extra_time) = (Some(CircuitClass::Write), Duration::ZERO);
    Once { operation, path, scope, circuit, safety: Safety::Once, extra_time, work: Mutex::new(Some(work)) }
}

async fn in_region<T: Send + 'static>(core: &Core, request: Once<'_, T>) -> Result<T> {
    let asked = core.asked(request.operation);
    let served = run(core, &request, Route::Rotation, asked.began()).await;
    let served = settled(asked, served)?;
    served.permit.succeed(served.at);
    Ok(served.answer)
}

impl fmt::Debug for BoundUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = &self.core.regions.get(self.region).name;
        f.debug_struct("BoundUpload").field("region", region).field("path", &self.path.as_ref()).field("upload", &self.upload).finish()
    }
}
