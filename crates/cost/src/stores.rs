//! Stores over one bucket in memory: the bucket itself, wrappers, and `FailoverStore`.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use object_store::limit::LimitStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use object_store_failover::config::{HedgeConfig, ThrottleConfig};
use object_store_failover::{
    FailoverStore, FailoverStoreBuilder, NotFoundPolicy, Region, WritePolicy,
};
use tokio::runtime::{Builder, Runtime};

/// A store under measurement, with its runtime and metrics recorder.
pub struct Peer {
    pub name: String,
    store: Box<dyn ObjectStore>,
    runtime: Runtime,
    /// Local to this peer: a store resolves its metrics at the first request.
    recorder: Option<PrometheusRecorder>,
}

/// The measured request.
#[derive(Debug, Clone, Copy)]
pub enum Request {
    Get,
    Head,
    /// Two parts of 100 bytes.
    Ranges,
    /// A hundred keys.
    List,
    Missing,
}

impl Peer {
    fn new(name: impl Into<String>, store: impl ObjectStore) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        let peer = Self {
            name: name.into(),
            store: Box::new(store),
            runtime,
            recorder: None,
        };
        peer.ask(Request::Get, 100);
        peer
    }

    fn recorded(name: impl Into<String>, store: impl ObjectStore) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        let recorder = PrometheusBuilder::new().build_recorder();
        let peer = Self {
            name: name.into(),
            store: Box::new(store),
            runtime,
            recorder: Some(recorder),
        };
        peer.ask(Request::Get, 100);
        peer
    }

    /// Sends the request this many times, one after the other.
    pub fn ask(&self, request: Request, times: u64) {
        let run = || {
            self.runtime.block_on(async {
                for _ in 0..times {
                    ask(&*self.store, request).await
                }
            })
        };
        match &self.recorder {
            Some(recorder) => metrics::with_local_recorder(recorder, run),
            None => run(),
        }
    }
}

async fn ask(store: &dyn ObjectStore, request: Request) {
    let key = Path::from(KEY);
    match request {
        Request::Get => {
            let response = store
                .get_opts(&key, GetOptions::default())
                .await
                .expect("the key exists");
            std::hint::black_box(response.bytes().await.expect("a complete body"));
        }
        Request::Head => drop(std::hint::black_box(
            store.head(&key).await.expect("the key exists"),
        )),
        Request::Ranges => drop(std::hint::black_box(
            store
                .get_ranges(&key, &[0..100, 900..1_000])
                .await
                .expect("the ranges exist"),
        )),
        Request::List => assert_eq!(store.list(Some(&Path::from("many"))).count().await, 100),
        Request::Missing => drop(std::hint::black_box(
            store
                .get_opts(&Path::from("no/such/key"), GetOptions::default())
                .await
                .expect_err("no such key"),
        )),
    }
}

/// The bucket without a wrapper.
pub fn direct() -> Peer {
    Peer::new("InMemory", bucket(""))
}

/// The cost of any wrapper of a `dyn ObjectStore`.
pub fn pass_through() -> Peer {
    Peer::new("a no-op wrapper", PassThrough(Arc::new(bucket(""))))
}

pub fn limit_store() -> Peer {
    Peer::new(
        "LimitStore",
        LimitStore::new(Arc::new(bucket("")) as Arc<dyn ObjectStore>, 16),
    )
}

pub fn prefix_store() -> Peer {
    Peer::new(
        "PrefixStore",
        PrefixStore::new(
            Arc::new(bucket("some/prefix/")) as Arc<dyn ObjectStore>,
            "some/prefix",
        ),
    )
}

/// Three regions, default settings.
pub fn defaults() -> Peer {
    Peer::new("FailoverStore, defaults", build(over(3)))
}

/// Hedging and throttles on.
pub fn everything() -> Peer {
    Peer::new("FailoverStore, everything on", build(everything_on(3)))
}

/// The same, with a Prometheus recorder.
pub fn everything_recorded() -> Peer {
    Peer::recorded(
        "FailoverStore, everything on, Prometheus",
        build(everything_on(3)),
    )
}

/// Hedging and throttles on, `count` regions.
pub fn regions(count: usize) -> Peer {
    Peer::new(format!("{count} regions"), build(everything_on(count)))
}

/// The bucket, and a store for each policy for missing keys.
pub fn missing() -> Vec<Peer> {
    let policies = [
        NotFoundPolicy::First,
        NotFoundPolicy::Home,
        NotFoundPolicy::Reachable,
        NotFoundPolicy::Unanimous,
    ];
    let stores = policies.map(|policy| {
        let home = (policy == NotFoundPolicy::Home).then(|| "region-0".to_owned());
        let builder = over(3).writes(WritePolicy::None { home }).not_found(policy);
        Peer::new(
            format!("FailoverStore, not_found = {policy:?}"),
            build(builder),
        )
    });
    std::iter::once(direct()).chain(stores).collect()
}

/// All stores, in the order of the table.
pub fn all() -> Vec<Peer> {
    vec![
        direct(),
        pass_through(),
        limit_store(),
        prefix_store(),
        defaults(),
        everything(),
        everything_recorded(),
    ]
}

fn everything_on(regions: usize) -> FailoverStoreBuilder {
    // Limits that are never reached: a wait is not a cost.
    let throttle = ThrottleConfig {
        reads_per_second: 100_000_000,
        max_in_flight: Some(1_000),
        ..ThrottleConfig::default()
    };
    over(regions)
        .hedge(HedgeConfig::default())
        .throttle(throttle)
}

fn build(builder: FailoverStoreBuilder) -> FailoverStore {
    builder.build().expect("valid settings")
}

fn over(count: usize) -> FailoverStoreBuilder {
    let bucket = bucket("");
    let region = |index: usize| Region::new(format!("region-{index}"), Arc::new(bucket.clone()));
    (0..count)
        .map(region)
        .fold(FailoverStore::builder(), FailoverStoreBuilder::region)
}

fn bucket(prefix: &str) -> InMemory {
    let bucket = InMemory::new();
    let keys = std::iter::once(KEY.to_owned()).chain((0..100).map(|n| format!("many/{n:03}")));
    futures::executor::block_on(async {
        for key in keys {
            bucket
                .put(
                    &Path::from(format!("{prefix}{key}")),
                    vec![7_u8; 1_024].into(),
                )
                .await
                .expect("a put in memory");
        }
    });
    bucket
}

const KEY: &str = "some/key/of/an/object";

/// The least work of a wrapper.
#[derive(Debug)]
struct PassThrough(Arc<dyn ObjectStore>);

impl fmt::Display for PassThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PassThrough({})", self.0)
    }
}

#[async_trait]
impl ObjectStore for PassThrough {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.0.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.0.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.0.rename_opts(from, to, options).await
    }
}
