//! `GET /objects/{key}`: an object, streamed from any region, with HTTP ranges and conditions.
//!
//! The body is not buffered. If it is interrupted in one region it resumes in another, and the
//! client does not notice. If it cannot resume, the connection ends before the announced length,
//! because the status has been sent already; HTTP clients report that as an error.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LAST_MODIFIED,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use object_store::path::Path as Key;
use object_store::{
    Attribute, Error, GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt,
};
use object_store_failover::{FailoverError, ServedBy};

use crate::error_response::{error_response, text_response};
use crate::read_request::{ReadRequest, is_unsatisfiable};
use crate::service::Service;

const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

pub async fn get(
    State(service): State<Arc<Service>>,
    Path(key): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Ok(key) = Key::parse(&key) else {
        return text_response(
            StatusCode::BAD_REQUEST,
            "invalid key: empty segments, \".\" and \"..\" are not allowed",
        );
    };
    let request = ReadRequest::from_headers(&method, &headers);
    match read(&service, &key, request.clone()).await {
        Ok((result, range)) => object_response(result, range.is_some(), method == Method::HEAD),
        Err(error) => read_error(&service, &key, &request.options, &error).await,
    }
}

/// Reads the object. The returned range is None if `If-Range` named another version.
async fn read(
    service: &Service,
    key: &Key,
    request: ReadRequest,
) -> Result<(GetResult, Option<GetRange>), Error> {
    // An empty suffix does not exist in S3, and other stores return an empty body for it.
    // `read_error` turns this error into 416.
    if let Some(GetRange::Suffix(0)) = request.options.range {
        return Err(Error::Generic {
            store: "service",
            source: "empty range".into(),
        });
    }
    let range = request.options.range.clone();
    match service.store.get_opts(key, request.options.clone()).await {
        Ok(result) => Ok((result, range)),
        Err(error @ Error::Precondition { .. }) => match request.without_range() {
            Some(whole) => Ok((service.store.get_opts(key, whole.options).await?, None)),
            None => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// The response to a failed read: 416 with the object's size if the range is beyond its end.
async fn read_error(service: &Service, key: &Key, options: &GetOptions, error: &Error) -> Response {
    // Stores report an unsatisfiable range in different ways, all as `Generic` and without the
    // size, so a head request checks the range.
    let is_failover_error = FailoverError::find(error).is_some();
    if let (Some(range), Error::Generic { .. }, false) = (&options.range, error, is_failover_error)
    {
        match service.store.head(key).await {
            Ok(meta) if is_unsatisfiable(range, meta.size) => {
                let response = text_response(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    "the range is beyond the end of the object",
                );
                return with_header(response, CONTENT_RANGE, &format!("bytes */{}", meta.size));
            }
            Ok(_) => {}
            Err(error) => return error_response(key, &error),
        }
    }
    let response = error_response(key, error);
    // A 304 has to repeat the ETag; it is known if the condition names exactly one.
    match (&options.if_none_match, response.status()) {
        (Some(tag), StatusCode::NOT_MODIFIED) if tag != "*" && !tag.contains(',') => {
            with_header(response, ETAG, tag)
        }
        _ => response,
    }
}

fn object_response(result: GetResult, is_partial: bool, is_head: bool) -> Response {
    let (meta, range) = (&result.meta, &result.range);
    let length = if is_head {
        meta.size
    } else {
        range.end - range.start
    };
    let last_modified = httpdate::fmt_http_date(SystemTime::from(meta.last_modified));
    let mut headers = HeaderMap::new();
    insert_attributes(&mut headers, &result);
    insert(&mut headers, CONTENT_LENGTH, &length.to_string());
    insert(&mut headers, LAST_MODIFIED, &last_modified);
    insert(&mut headers, ACCEPT_RANGES, "bytes");
    if let Some(tag) = &meta.e_tag {
        insert(&mut headers, ETAG, tag);
    }
    if is_partial {
        let content_range = format!("bytes {}-{}/{}", range.start, range.end - 1, meta.size);
        insert(&mut headers, CONTENT_RANGE, &content_range);
    }
    if let Some(served_by) = result.extensions.get::<ServedBy>() {
        insert(&mut headers, SERVED_BY, &served_by.region);
    }
    let status = if is_partial {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let body = if is_head {
        Body::empty()
    } else {
        Body::from_stream(result.into_stream())
    };
    (status, headers, body).into_response()
}

fn insert_attributes(headers: &mut HeaderMap, result: &GetResult) {
    insert(headers, CONTENT_TYPE, "application/octet-stream");
    for (attribute, value) in &result.attributes {
        let name = match attribute {
            Attribute::CacheControl => CACHE_CONTROL,
            Attribute::ContentDisposition => CONTENT_DISPOSITION,
            Attribute::ContentEncoding => CONTENT_ENCODING,
            Attribute::ContentLanguage => CONTENT_LANGUAGE,
            Attribute::ContentType => CONTENT_TYPE,
            _ => continue,
        };
        insert(headers, name, value);
    }
    // Objects share the origin of the operator page. Without the sandbox, an HTML object could run
    // scripts there and send operator requests.
    let policy = "sandbox; default-src 'none'";
    insert(headers, CONTENT_SECURITY_POLICY, policy);
    insert(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
}

/// Skips values that no header can hold: an unusual attribute must not make an object unreadable.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn with_header(mut response: Response, name: HeaderName, value: &str) -> Response {
    insert(response.headers_mut(), name, value);
    response
}
