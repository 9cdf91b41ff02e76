//! object_store's own suite, over `FailoverStore`: the functions that read.
//!
//! The suite writes what it reads, and this store only reads. So its writes go past the store, straight to the bucket behind the
//! regions, and its reads come through it.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, RenameOptions, Result, integration,
};
use object_store_failover::{FailoverStore, Region};
use support::s3::Server;
use support::{NAMES, Scripted};

/// Reads through the regions, writes to the bucket behind them.
struct ReadsThrough {
    bucket: InMemory,
    store: FailoverStore,
    /// What the regions run on ends with the test.
    _servers: Vec<Server>,
}

impl fmt::Debug for ReadsThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ReadsThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadsThrough({})", self.store)
    }
}

#[async_trait::async_trait]
impl ObjectStore for ReadsThrough {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.bucket.put_opts(path, payload, options).await
    }
    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.bucket.put_multipart_opts(path, options).await
    }
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(path, options).await
    }
    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.store.get_ranges(path, ranges).await
    }
    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.bucket.delete_stream(paths)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }
    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list_with_offset(prefix, offset)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.bucket.copy_opts(from, to, options).await
    }
    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.bucket.rename_opts(from, to, options).await
    }
}

/// So many regions over clones of one bucket: perfect replicas.
fn in_memory(regions: usize) -> ReadsThrough {
    let bucket = InMemory::new();
    let stores = (0..regions).map(|_| Arc::new(bucket.clone()) as Arc<dyn ObjectStore>).collect();
    ReadsThrough { store: build(stores), bucket, _servers: Vec::new() }
}

/// Three regions, of which the first fails every call.
fn with_a_dead_region() -> ReadsThrough {
    let bucket = InMemory::new();
    let dead = Scripted::over(bucket.clone());
    dead.fail();
    let stores = vec![Arc::new(dead) as Arc<dyn ObjectStore>, Arc::new(bucket.clone()), Arc::new(bucket.clone())];
    ReadsThrough { store: build(stores), bucket, _servers: Vec::new() }
}

/// Three regions that are S3 servers over one bucket.
async fn on_s3() -> ReadsThrough {
    let bucket = InMemory::new();
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Server::start("bucket", Arc::new(bucket.clone())).await);
    }
    let stores = servers.iter().map(|server| Arc::new(server.store()) as Arc<dyn ObjectStore>).collect();
    ReadsThrough { store: build(stores), bucket, _servers: servers }
}

fn build(stores: Vec<Arc<dyn ObjectStore>>) -> FailoverStore {
    let builder = FailoverStore::builder();
    stores.into_iter().zip(NAMES).fold(builder, |builder, (store, name)| builder.region(Region::new(name, store))).build().unwrap()
}

/// A module with one test for each function, each on a fresh store.
macro_rules! suite {
    ($name:ident, $store:expr) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn put_get_delete_list() {
                integration::put_get_delete_list(&$store).await;
            }
            #[tokio::test]
            async fn put_get_attributes() {
                integration::put_get_attributes(&$store).await;
            }
            #[tokio::test]
            async fn get_opts() {
                integration::get_opts(&$store).await;
            }
            #[tokio::test]
            async fn stream_get() {
                integration::stream_get(&$store).await;
            }
            #[tokio::test]
            async fn list_uses_directories_correctly() {
                integration::list_uses_directories_correctly(&$store).await;
            }
            #[tokio::test]
            async fn list_with_delimiter() {
                integration::list_with_delimiter(&$store).await;
            }
            #[tokio::test]
            async fn list_with_offset_exclusivity() {
                integration::list_with_offset_exclusivity(&$store).await;
            }
            #[tokio::test]
            async fn get_nonexistent_object() {
                let error = integration::get_nonexistent_object(&$store, None).await.unwrap_err();
                assert!(matches!(error, object_store::Error::NotFound { .. }), "{error}");
            }
        }
    };
}

suite!(over_one_region, in_memory(1));
suite!(over_three_regions, in_memory(3));
suite!(over_three_s3_servers, on_s3().await);

/// `put_get_delete_list`, `get_opts`, `stream_get` and `get_nonexistent_object` want `NotFound` for a missing key, which is undecided
/// while a region cannot tell: `missing_keys.rs` shows that.
mod with_region_0_failing_every_call {
    use super::*;

    #[tokio::test]
    async fn list_uses_directories_correctly() {
        integration::list_uses_directories_correctly(&with_a_dead_region()).await;
    }
    #[tokio::test]
    async fn list_with_delimiter() {
        integration::list_with_delimiter(&with_a_dead_region()).await;
    }
    #[tokio::test]
    async fn list_with_offset_exclusivity() {
        integration::list_with_offset_exclusivity(&with_a_dead_region()).await;
    }
    #[tokio::test]
    async fn put_get_attributes() {
        integration::put_get_attributes(&with_a_dead_region()).await;
    }
}
