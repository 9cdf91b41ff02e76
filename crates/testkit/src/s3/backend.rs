//! The operations of S3, executed on a bucket.

use std::sync::Mutex;

use async_trait::async_trait;
use object_store::GetResult;
use s3s::dto::*;
use s3s::{S3, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::bucket::Bucket;
use super::listing;
use super::object::{self, Conditions, Outgoing};

/// The `Content-Range` of a response to a request with a range.
fn content_range(found: &GetResult, requested: Option<Range>) -> Option<String> {
    let last = found.range.end.checked_sub(1)?;
    requested.map(|_| format!("bytes {}-{last}/{}", found.range.start, found.meta.size))
}

fn length(found: &GetResult) -> Option<i64> {
    i64::try_from(found.range.end - found.range.start).ok()
}

#[async_trait]
impl S3 for Bucket {
    async fn get_object(
        &self,
        req: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = req.input;
        let path = self.source(&input.bucket, &input.key)?;
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        let found = self.find(&path, &conditions, input.range).await?;
        let headers = object::headers(&found.attributes);
        let mut output = GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: length(&found),
            content_range: content_range(&found, input.range),
            e_tag: object::e_tag(&found.meta),
            last_modified: Some(object::last_modified(&found.meta)),
            ..GetObjectOutput::default()
        };
        let left = found.range.end - found.range.start;
        let stream = Mutex::new(found.into_stream());
        output.body = Some(StreamingBlob::new(Outgoing { stream, left }));
        Ok(S3Response::with_headers(output, headers))
    }

    async fn head_object(
        &self,
        req: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = req.input;
        let path = self.source(&input.bucket, &input.key)?;
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        let found = self.find(&path, &conditions, None).await?;
        let output = HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: length(&found),
            e_tag: object::e_tag(&found.meta),
            last_modified: Some(object::last_modified(&found.meta)),
            ..HeadObjectOutput::default()
        };
        Ok(S3Response::with_headers(
            output,
            object::headers(&found.attributes),
        ))
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.check(&req.input.bucket)?;
        Ok(S3Response::new(
            listing::list(&*self.objects, req.input).await?,
        ))
    }

    async fn put_object(
        &self,
        req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let attributes = object::attributes(&req.headers);
        let input = req.input;
        let path = self.target(&input.bucket, &input.key)?;
        let mode = object::put_mode(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let body = object::collect(input.body).await?;
        let put = self.put(&path, body, mode, attributes).await?;
        let e_tag = object::parse_e_tag(put.e_tag.as_deref());
        Ok(S3Response::new(PutObjectOutput {
            e_tag,
            ..PutObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.check(&req.input.bucket)?;
        self.delete(&req.input.key).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.check(&req.input.bucket)?;
        let Delete { objects, quiet } = req.input.delete;
        if objects.is_empty() || objects.len() > 1000 {
            return Err(s3_error!(MalformedXML, "{} keys", objects.len()));
        }
        let mut deleted = Vec::with_capacity(objects.len());
        for object in objects {
            self.delete(&object.key).await?;
            deleted.push(DeletedObject {
                key: Some(object.key),
                ..DeletedObject::default()
            });
        }
        let deleted = Some(deleted).filter(|_| quiet != Some(true));
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted,
            ..DeleteObjectsOutput::default()
        }))
    }

    async fn copy_object(
        &self,
        req: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let attributes = object::attributes(&req.headers);
        let input = req.input;
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented, "a source that is not a bucket"));
        };
        let (from, to) = (
            self.source(bucket, key)?,
            self.target(&input.bucket, &input.key)?,
        );
        let conditions = Conditions {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        // S3 answers 412 and not 304 where a copy's condition fails.
        self.find(&from, &conditions, None)
            .await
            .map_err(|error| match error.code() {
                S3ErrorCode::NotModified => s3_error!(PreconditionFailed),
                _ => error,
            })?;
        let directive = input
            .metadata_directive
            .as_ref()
            .map(MetadataDirective::as_str);
        let replaced = (directive == Some(MetadataDirective::REPLACE)).then_some(attributes);
        self.copy(&from, &to, replaced).await?;
        let made = self.find(&to, &Conditions::default(), None).await?.meta;
        let copy_object_result = Some(CopyObjectResult {
            e_tag: object::e_tag(&made),
            last_modified: Some(object::last_modified(&made)),
            ..CopyObjectResult::default()
        });
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result,
            ..CopyObjectOutput::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let attributes = object::attributes(&req.headers);
        self.target(&req.input.bucket, &req.input.key)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            upload_id: Some(self.uploads.create(&req.input.key, attributes)),
            bucket: Some(req.input.bucket),
            key: Some(req.input.key),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        req: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = req.input;
        self.check(&input.bucket)?;
        let body = object::collect(input.body).await?;
        let e_tag = self
            .uploads
            .add(&input.key, &input.upload_id, input.part_number, body)?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(e_tag),
            ..UploadPartOutput::default()
        }))
    }

    // Supports whole objects only.
    async fn upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = req.input;
        self.check(&input.bucket)?;
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented, "a source that is not a bucket"));
        };
        if input.copy_source_range.is_some() {
            return Err(s3_error!(NotImplemented, "a range as the source of a part"));
        }
        let found = self
            .find(&self.source(bucket, key)?, &Conditions::default(), None)
            .await?;
        let last_modified = Some(object::last_modified(&found.meta));
        let body = found.bytes().await.map_err(object::error)?;
        let e_tag =
            Some(
                self.uploads
                    .add(&input.key, &input.upload_id, input.part_number, body.into())?,
            );
        let copy_part_result = Some(CopyPartResult {
            e_tag,
            last_modified,
            ..CopyPartResult::default()
        });
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result,
            ..UploadPartCopyOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = req.input;
        let path = self.target(&input.bucket, &input.key)?;
        let mode = object::put_mode(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let wanted = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let (attributes, body) = self
            .uploads
            .assemble(&input.key, &input.upload_id, &wanted)?;
        let put = self.put(&path, body, mode, attributes).await?;
        self.uploads.end(&input.key, &input.upload_id)?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            e_tag: object::parse_e_tag(put.e_tag.as_deref()),
            bucket: Some(input.bucket),
            key: Some(input.key),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.check(&req.input.bucket)?;
        self.uploads.end(&req.input.key, &req.input.upload_id)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
