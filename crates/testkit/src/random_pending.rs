//! A store whose futures and streams return `Pending` a random number of times.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use futures::FutureExt;
use futures::stream::{BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    UploadPart,
};
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Wraps a store: every call and every stream item is pending at random points.
#[derive(Debug)]
pub struct RandomPending {
    region: Arc<dyn ObjectStore>,
    pauses: Pauses,
}

/// A seeded source of pauses.
#[derive(Debug, Clone)]
struct Pauses {
    rng: Arc<Mutex<SmallRng>>,
    polls: RangeInclusive<u32>,
}

impl Pauses {
    async fn pause(&self) {
        let times = self.rng.lock().random_range(self.polls.clone());
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }

    /// The same items, each after a pause.
    fn between<T: Send + 'static>(&self, items: BoxStream<'static, T>) -> BoxStream<'static, T> {
        let pauses = self.clone();
        items
            .then(move |item| {
                let pauses = pauses.clone();
                async move {
                    pauses.pause().await;
                    item
                }
            })
            .boxed()
    }

    /// `work`, with a pause before and after it.
    async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        self.pause().await;
        let output = work.await;
        self.pause().await;
        output
    }
}

impl RandomPending {
    pub fn new(region: Arc<dyn ObjectStore>, seed: u64) -> Self {
        Self::with_polls(region, seed, 0..=2)
    }

    /// As `new`, with this number of pending polls at each point.
    pub fn with_polls(region: Arc<dyn ObjectStore>, seed: u64, polls: RangeInclusive<u32>) -> Self {
        let rng = Arc::new(Mutex::new(SmallRng::seed_from_u64(seed)));
        Self {
            region,
            pauses: Pauses { rng, polls },
        }
    }
}

impl fmt::Display for RandomPending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomPending")
    }
}

#[async_trait::async_trait]
impl ObjectStore for RandomPending {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.pauses
            .around(self.region.put_opts(path, payload, options))
            .await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self
            .pauses
            .around(self.region.put_multipart_opts(path, options))
            .await?;
        Ok(Box::new(RandomPendingUpload {
            upload,
            pauses: self.pauses.clone(),
        }))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let mut result = self
            .pauses
            .around(self.region.get_opts(path, options))
            .await?;
        let GetResultPayload::Stream(body) = result.payload else {
            unreachable!("the wrapped stores stream")
        };
        result.payload = GetResultPayload::Stream(self.pauses.between(body));
        Ok(result)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.pauses.between(self.region.delete_stream(paths))
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.pauses.between(self.region.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.pauses
            .between(self.region.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.pauses
            .around(self.region.list_with_delimiter(prefix))
            .await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.pauses
            .around(self.region.copy_opts(from, to, options))
            .await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.pauses
            .around(self.region.rename_opts(from, to, options))
            .await
    }
}

#[derive(Debug)]
struct RandomPendingUpload {
    upload: Box<dyn MultipartUpload>,
    pauses: Pauses,
}

#[async_trait::async_trait]
impl MultipartUpload for RandomPendingUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (part, pauses) = (self.upload.put_part(data), self.pauses.clone());
        async move { pauses.around(part).await }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.pauses.around(self.upload.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.pauses.around(self.upload.abort()).await
    }
}
