//! How objects, their attributes and the store's errors look in S3.

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

/// The store's path for `key`, if it can hold such a key at all. `Path::parse` takes "a/" for
/// "a", which are two different keys in S3.
pub fn path(key: &str) -> Option<Path> {
    Path::parse(key).ok().filter(|path| path.as_ref() == key && !key.is_empty())
}

pub fn e_tag(meta: &ObjectMeta) -> Option<ETag> {
    parse_e_tag(meta.e_tag.as_deref())
}

pub fn parse_e_tag(tag: Option<&str>) -> Option<ETag> {
    ETag::parse_http_header(tag?.as_bytes()).ok()
}

/// In whole seconds, as S3 keeps it: a client that gets it back in a header and asks for
/// "unmodified since" must not find it changed.
pub fn last_modified(meta: &ObjectMeta) -> Timestamp {
    let since = SystemTime::from(meta.last_modified).duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.map_or(0, |age| age.as_secs());
    Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

pub fn error(error: Error) -> S3Error {
    let code = match error {
        Error::NotFound { .. } => S3ErrorCode::NoSuchKey,
        Error::AlreadyExists { .. } | Error::Precondition { .. } => S3ErrorCode::PreconditionFailed,
        Error::NotImplemented { .. } | Error::NotSupported { .. } => S3ErrorCode::NotImplemented,
        _ => S3ErrorCode::InternalError,
    };
    S3Error::with_source(code, error.into())
}

/// What a reader asks of an object before it wants it.
#[derive(Default)]
pub struct Conditions {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// An ETag, where given, decides alone; the date beside it is not looked at (RFC 9110, 13.2.2).
    pub fn check(&self, meta: &ObjectMeta) -> S3Result<()> {
        let changed = last_modified(meta);
        let same = match (&self.if_match, &self.if_unmodified_since) {
            (Some(wanted), _) => names(wanted, meta),
            (None, Some(date)) => changed <= *date,
            (None, None) => true,
        };
        let known = match (&self.if_none_match, &self.if_modified_since) {
            (Some(held), _) => names(held, meta),
            (None, Some(date)) => changed <= *date,
            (None, None) => false,
        };
        match (same, known) {
            (false, _) => Err(s3_error!(PreconditionFailed)),
            (true, true) => Err(s3_error!(NotModified)),
            (true, false) => Ok(()),
        }
    }
}

fn names(condition: &ETagCondition, meta: &ObjectMeta) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => e_tag(meta).is_some_and(|held| held.value() == wanted.value()),
    }
}

/// The two conditional writes S3 has.
pub fn put_mode(if_match: Option<&ETagCondition>, if_none_match: Option<&ETagCondition>) -> S3Result<PutMode> {
    match (if_match, if_none_match) {
        (None, None) => Ok(PutMode::Overwrite),
        (None, Some(ETagCondition::Any)) => Ok(PutMode::Create),
        (Some(ETagCondition::ETag(tag)), None) => Ok(PutMode::Update(UpdateVersion {
            // The store's own ETags come with their quotes.
            e_tag: Some(format!("\"{}\"", tag.value())),
            version: None,
        })),
        _ => Err(s3_error!(NotImplemented, "no such conditional write")),
    }
}

/// The headers that are kept with an object and given back with it.
const KEPT: [(Attribute, HeaderName); 6] = [
    (Attribute::CacheControl, header::CACHE_CONTROL),
    (Attribute::ContentDisposition, header::CONTENT_DISPOSITION),
    (Attribute::ContentEncoding, header::CONTENT_ENCODING),
    (Attribute::ContentLanguage, header::CONTENT_LANGUAGE),
    (Attribute::ContentType, header::CONTENT_TYPE),
    (Attribute::StorageClass, HeaderName::from_static("x-amz-storage-class")),
];
/// Before the name of what users keep with an object of their own.
const META: &str = "x-amz-meta-";

/// What the headers of a writing request give to the object.
pub fn attributes(headers: &HeaderMap) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        let attribute = match name.as_str().strip_prefix(META) {
            Some(own) => Some(Attribute::Metadata(own.to_owned().into())),
            None => KEPT.into_iter().find(|(_, kept)| kept == name).map(|(known, _)| known),
        };
        if let Some(attribute) = attribute {
            attributes.insert(attribute, value.to_owned().into());
        }
    }
    attributes
}

/// The reverse of [`attributes`]: the headers of an answer that come from the object.
pub fn headers(attributes: &Attributes) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // S3's answer where nobody has said what the object is.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("binary/octet-stream"));
    for (attribute, value) in attributes {
        let name = match attribute {
            Attribute::Metadata(own) => format!("{META}{own}").parse().ok(),
            _ => KEPT.into_iter().find(|(known, _)| known == attribute).map(|(_, name)| name),
        };
        // What a header cannot hold has not come through one, and cannot leave through one.
        if let (Some(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

/// A request's body as it arrived, in pieces that are not copied.
pub async fn collect(body: Option<StreamingBlob>) -> S3Result<PutPayload> {
    let Some(body) = body else {
        return Ok(PutPayload::new());
    };
    let pieces: Vec<Bytes> = body.try_collect().await.map_err(incomplete)?;
    Ok(pieces.into_iter().collect())
}

/// A body that breaks off is the client's doing, unless s3s has found something wrong with it.
fn incomplete(error: StdError) -> S3Error {
    match error.downcast::<S3Error>() {
        Ok(refusal) => *refusal,
        Err(other) => S3Error::with_source(S3ErrorCode::IncompleteBody, other),
    }
}

/// An answer's body, `left` bytes long.
pub struct Outgoing {
    /// In a mutex only because s3s wants its bodies to be `Sync`.
    pub stream: Mutex<BoxStream<'static, object_store::Result<Bytes>>>,
    pub left: u64,
}

impl Stream for Outgoing {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        let piece = ready!(stream.poll_next_unpin(cx));
        if let Some(Ok(bytes)) = &piece {
            self.left -= bytes.len() as u64;
        }
        Poll::Ready(piece.map(|piece| piece.map_err(StdError::from)))
    }
}

impl ByteStream for Outgoing {
    fn remaining_length(&self) -> RemainingLength {
        usize::try_from(self.left).map_or_else(|_| RemainingLength::unknown(), RemainingLength::new_exact)
    }
}
