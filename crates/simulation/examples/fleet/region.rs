//! A region modelled as a latency and a capacity. It counts its requests by the second.

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
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;
use tokio::time::Instant;

/// One region, shared by all clients.
#[derive(Debug)]
pub(crate) struct ModelledRegion {
    started_at: Instant,
    /// Requests by the second.
    pub(crate) requests: Vec<AtomicU64>,
    /// The seconds in which it refuses connections.
    down: std::ops::Range<u64>,
    /// Requests that it serves per tenth of a second.
    capacity: u64,
    /// The current tenth of a second, and the requests in it.
    counted: Mutex<(u64, u64)>,
}

/// The store of one client for the region.
#[derive(Debug, Clone)]
pub(crate) struct RegionStore(pub(crate) Arc<ModelledRegion>);

impl ModelledRegion {
    pub(crate) fn new(
        started_at: Instant,
        seconds: u64,
        down: std::ops::Range<u64>,
        capacity: u64,
    ) -> Arc<Self> {
        let requests = (0..=seconds).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self {
            started_at,
            requests,
            down,
            capacity,
            counted: Mutex::new((0, 0)),
        })
    }

    /// Counts a request; fails if the region is down or at its capacity.
    fn arrive(&self) -> Result<()> {
        let millis = (Instant::now() - self.started_at).as_millis() as u64;
        if let Some(second) = self.requests.get((millis / 1000) as usize) {
            second.fetch_add(1, Ordering::Relaxed);
        }
        if self.down.contains(&(millis / 1000)) {
            let refused = std::io::Error::other("tcp connect error");
            return Err(Error::Generic {
                store: "S3",
                source: Box::new(HttpError::new(HttpErrorKind::Connect, refused)),
            });
        }
        let mut counted = self.counted.lock();
        *counted = if counted.0 == millis / 100 {
            (counted.0, counted.1 + 1)
        } else {
            (millis / 100, 1)
        };
        if counted.1 > self.capacity {
            let text = "Server returned non-2xx status code: 503 Slow Down: \
                         <Error><Code>SlowDown</Code></Error>";
            return Err(Error::Generic {
                store: "S3",
                source: text.into(),
            });
        }
        Ok(())
    }
}

impl fmt::Display for RegionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("modelled region")
    }
}

fn unsupported<T>(what: &str) -> Result<T> {
    Err(Error::NotImplemented {
        operation: what.into(),
        implementer: "modelled region".into(),
    })
}

#[async_trait::async_trait]
impl ObjectStore for RegionStore {
    async fn get_opts(&self, path: &Path, _: GetOptions) -> Result<GetResult> {
        let served = self.0.arrive();
        tokio::time::sleep(LATENCY).await;
        served?;
        let meta = ObjectMeta {
            location: path.clone(),
            last_modified: Default::default(),
            size: 1,
            e_tag: Some("1".into()),
            version: None,
        };
        let payload =
            GetResultPayload::Stream(stream::iter([Ok(Bytes::from_static(b"1"))]).boxed());
        Ok(GetResult {
            payload,
            meta,
            range: 0..1,
            attributes: Default::default(),
            extensions: Default::default(),
        })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        unsupported("put")
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        unsupported("put_multipart")
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        stream::iter([unsupported("delete")]).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter([unsupported("list")]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        unsupported("list_with_delimiter")
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unsupported("copy")
    }
}

const LATENCY: Duration = Duration::from_millis(20);
