//! A bucket whose ETags are hashes of the content, as in S3: replicas of an object share an ETag.
//!
//! Separate `InMemory` stores number their ETags alike, so that different objects can have the same
//! one. That does not happen between real replicas.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result, UpdateVersion,
};

/// An `InMemory` bucket with content-based ETags.
#[derive(Debug, Clone, Default)]
pub struct ContentEtags(pub InMemory);

impl ContentEtags {
    /// The ETag of the current object.
    pub async fn e_tag(&self, path: &Path) -> Option<String> {
        Some(e_tag_of(&self.content(path).await?))
    }

    pub async fn content(&self, path: &Path) -> Option<Vec<u8>> {
        Some(self.0.get(path).await.ok()?.bytes().await.ok()?.to_vec())
    }

    /// The version of the inner bucket for an update that names the content's ETag.
    async fn inner_version(&self, path: &Path, wanted: UpdateVersion) -> Result<UpdateVersion> {
        let meta = self.0.head(path).await.ok();
        match meta {
            Some(meta) if self.e_tag(path).await == wanted.e_tag => Ok(UpdateVersion {
                e_tag: meta.e_tag,
                version: None,
            }),
            _ => Err(Error::Precondition {
                path: path.to_string(),
                source: "another version".into(),
            }),
        }
    }
}

fn e_tag_of(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

impl fmt::Display for ContentEtags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentEtags")
    }
}

#[async_trait::async_trait]
impl ObjectStore for ContentEtags {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        if let PutMode::Update(wanted) = options.mode {
            options.mode = PutMode::Update(self.inner_version(path, wanted).await?);
        }
        let mut put = self.0.put_opts(path, payload, options).await?;
        put.e_tag = self.e_tag(path).await;
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let tag = self.e_tag(path).await;
        if let (Some(wanted), Some(tag)) = (&options.if_match, &tag)
            && wanted != tag
        {
            return Err(Error::Precondition {
                path: path.to_string(),
                source: "another version".into(),
            });
        }
        let mut result = self
            .0
            .get_opts(
                path,
                GetOptions {
                    if_match: None,
                    ..options
                },
            )
            .await?;
        result.meta.e_tag = tag;
        Ok(result)
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

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}
