//! Classification of errors: any status, headers and body, under keys that contain the same texts.
//!
//! Input: a line with a key, then a response.

use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverError, Failure, FailureClass};

use super::client::{Region, list, regions};
use super::response::{Response, line};
use super::{checks, run};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<Region> = regions();
    }
    let (key, rest) = line(data);
    let (key, response) = (Path::from(key), Response::parse(rest));
    text(&key, &response);
    REGIONS.with(|regions| {
        regions
            .iter()
            .for_each(|region| run(wire(region, &key, &response)))
    });
}

/// The body as the text of each error variant, as user-supplied stores may produce it.
fn text(key: &Path, response: &Response) {
    let text = String::from_utf8_lossy(&response.body).into_owned();
    for (error, class) in errors_with(key.as_ref(), &text) {
        let failure = checks::failure(&error);
        let is_object_store_text = OBJECT_STORE_TEXTS
            .iter()
            .any(|prefix| text.starts_with(prefix))
            || text.contains(", got ");
        if !is_object_store_text {
            assert_eq!(
                (failure.class(), failure.http_status(), failure.code()),
                (class, None, None)
            );
        }
        assert_eq!(
            (
                failure.request_id(),
                failure.retry_after(),
                failure.is_delete_marker()
            ),
            (None, None, false),
            "no text sets these fields"
        );
    }
}

/// Each error variant with this text, and the class of the variant.
fn errors_with(path: &str, text: &str) -> [(Error, FailureClass); 8] {
    let source = || text.to_owned().into();
    let (path, store) = (|| path.to_owned(), "X");
    let object = |build: fn(String, Source) -> Error| build(path(), source());
    [
        (
            Error::Generic {
                store,
                source: source(),
            },
            FailureClass::Unknown,
        ),
        (
            object(|path, source| Error::NotFound { path, source }),
            FailureClass::NotFound,
        ),
        (
            object(|path, source| Error::Precondition { path, source }),
            FailureClass::Precondition,
        ),
        (
            object(|path, source| Error::NotModified { path, source }),
            FailureClass::NotModified,
        ),
        (
            object(|path, source| Error::AlreadyExists { path, source }),
            FailureClass::Caller,
        ),
        (
            object(|path, source| Error::PermissionDenied { path, source }),
            FailureClass::Unauthorized,
        ),
        (
            object(|path, source| Error::Unauthenticated { path, source }),
            FailureClass::Unauthorized,
        ),
        (
            Error::NotSupported { source: source() },
            FailureClass::Caller,
        ),
    ]
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The same response to every call, from object_store's client and through the failover store.
async fn wire(region: &Region, key: &Path, response: &Response) {
    let has_more_evidence = response.status.is_redirection()
        || str::from_utf8(&response.body).is_err()
        || ["x-minio-error-code", "x-ms-error-code"]
            .iter()
            .any(|name| response.headers.contains_key(*name));
    region.respond_with(response);
    let (plain, ours) = (
        region.plain.get(key).await.map(drop),
        region.store.get(key).await.map(drop),
    );
    compare(plain, ours, response, has_more_evidence);
    let (plain, ours) = (
        region.plain.head(key).await.map(drop),
        region.store.head(key).await.map(drop),
    );
    // The store confirms a 404 of a HEAD by a GET, whose body has a code.
    let is_confirmed = response.status.as_u16() == 404;
    compare(plain, ours, response, has_more_evidence || is_confirmed);
    let (plain, ours) = (
        list(&*region.plain, key).await.map(drop),
        list(&region.store, key).await.map(drop),
    );
    compare(plain, ours, response, has_more_evidence);
    let (plain, ours) = (
        region.plain.list_with_delimiter(Some(key)).await.map(drop),
        region.store.list_with_delimiter(Some(key)).await.map(drop),
    );
    compare(plain, ours, response, has_more_evidence);
    let (plain, ours) = (
        region.plain.put(key, "v".into()).await.map(drop),
        region.store.put(key, "v".into()).await.map(drop),
    );
    compare(plain, ours, response, has_more_evidence);
}

fn compare(
    plain: object_store::Result<()>,
    ours: object_store::Result<()>,
    response: &Response,
    has_more_evidence: bool,
) {
    let Err(ours) = ours else {
        assert!(plain.is_ok(), "an error became a success: {plain:?}");
        return;
    };
    let failure = checks::failure(&ours);
    // An incomplete body, or a response without ETag and Last-Modified.
    let is_invalid_response = matches!(
        failure.class(),
        FailureClass::Interrupted | FailureClass::Misconfigured
    );
    let Err(plain) = plain else {
        assert!(
            response.status.is_success() && is_invalid_response,
            "a success became {ours:?}"
        );
        return;
    };
    let plain_failure = checks::failure(&plain);
    // The recorded evidence adds codes in headers, the kind of a redirect, the status of an error
    // that is not text, and that an unreadable 2xx is not the caller's error. A conflict of an
    // overwrite is not `AlreadyExists`. In these cases the two classifications may differ.
    let is_conflict = matches!(plain, Error::AlreadyExists { .. });
    if !has_more_evidence && !is_conflict && !response.status.is_success() {
        assert_eq!(
            facts(&failure),
            facts(&plain_failure),
            "{ours:?} of {plain:?}"
        );
    }
    let is_object_status = matches!(
        plain_failure.class(),
        FailureClass::NotFound | FailureClass::NotModified | FailureClass::Precondition
    );
    if is_object_status && FailoverError::find(&ours).is_none() {
        assert!(checks::same_kind(&ours, &plain), "{ours:?} of {plain:?}");
    }
}

fn facts(failure: &Failure) -> (FailureClass, Option<u16>, Option<&str>) {
    (failure.class(), failure.http_status(), failure.code())
}

/// The prefixes of object_store's own texts, which are parsed.
const OBJECT_STORE_TEXTS: [&str; 22] = [
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
