//! Reads in flight: the memory of a read that waits for its region.

use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use async_trait::async_trait;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use object_store_failover::config::HedgeConfig;
use object_store_failover::{FailoverStore, FailoverStoreBuilder, Region};
use tokio::runtime::{Builder, Runtime};

/// What a read waits for.
#[derive(Debug, Clone, Copy)]
pub enum WaitsFor {
    Headers,
    Body,
}

/// A region in which every read waits forever.
#[derive(Debug)]
struct PendingRegion(WaitsFor);

/// A store whose reads wait.
pub struct PendingStore {
    runtime: Runtime,
    store: Arc<dyn ObjectStore>,
}

/// Reads that wait. Dropping them cancels them.
pub struct PendingReads(
    #[expect(dead_code, reason = "held for its memory")] Vec<BoxFuture<'static, ()>>,
);

impl PendingStore {
    pub fn direct(waits_for: WaitsFor) -> Self {
        Self::over(Arc::new(PendingRegion(waits_for)))
    }

    /// Three regions, hedging on.
    pub fn through_failover(waits_for: WaitsFor) -> Self {
        let region = |index: usize| {
            Region::new(
                format!("region-{index}"),
                Arc::new(PendingRegion(waits_for)),
            )
        };
        let builder = (0..3)
            .map(region)
            .fold(FailoverStore::builder(), FailoverStoreBuilder::region);
        Self::over(Arc::new(
            builder
                .hedge(HedgeConfig::default())
                .build()
                .expect("valid settings"),
        ))
    }

    fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            runtime: Builder::new_current_thread()
                .enable_time()
                .build()
                .expect("a runtime"),
            store,
        }
    }

    /// Starts `count` reads and polls each waits_for it waits.
    pub fn begin(&self, count: usize) -> PendingReads {
        let _guard = self.runtime.enter();
        let mut reads: Vec<BoxFuture<'static, ()>> = Vec::with_capacity(count);
        for _ in 0..count {
            let store = Arc::clone(&self.store);
            let mut read: BoxFuture<'static, ()> = Box::pin(async move {
                let key = Path::from("key");
                let response = (*store)
                    .get_opts(&key, GetOptions::default())
                    .await
                    .expect("the read waits");
                response.bytes().await.expect("the body waits");
            });
            assert!(
                Pin::as_mut(&mut read)
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending(),
                "the read must wait"
            );
            reads.push(read);
        }
        PendingReads(reads)
    }
}

impl fmt::Display for PendingRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingRegion")
    }
}

fn unsupported<T>() -> Result<T> {
    Err(Error::NotImplemented {
        operation: "anything but get".into(),
        implementer: "PendingRegion".into(),
    })
}

#[async_trait]
impl ObjectStore for PendingRegion {
    async fn get_opts(&self, location: &Path, _: GetOptions) -> Result<GetResult> {
        let WaitsFor::Body = self.0 else {
            return pending().await;
        };
        let meta = ObjectMeta {
            location: location.clone(),
            last_modified: Default::default(),
            size: 1 << 20,
            e_tag: Some("\"0123456789abcdef0123456789abcdef\"".into()),
            version: None,
        };
        let payload = GetResultPayload::Stream(stream::pending().boxed());
        Ok(GetResult {
            payload,
            meta,
            range: 0..1 << 20,
            attributes: Default::default(),
            extensions: Default::default(),
        })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        unsupported()
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        unsupported()
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        stream::iter([unsupported()]).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter([unsupported()]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        unsupported()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unsupported()
    }
}
