//! One region's objects in memory, with the same ETags in every region, with delete markers, and
//! with reads that can hang while listings do not, as in a cluster without read quorum.

use std::collections::{HashMap, HashSet};
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use failover_testkit::s3::DELETE_MARKER;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::RwLock;
use tokio::sync::watch;

#[derive(Debug, Default)]
pub(crate) struct Replica {
    objects: InMemory,
    tags: RwLock<HashMap<Path, String>>,
    deleted: RwLock<HashSet<Path>>,
    hangs: watch::Sender<bool>,
}

impl Replica {
    /// Stores the object, written or replicated, with the ETag that it has in every region.
    pub(crate) async fn receive(&self, path: &Path, body: Bytes, tag: &str) -> Result<()> {
        self.tags.write().insert(path.clone(), tag.to_owned());
        self.deleted.write().remove(path);
        self.objects.put(path, body.into()).await.map(drop)
    }

    /// Deletes the object and leaves a marker.
    pub(crate) async fn lose(&self, path: &Path) -> Result<()> {
        self.deleted.write().insert(path.clone());
        self.objects.delete(path).await
    }

    /// Makes reads wait until this is called with `false`.
    pub(crate) fn hang(&self, hangs: bool) {
        self.hangs.send_replace(hangs);
    }

    fn missing(&self, path: &Path, error: Error) -> Error {
        match error {
            Error::NotFound { path: text, .. } if self.deleted.read().contains(path) => {
                Error::NotFound {
                    path: text,
                    source: DELETE_MARKER.into(),
                }
            }
            other => other,
        }
    }
}

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replica")
    }
}

/// Reads implement what the drill needs; everything else is forwarded.
#[async_trait]
impl ObjectStore for Replica {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        // The channel stays open: `self` owns the sender.
        let _ = self.hangs.subscribe().wait_for(|hangs| !hangs).await;
        let tag = self.tags.read().get(path).cloned();
        if options.if_match.is_some() && options.if_match != tag {
            return Err(Error::Precondition {
                path: path.to_string(),
                source: "another version".into(),
            });
        }
        let found = self
            .objects
            .get_opts(
                path,
                GetOptions {
                    if_match: None,
                    ..options
                },
            )
            .await;
        let mut found = found.map_err(|error| self.missing(path, error))?;
        found.meta.e_tag = tag;
        Ok(found)
    }

    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.objects.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }
}
