//! Reads in flight: what one more of them takes of memory, while its region says nothing.

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
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use object_store_failover::{FailoverStore, FailoverStoreBuilder, HedgeConfig, Region};
use tokio::runtime::{Builder, Runtime};

/// Where a read stands still.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    Headers,
    Body,
}

/// A region that lets every read stand still.
#[derive(Debug)]
struct Still(Until);

pub struct Flights {
    runtime: Runtime,
    store: Arc<dyn ObjectStore>,
}

/// Reads that wait; dropped, they are given up.
pub struct InFlight(#[expect(dead_code, reason = "held for what it takes")] Vec<BoxFuture<'static, ()>>);

impl Flights {
    pub fn direct(until: Until) -> Self {
        Self::over(Arc::new(Still(until)))
    }

    /// Three regions, everything on.
    pub fn through_failover(until: Until) -> Self {
        let region = |index: usize| Region::new(format!("region-{index}"), Arc::new(Still(until)));
        let builder = (0..3).map(region).fold(FailoverStore::builder(), FailoverStoreBuilder::region);
        Self::over(Arc::new(builder.hedge(HedgeConfig::default()).build().expect("settings that go together")))
    }

    fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self { runtime: Builder::new_current_thread().enable_time().build().expect("a runtime"), store }
    }

    /// So many reads, each polled until it waits.
    pub fn begin(&self, count: usize) -> InFlight {
        let _inside = self.runtime.enter();
        let mut reads: Vec<BoxFuture<'static, ()>> = Vec::with_capacity(count);
        for _ in 0..count {
            let store = Arc::clone(&self.store);
            let mut read: BoxFuture<'static, ()> = Box::pin(async move {
                let key = Path::from("key");
                let answer = (*store).get_opts(&key, GetOptions::default()).await.expect("an answer, if any");
                answer.bytes().await.expect("a body, if any");
            });
            assert!(Pin::as_mut(&mut read).poll(&mut Context::from_waker(Waker::noop())).is_pending(), "it waits");
            reads.push(read);
        }
        InFlight(reads)
    }
}

impl fmt::Display for Still {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Still")
    }
}

fn no<T>() -> Result<T> {
    Err(Error::NotImplemented { operation: "anything but a get".into(), implementer: "Still".into() })
}

#[async_trait]
impl ObjectStore for Still {
    async fn get_opts(&self, location: &Path, _: GetOptions) -> Result<GetResult> {
        let Until::Body = self.0 else { return pending().await };
        let meta = ObjectMeta {
            location: location.clone(),
            last_modified: Default::default(),
            size: 1 << 20,
            e_tag: Some("\"0123456789abcdef0123456789abcdef\"".into()),
            version: None,
        };
        let payload = GetResultPayload::Stream(stream::pending().boxed());
        Ok(GetResult { payload, meta, range: 0..1 << 20, attributes: Default::default(), extensions: Default::default() })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        no()
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        no()
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::iter([no()]).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter([no()]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        no()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        no()
    }
}
