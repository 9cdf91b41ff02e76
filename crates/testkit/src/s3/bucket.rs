//! One bucket: conditional reads, writes, copies and deletes over an `ObjectStore`.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{
    Attributes, Error, GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload, PutResult,
};
use s3s::dto::Range;
use s3s::{S3Result, s3_error};

use super::object::{self, Conditions};
use super::uploads::Uploads;

/// A bucket over the objects of a store.
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) uploads: Uploads,
}

impl Bucket {
    pub(crate) fn new(name: &str, objects: Arc<dyn ObjectStore>) -> Self {
        Self {
            name: name.to_owned(),
            objects,
            uploads: Uploads::default(),
        }
    }

    pub(crate) fn check(&self, bucket: &str) -> S3Result<()> {
        if bucket == self.name {
            Ok(())
        } else {
            Err(s3_error!(NoSuchBucket))
        }
    }

    /// The path of an object to read. A key that the store cannot hold does not exist.
    pub(crate) fn source(&self, bucket: &str, key: &str) -> S3Result<Path> {
        self.check(bucket)?;
        object::path(key).ok_or_else(|| s3_error!(NoSuchKey))
    }

    /// The path of an object to write.
    pub(crate) fn target(&self, bucket: &str, key: &str) -> S3Result<Path> {
        self.check(bucket)?;
        object::path(key).ok_or_else(|| s3_error!(InvalidArgument, "the store holds no such key"))
    }

    /// Opens an object. Conditions, range and bytes belong to one version, even if the object is
    /// replaced meanwhile.
    pub(crate) async fn find(
        &self,
        path: &Path,
        conditions: &Conditions,
        range: Option<Range>,
    ) -> S3Result<GetResult> {
        loop {
            let meta = self.objects.head(path).await.map_err(object::error)?;
            conditions.check(&meta)?;
            let range = range.map(|range| range.check(meta.size)).transpose()?;
            if range.as_ref().is_some_and(|range| range.is_empty()) {
                return Err(s3_error!(InvalidRange));
            }
            let options = GetOptions::new()
                .with_range(range.map(GetRange::Bounded))
                .with_if_match(meta.e_tag);
            match self.objects.get_opts(path, options).await {
                Err(Error::Precondition { .. }) => {}
                found => return found.map_err(object::error),
            }
        }
    }

    pub(crate) async fn put(
        &self,
        path: &Path,
        body: PutPayload,
        mode: PutMode,
        attributes: Attributes,
    ) -> S3Result<PutResult> {
        let updates = matches!(mode, PutMode::Update(_));
        let options = PutOptions {
            mode,
            attributes,
            ..PutOptions::default()
        };
        let put = self.objects.put_opts(path, body, options).await;
        // S3 distinguishes a deleted object from a changed one; the store does not.
        if updates && matches!(put, Err(Error::Precondition { .. })) {
            self.objects.head(path).await.map_err(object::error)?;
        }
        put.map_err(object::error)
    }

    /// Copies `from` to `to`, with the attributes of `from` or those given.
    pub(crate) async fn copy(
        &self,
        from: &Path,
        to: &Path,
        replaced: Option<Attributes>,
    ) -> S3Result<()> {
        match replaced {
            None if from == to => Err(s3_error!(InvalidRequest, "a copy onto itself")),
            None => self.objects.copy(from, to).await.map_err(object::error),
            Some(attributes) => {
                let found = self.find(from, &Conditions::default(), None).await?;
                let body = found.bytes().await.map_err(object::error)?;
                self.put(to, body.into(), PutMode::Overwrite, attributes)
                    .await
                    .map(drop)
            }
        }
    }

    pub(crate) async fn delete(&self, key: &str) -> S3Result<()> {
        // In S3 deleting a missing object succeeds.
        let Some(path) = object::path(key) else {
            return Ok(());
        };
        match self.objects.delete(&path).await {
            Err(Error::NotFound { .. }) => Ok(()),
            deleted => deleted.map_err(object::error),
        }
    }
}
