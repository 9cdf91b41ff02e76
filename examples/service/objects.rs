//! `GET /objects/{key}`: an object streamed from whichever region serves it, with ranges and conditions as HTTP has them.
//!
//! Nothing is held: bytes go on as they come, and a body that breaks in one region continues in another without the client's notice. One
//! that cannot continue ends the connection before its announced length, for the status has been sent: every HTTP client sees that.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LAST_MODIFIED, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use object_store::path::Path as Key;
use object_store::{Attribute, Error, GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverError, ServedBy};

use crate::refusal::{refuse, say};
use crate::service::Service;
use crate::wanted::{Wanted, is_outside};

pub(crate) async fn get(State(service): State<Arc<Service>>, Path(key): Path<String>, method: Method, headers: HeaderMap) -> Response {
    let Ok(key) = Key::parse(&key) else {
        return say(StatusCode::BAD_REQUEST, "this is no key: empty parts, \".\" and \"..\" are refused");
    };
    let wanted = Wanted::of(&method, &headers);
    match read(&service, &key, wanted.clone()).await {
        Ok((found, range)) => answer(found, range.is_some(), method == Method::HEAD),
        Err(error) => explain(&service, &key, &wanted.options, &error).await,
    }
}

/// The object, and the range of it that was asked for in the end.
async fn read(service: &Service, key: &Key, wanted: Wanted) -> Result<(GetResult, Option<GetRange>), Error> {
    // S3 knows no empty suffix, and other stores answer with nothing: `explain` has the right answer.
    if let Some(GetRange::Suffix(0)) = wanted.options.range {
        return Err(Error::Generic { store: "service", source: "an empty range".into() });
    }
    let range = wanted.options.range.clone();
    match service.store.get_opts(key, wanted.options.clone()).await {
        Ok(found) => Ok((found, range)),
        Err(error @ Error::Precondition { .. }) => match wanted.whole() {
            Some(whole) => Ok((service.store.get_opts(key, whole.options).await?, None)),
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// Stores tell of a range behind the end of the object in many ways, and none of them tells its size: so it is asked for.
async fn explain(service: &Service, key: &Key, options: &GetOptions, error: &Error) -> Response {
    let told = FailoverError::find(error).is_some();
    if let (Some(range), Error::Generic { .. }, false) = (&options.range, error, told) {
        match service.store.head(key).await {
            Ok(meta) if is_outside(range, meta.size) => {
                let response = say(StatusCode::RANGE_NOT_SATISFIABLE, "the object has no byte in this range");
                return with(response, [(CONTENT_RANGE, format!("bytes */{}", meta.size))]);
            }
            Ok(_) => {}
            Err(error) => return refuse(key, &error),
        }
    }
    let response = refuse(key, error);
    // A cache that asked about one version is told which one it still has.
    match (&options.if_none_match, response.status()) {
        (Some(tag), StatusCode::NOT_MODIFIED) if tag != "*" && !tag.contains(',') => with(response, [(ETAG, tag.clone())]),
        _ => response,
    }
}

fn answer(found: GetResult, is_part: bool, is_head: bool) -> Response {
    let (meta, range) = (&found.meta, &found.range);
    let length = if is_head { meta.size } else { range.end - range.start };
    let mut headers = HeaderMap::new();
    attributes(&mut headers, &found);
    set(&mut headers, CONTENT_LENGTH, &length.to_string());
    set(&mut headers, LAST_MODIFIED, &httpdate::fmt_http_date(SystemTime::from(meta.last_modified)));
    set(&mut headers, ACCEPT_RANGES, "bytes");
    if let Some(tag) = &meta.e_tag {
        set(&mut headers, ETAG, tag);
    }
    if is_part {
        set(&mut headers, CONTENT_RANGE, &format!("bytes {}-{}/{}", range.start, range.end - 1, meta.size));
    }
    if let Some(by) = found.extensions.get::<ServedBy>() {
        set(&mut headers, SERVED_BY, &by.region);
    }
    let status = if is_part { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let body = if is_head { Body::empty() } else { Body::from_stream(found.into_stream()) };
    (status, headers, body).into_response()
}

fn attributes(headers: &mut HeaderMap, found: &GetResult) {
    set(headers, CONTENT_TYPE, "application/octet-stream");
    for (attribute, value) in &found.attributes {
        let name = match attribute {
            Attribute::CacheControl => CACHE_CONTROL,
            Attribute::ContentDisposition => CONTENT_DISPOSITION,
            Attribute::ContentEncoding => CONTENT_ENCODING,
            Attribute::ContentLanguage => CONTENT_LANGUAGE,
            Attribute::ContentType => CONTENT_TYPE,
            _ => continue,
        };
        set(headers, name, value);
    }
    // An object is anybody's: as HTML it would run beside the operator's page, and could press its buttons.
    set(headers, CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'");
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
}

/// What cannot stand in a header is left out: a strange attribute must not make an object unreadable.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn with<const N: usize>(mut response: Response, headers: [(HeaderName, String); N]) -> Response {
    for (name, value) in headers {
        set(response.headers_mut(), name, &value);
    }
    response
}

const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");
