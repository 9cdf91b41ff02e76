//! What an error means: statuses, headers and any bytes in a provider's body, under keys that look like all of them.
//!
//! Input: a key in one line, then an answer.

use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverError, Failure, FailureClass};

use super::answer::{Answer, line};
use super::wire::{Region, list, regions};
use super::{run, sound};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<Region> = regions();
    }
    let (key, rest) = line(data);
    let (key, answer) = (Path::from(key), Answer::parse(rest));
    text(&key, &answer);
    REGIONS.with(|regions| regions.iter().for_each(|region| run(wire(region, &key, &answer))));
}

/// The text in each variant that can hold one, as stores that are handed in may have it.
fn text(key: &Path, answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let path = key.to_string();
    let source = || text.clone().into();
    let errors = [
        (Error::Generic { store: "X", source: source() }, None),
        (Error::NotFound { path: path.clone(), source: source() }, Some(FailureClass::NotFound)),
        (Error::Precondition { path: path.clone(), source: source() }, Some(FailureClass::Precondition)),
        (Error::NotModified { path: path.clone(), source: source() }, Some(FailureClass::NotModified)),
        (Error::AlreadyExists { path: path.clone(), source: source() }, Some(FailureClass::Caller)),
        (Error::PermissionDenied { path: path.clone(), source: source() }, Some(FailureClass::Unauthorized)),
        (Error::Unauthenticated { path, source: source() }, Some(FailureClass::Unauthorized)),
        (Error::NotSupported { source: source() }, Some(FailureClass::Caller)),
    ];
    for (error, class) in errors {
        let failure = sound::failure(&error);
        let has_own_words = OWN_WORDS.iter().any(|words| text.starts_with(words)) || text.contains(", got ");
        if !has_own_words {
            assert_eq!((failure.class(), failure.http_status(), failure.code()), (class.unwrap_or(FailureClass::Unknown), None, None));
        }
        assert_eq!((failure.request_id(), failure.retry_after(), failure.is_delete_marker()), (None, None, false), "no text tells");
    }
}

/// The same answer by way of every call: object_store's own client and ours must be told the same.
async fn wire(region: &Region, key: &Path, answer: &Answer) {
    let says_more = answer.status.is_redirection()
        || str::from_utf8(&answer.body).is_err()
        || ["x-minio-error-code", "x-ms-error-code"].iter().any(|name| answer.headers.contains_key(*name));
    region.play(answer);
    let (plain, ours) = (region.plain.get(key).await.map(drop), region.store.get(key).await.map(drop));
    compare(plain, ours, answer, says_more);
    let (plain, ours) = (region.plain.head(key).await.map(drop), region.store.head(key).await.map(drop));
    compare(plain, ours, answer, says_more);
    let (plain, ours) = (list(&*region.plain, key).await.map(drop), list(&region.store, key).await.map(drop));
    compare(plain, ours, answer, says_more);
    let (plain, ours) =
        (region.plain.list_with_delimiter(Some(key)).await.map(drop), region.store.list_with_delimiter(Some(key)).await.map(drop));
    compare(plain, ours, answer, says_more);
    let (plain, ours) = (region.plain.put(key, "v".into()).await.map(drop), region.store.put(key, "v".into()).await.map(drop));
    compare(plain, ours, answer, says_more);
}

fn compare(plain: object_store::Result<()>, ours: object_store::Result<()>, answer: &Answer, says_more: bool) {
    let Err(ours) = ours else {
        assert!(plain.is_ok(), "an error has become a success: {plain:?}");
        return;
    };
    let meant = sound::failure(&ours);
    let Err(plain) = plain else {
        assert!(answer.status.is_success() && meant.class() == FailureClass::Interrupted, "a success has become {ours:?}");
        return;
    };
    let said = sound::failure(&plain);
    // Evidence knows codes that stand in headers, which redirect it was, the status of an error that is no text, and that a success
    // which cannot be read is no mistake of the caller's.
    // A conflict on the way to overwriting is no "exists already".
    let is_conflict = matches!(plain, Error::AlreadyExists { .. });
    if !says_more && !is_conflict && !answer.status.is_success() {
        assert_eq!(facts(&meant), facts(&said), "{ours:?} of {plain:?}");
    }
    let is_news = matches!(said.class(), FailureClass::NotFound | FailureClass::NotModified | FailureClass::Precondition);
    if is_news && FailoverError::find(&ours).is_none() {
        assert!(sound::same_kind(&ours, &plain), "{ours:?} of {plain:?}");
    }
}

fn facts(failure: &Failure) -> (FailureClass, Option<u16>, Option<&str>) {
    (failure.class(), failure.http_status(), failure.code())
}

/// How the texts begin that are read: object_store's own.
const OWN_WORDS: [&str; 22] = [
    "Server returned non-2xx status code: ",
    "Server returned error response: ",
    "Received redirect without LOCATION",
    "Wanted range starting at ",
    "Range started at ",
    "Range request not supported by ",
    "Received non-partial response when range requested",
    "Content-Range header ",
    "Failed to parse value for CONTENT_RANGE header",
    "ETag Header missing from response",
    "Last-Modified Header missing from response",
    "Content-Length Header missing from response",
    "Invalid last modified",
    "Invalid content length",
    "Received header containing non-ASCII data",
    "Cache-Control header ",
    "Content-Disposition header ",
    "Content-Encoding header ",
    "Content-Language header ",
    "Content-Type header ",
    "Metadata value for ",
    "Requested ",
];
