//! A region that ignores the offset of a request lists from the start again.

use std::fmt;
use std::sync::Arc;

use failover_testkit::*;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::{KEYS, fill, list};

/// A bucket that lists from the start, whatever the offset.
#[derive(Debug)]
struct IgnoresOffset(InMemory);

impl fmt::Display for IgnoresOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IgnoresOffset")
    }
}

#[async_trait::async_trait]
impl ObjectStore for IgnoresOffset {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.0.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        _: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

#[tokio::test(start_paused = true)]
async fn ignored_offset_delivers_no_key_twice() {
    for (first, second) in [(1, 6), (3, 6), (3, 4), (5, 6), (6, 6)] {
        let bucket = InMemory::new();
        let regions = [
            Arc::new(Scripted::over(bucket.clone())),
            Arc::new(Scripted::over(IgnoresOffset(bucket))),
        ];
        fill(&regions[0], &KEYS).await;
        let store = over(&regions, &[true; 2]).build().unwrap();
        for _ in 0..2 {
            regions[0].next([Mode::BreakAfter(first)]);
            regions[1].next([Mode::BreakAfter(second)]);
            let keys = list(&store).await.unwrap();
            assert_eq!(keys, KEYS, "breaks after {first} and {second} keys");
        }
        let offsets = regions[1].log();
        assert!(offsets.contains(&"list_with_offset"), "{offsets:?}");
    }
}
