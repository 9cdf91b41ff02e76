//! A region of nothing but a latency and a capacity, and what it sees of the fleet.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::clock;

/// One region, as all clients share it.
#[derive(Debug)]
pub(crate) struct Site {
    began: Instant,
    /// Requests by the second.
    pub(crate) seen: Vec<AtomicU64>,
    /// Seconds during which it is dead.
    dead: std::ops::Range<u64>,
    /// Requests that it serves in a tenth of a second.
    capacity: u64,
    /// The tenth that is counted, and its requests.
    counted: Mutex<(u64, u64)>,
}

/// One client's way to it.
#[derive(Debug, Clone)]
pub(crate) struct Way(pub(crate) Arc<Site>);

impl Site {
    pub(crate) fn new(began: Instant, seconds: u64, dead: std::ops::Range<u64>, capacity: u64) -> Arc<Self> {
        let seen = (0..=seconds).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { began, seen, dead, capacity, counted: Mutex::new((0, 0)) })
    }

    /// A request arrives; whether it is served, or why not.
    fn arrive(&self) -> Result<()> {
        let millis = (clock::simulated() - self.began).as_millis() as u64;
        if let Some(second) = self.seen.get((millis / 1000) as usize) {
            second.fetch_add(1, Ordering::Relaxed);
        }
        if self.dead.contains(&(millis / 1000)) {
            let refused = std::io::Error::other("tcp connect error");
            return Err(Error::Generic { store: "S3", source: Box::new(HttpError::new(HttpErrorKind::Connect, refused)) });
        }
        let mut counted = self.counted.lock();
        *counted = if counted.0 == millis / 100 { (counted.0, counted.1 + 1) } else { (millis / 100, 1) };
        if counted.1 > self.capacity {
            let words = "Server returned non-2xx status code: 503 Slow Down: <Error><Code>SlowDown</Code></Error>";
            return Err(Error::Generic { store: "S3", source: words.into() });
        }
        Ok(())
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a region on paper")
    }
}

fn no<T>(what: &str) -> Result<T> {
    Err(Error::NotImplemented { operation: what.into(), implementer: "a region on paper".into() })
}

#[async_trait::async_trait]
impl ObjectStore for Way {
    async fn get_opts(&self, path: &Path, _: GetOptions) -> Result<GetResult> {
        let served = self.0.arrive();
        clock::pause(LATENCY).await;
        served?;
        let meta =
            ObjectMeta { location: path.clone(), last_modified: Default::default(), size: 1, e_tag: Some("1".into()), version: None };
        let payload = GetResultPayload::Stream(stream::iter([Ok(Bytes::from_static(b"1"))]).boxed());
        Ok(GetResult { payload, meta, range: 0..1, attributes: Default::default(), extensions: Default::default() })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        no("put")
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        no("put_multipart")
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::iter([no("delete")]).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter([no("list")]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        no("list_with_delimiter")
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        no("copy")
    }
}

const LATENCY: Duration = Duration::from_millis(20);
