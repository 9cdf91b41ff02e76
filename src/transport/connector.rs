//! The connector of the stores that this crate builds: records what object_store's own connector,
//! or a custom one, does.
//!
//! Client options, requests, responses and errors pass unchanged, except for one header on which
//! object_store would panic. It reads the headers of a response; `body.rs` wraps the body. After a
//! circuit of the region opened, the client is replaced (`client.rs`).

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use http::header::{CONTENT_RANGE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::{ClientOptions, Result};

use super::client::RenewableClient;
use super::list_page::Page;
use super::{WireRecorder, body, current, retry_after};
use crate::error::{Evidence, is_code};
use crate::runtime::clock::{self, Instant};
use crate::transport::connections::Connections;

/// Wraps the connector of a region; for any store builder with `with_http_connector`.
#[derive(Debug)]
pub(crate) struct RecordingConnector {
    connector: Arc<dyn HttpConnector>,
    connections: Connections,
}

#[derive(Debug)]
struct RecordingService(RenewableClient);

impl RecordingConnector {
    /// A connector for the clients of the region that has these connections.
    pub(crate) fn new(connections: &Connections) -> Self {
        let connector = connections
            .connector()
            .unwrap_or_else(|| Arc::new(ReqwestConnector::default()));
        Self {
            connector,
            connections: connections.clone(),
        }
    }
}

impl HttpConnector for RecordingConnector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient> {
        Ok(HttpClient::new(RecordingService(RenewableClient::new(
            &self.connector,
            options,
            &self.connections,
        )?)))
    }
}

#[async_trait]
impl HttpService for RecordingService {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let client = self.0.current();
        let page = Page::of(&request);
        let check = |response| match page {
            Some(page) => page.check(response),
            None => response,
        };
        // Requests outside of an attempt, or for credentials, have no recorder. Nor do the pages of
        // a listing after the first.
        let Some(recorder) = current() else {
            let mut response = client.execute(request).await;
            response.iter_mut().for_each(remove_overflowing_range);
            return response.map(check);
        };
        let (number, started_at) = (recorder.on_request(), clock::now());
        match client.execute(request).await {
            Ok(mut response) => {
                remove_overflowing_range(&mut response);
                recorder.on_response(number, started_at, &response);
                Ok(check(body::watch(response, recorder, number)))
            }
            Err(error) => {
                recorder.on_error(number, &error);
                Err(error)
            }
        }
    }
}

impl WireRecorder {
    fn on_request(&self) -> u32 {
        let mut record = self.record.lock();
        record.evidence.requests += 1;
        record.evidence.requests
    }

    fn on_response(&self, request: u32, started_at: Instant, response: &HttpResponse) {
        let first_byte = Some(clock::now().saturating_duration_since(started_at));
        let (status, headers) = (response.status(), response.headers());
        let request_id = REQUEST_IDS
            .iter()
            .filter_map(|name| headers.get(name))
            .find(|id| id.to_str().is_ok_and(is_id))
            .cloned();
        let retry_after = header(headers, &RETRY_AFTER).and_then(|value| {
            retry_after::parse(value, header(headers, &DATE), clock::wall_clock())
        });
        let error = if status.is_success() {
            Evidence::default()
        } else {
            error_evidence(response)
        };
        let mut record = self.record.lock();
        record.last = request;
        record.responses += 1;
        record.request_id = request_id;
        record.evidence = Evidence {
            requests: record.evidence.requests,
            status: Some(status.as_u16()),
            retry_after,
            first_byte,
            ..error
        };
    }

    pub(super) fn on_bytes(&self, count: usize) {
        // A counter on its own: no other memory access depends on its order.
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn on_code(&self, request: u32, code: &str) {
        let mut record = self.record.lock();
        // A body that is dropped after the next request started must not overwrite its evidence.
        if record.last == request {
            record.evidence.code = Some(code.to_owned());
        }
    }

    fn on_error(&self, request: u32, error: &HttpError) {
        let unsent = error.kind() == HttpErrorKind::Connect || is_connect(error);
        let mut record = self.record.lock();
        record.last = request;
        record.unsent += u32::from(unsent);
        record.request_id = None;
        let transport = Some(if unsent {
            HttpErrorKind::Connect
        } else {
            error.kind()
        });
        record.evidence = Evidence {
            requests: record.evidence.requests,
            transport,
            ..Evidence::default()
        };
    }
}

/// Evidence from the headers of a response that is not a success.
fn error_evidence(response: &HttpResponse) -> Evidence {
    let headers = response.headers();
    let code = CODE_HEADERS
        .iter()
        .filter_map(|name| header(headers, name))
        .find(|code| is_code(code))
        .or_else(|| code_of_reason(response))
        .map(str::to_owned);
    Evidence {
        code,
        delete_marker: header(headers, &DELETE_MARKER) == Some("true"),
        ..Evidence::default()
    }
}

/// S3 throttles a HEAD with the reason phrase alone: `503 Slow Down`, without a body.
fn code_of_reason(response: &HttpResponse) -> Option<&'static str> {
    let reason = response.extensions().get::<ReasonPhrase>()?;
    let is_slow_down = response.status() == StatusCode::SERVICE_UNAVAILABLE
        && reason.as_bytes().eq_ignore_ascii_case(b"Slow Down");
    is_slow_down.then_some("SlowDown")
}

fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Whether no connection was established. object_store reports a slow connection as a timeout, like
/// a slow response.
fn is_connect(error: &HttpError) -> bool {
    error
        .source()
        .and_then(|source| source.downcast_ref::<reqwest::Error>())
        .is_some_and(reqwest::Error::is_connect)
}

/// Removes a `Content-Range` whose end is `u64::MAX`: object_store adds one to it, which panics
/// with overflow checks. Without the header the response is rejected like any other wrong range.
fn remove_overflowing_range(response: &mut HttpResponse) {
    let end = |range: &HeaderValue| {
        range
            .to_str()
            .ok()?
            .split_once('/')?
            .0
            .split_once('-')?
            .1
            .parse::<u64>()
            .ok()
    };
    if response.headers().get(CONTENT_RANGE).and_then(end) == Some(u64::MAX) {
        response.headers_mut().remove(CONTENT_RANGE);
    }
}

/// Request ids appear in log lines: only short printable ones are kept.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Headers with the request id of S3, Azure and Google.
static REQUEST_IDS: [HeaderName; 3] = [
    HeaderName::from_static("x-amz-request-id"),
    HeaderName::from_static("x-ms-request-id"),
    HeaderName::from_static("x-guploader-uploadid"),
];

/// Headers with the error code of responses without a body, as to HEAD: MinIO, Azure.
static CODE_HEADERS: [HeaderName; 2] = [
    HeaderName::from_static("x-minio-error-code"),
    HeaderName::from_static("x-ms-error-code"),
];

static DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
