//! A region whose reads run a function first: it may fail in ways that no script has, or panic.

use std::fmt;
use std::sync::Arc;

use failover_testkit::NAMES;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use object_store_failover::{FailoverStore, FailoverStoreBuilder, Region};

/// Runs at the start of a get, and of a listing before its stream exists.
pub(crate) type Hook = fn(&Path) -> Result<()>;

#[derive(Debug)]
struct OnRead {
    bucket: InMemory,
    on_read: Hook,
}

/// A builder over regions of one bucket, one for each hook.
pub(crate) fn regions(bucket: &InMemory, hooks: &[Hook]) -> FailoverStoreBuilder {
    hooks
        .iter()
        .zip(NAMES)
        .fold(FailoverStore::builder().seed(7), |builder, (hook, name)| {
            let (bucket, on_read) = (bucket.clone(), *hook);
            builder.region(Region::new(name, Arc::new(OnRead { bucket, on_read })))
        })
}

impl fmt::Display for OnRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRead")
    }
}

#[async_trait::async_trait]
impl ObjectStore for OnRead {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.bucket.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.bucket.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        (self.on_read)(path)?;
        self.bucket.get_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.bucket.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match (self.on_read)(&Path::default()) {
            Ok(()) => self.bucket.list(prefix),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.bucket.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.bucket.copy_opts(from, to, options).await
    }
}
