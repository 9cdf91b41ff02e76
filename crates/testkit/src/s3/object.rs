//! Conversions between the store's objects, attributes and errors and those of S3.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use object_store::path::Path;
use object_store::{Attribute, Attributes, Error, ObjectMeta, PutMode, PutPayload, UpdateVersion};
use s3s::dto::{ETag, ETagCondition, StreamingBlob, Timestamp};
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

type StdError = Box<dyn std::error::Error + Send + Sync>;

/// The store's path for `key`; none where the store cannot hold it. `Path::parse` turns "a/" into
/// "a", which is a different key in S3.
pub(crate) fn path(key: &str) -> Option<Path> {
    Path::parse(key)
        .ok()
        .filter(|path| path.as_ref() == key && !key.is_empty())
}

pub(crate) fn e_tag(meta: &ObjectMeta) -> Option<ETag> {
    parse_e_tag(meta.e_tag.as_deref())
}

pub(crate) fn parse_e_tag(tag: Option<&str>) -> Option<ETag> {
    ETag::parse_http_header(tag?.as_bytes()).ok()
}

/// In whole seconds, as in S3: a client that sends the date of a header back as
/// `If-Unmodified-Since` must not get a 412.
pub(crate) fn last_modified(meta: &ObjectMeta) -> Timestamp {
    let since = SystemTime::from(meta.last_modified).duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.map_or(0, |age| age.as_secs());
    Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The text of the source of a `NotFound` that stands for a delete marker.
pub const DELETE_MARKER: &str = "delete marker";

pub(crate) fn error(error: Error) -> S3Error {
    let marked =
        matches!(&error, Error::NotFound { source, .. } if source.to_string() == DELETE_MARKER);
    let code = match error {
        Error::NotFound { .. } => S3ErrorCode::NoSuchKey,
        Error::AlreadyExists { .. } | Error::Precondition { .. } => S3ErrorCode::PreconditionFailed,
        Error::NotImplemented { .. } | Error::NotSupported { .. } => S3ErrorCode::NotImplemented,
        _ => S3ErrorCode::InternalError,
    };
    let mut response = S3Error::with_source(code, error.into());
    if marked {
        response.set_headers(HeaderMap::from_iter([(
            HeaderName::from_static("x-amz-delete-marker"),
            HeaderValue::from_static("true"),
        )]));
    }
    response
}

/// The conditions of a read.
#[derive(Default)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

impl Conditions {
    // An ETag takes precedence over the date beside it (RFC 9110, 13.2.2).
    pub(crate) fn check(&self, meta: &ObjectMeta) -> S3Result<()> {
        let changed = last_modified(meta);
        let matches = match (&self.if_match, &self.if_unmodified_since) {
            (Some(wanted), _) => names(wanted, meta),
            (None, Some(date)) => changed <= *date,
            (None, None) => true,
        };
        let unmodified = match (&self.if_none_match, &self.if_modified_since) {
            (Some(held), _) => names(held, meta),
            (None, Some(date)) => changed <= *date,
            (None, None) => false,
        };
        match (matches, unmodified) {
            (false, _) => Err(s3_error!(PreconditionFailed)),
            (true, true) => Err(s3_error!(NotModified)),
            (true, false) => Ok(()),
        }
    }
}

fn names(condition: &ETagCondition, meta: &ObjectMeta) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => {
            e_tag(meta).is_some_and(|held| held.value() == wanted.value())
        }
    }
}

/// The mode of a write: S3 has create (`If-None-Match: *`) and update (`If-Match`).
pub(crate) fn put_mode(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<PutMode> {
    match (if_match, if_none_match) {
        (None, None) => Ok(PutMode::Overwrite),
        (None, Some(ETagCondition::Any)) => Ok(PutMode::Create),
        (Some(ETagCondition::ETag(tag)), None) => Ok(PutMode::Update(UpdateVersion {
            // The store's ETags include the quotes.
            e_tag: Some(format!("\"{}\"", tag.value())),
            version: None,
        })),
        _ => Err(s3_error!(NotImplemented, "no such conditional write")),
    }
}

/// The headers that are stored with an object and returned with it.
const STORED_HEADERS: [(Attribute, HeaderName); 6] = [
    (Attribute::CacheControl, header::CACHE_CONTROL),
    (Attribute::ContentDisposition, header::CONTENT_DISPOSITION),
    (Attribute::ContentEncoding, header::CONTENT_ENCODING),
    (Attribute::ContentLanguage, header::CONTENT_LANGUAGE),
    (Attribute::ContentType, header::CONTENT_TYPE),
    (
        Attribute::StorageClass,
        HeaderName::from_static("x-amz-storage-class"),
    ),
];
/// The prefix of user metadata.
const META: &str = "x-amz-meta-";

/// The attributes that the headers of a write give to the object.
pub(crate) fn attributes(headers: &HeaderMap) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        let attribute = match name.as_str().strip_prefix(META) {
            Some(own) => Some(Attribute::Metadata(own.to_owned().into())),
            None => STORED_HEADERS
                .into_iter()
                .find(|(_, stored)| stored == name)
                .map(|(known, _)| known),
        };
        if let Some(attribute) = attribute {
            attributes.insert(attribute, value.to_owned().into());
        }
    }
    attributes
}

/// The reverse of [`attributes`]: the headers of a response that come from the object.
pub(crate) fn headers(attributes: &Attributes) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // S3's default content type.
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("binary/octet-stream"),
    );
    for (attribute, value) in attributes {
        let name = match attribute {
            Attribute::Metadata(own) => format!("{META}{own}").parse().ok(),
            _ => STORED_HEADERS
                .into_iter()
                .find(|(known, _)| known == attribute)
                .map(|(_, name)| name),
        };
        // A value that no header can hold did not arrive in one either.
        if let (Some(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

/// A request's body, without copying its chunks.
pub(crate) async fn collect(body: Option<StreamingBlob>) -> S3Result<PutPayload> {
    let Some(body) = body else {
        return Ok(PutPayload::new());
    };
    let pieces: Vec<Bytes> = body.try_collect().await.map_err(incomplete)?;
    Ok(pieces.into_iter().collect())
}

/// A truncated body is `IncompleteBody`, unless s3s reports a more precise error.
fn incomplete(error: StdError) -> S3Error {
    match error.downcast::<S3Error>() {
        Ok(error) => *error,
        Err(other) => S3Error::with_source(S3ErrorCode::IncompleteBody, other),
    }
}

/// A response's body with `left` bytes to send.
pub(crate) struct Outgoing {
    /// In a mutex only because s3s requires `Sync`.
    pub(crate) stream: Mutex<BoxStream<'static, object_store::Result<Bytes>>>,
    pub(crate) left: u64,
}

impl Stream for Outgoing {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self
            .stream
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let piece = ready!(stream.poll_next_unpin(cx));
        if let Some(Ok(bytes)) = &piece {
            self.left -= bytes.len() as u64;
        }
        Poll::Ready(piece.map(|piece| piece.map_err(StdError::from)))
    }
}

impl ByteStream for Outgoing {
    fn remaining_length(&self) -> RemainingLength {
        usize::try_from(self.left)
            .map_or_else(|_| RemainingLength::unknown(), RemainingLength::new_exact)
    }
}
