//! The connector under the stores that we build: object_store's own or the caller's, watched.
//!
//! It changes nothing: client options, requests, answers and errors pass through as they are, but for one header that object_store cannot
//! bear. Of an answer it reads the head; its body
//! is watched as it passes (`body.rs`). After the region's circuit was open its clients are made anew (`client.rs`).

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use http::header::{CONTENT_RANGE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector};
use object_store::{ClientOptions, Result};

use super::client::Renewable;
use super::{Evidence, Recorder, body, current, is_code, retry_after};
use crate::connections::Connections;
use crate::time::{self, Instant};

/// The region's connector, with evidence of what its clients do; for any builder that has a `with_http_connector`.
#[derive(Debug)]
pub(crate) struct EvidenceConnector {
    maker: Arc<dyn HttpConnector>,
    connections: Connections,
}

#[derive(Debug)]
struct Watched(Renewable);

impl EvidenceConnector {
    /// For the clients of the region that has these connections.
    pub(crate) fn new(connections: &Connections) -> Self {
        let maker = connections.connector().unwrap_or_else(|| Arc::new(ReqwestConnector::default()));
        Self { maker, connections: connections.clone() }
    }
}

impl HttpConnector for EvidenceConnector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient> {
        Ok(HttpClient::new(Watched(Renewable::new(&self.maker, options, &self.connections)?)))
    }
}

#[async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let client = self.0.current();
        let Some(recorder) = current() else {
            let mut answer = client.execute(request).await;
            answer.iter_mut().for_each(without_overflow);
            return answer;
        };
        let (number, began) = (recorder.begin(), time::now());
        match client.execute(request).await {
            Ok(mut answer) => {
                without_overflow(&mut answer);
                recorder.on_answer(number, began, &answer);
                Ok(body::watch(answer, recorder, number))
            }
            Err(error) => {
                recorder.on_error(number, &error);
                Err(error)
            }
        }
    }
}

impl Recorder {
    fn begin(&self) -> u32 {
        let mut record = self.record.lock();
        record.seen.requests += 1;
        record.seen.requests
    }

    fn on_answer(&self, request: u32, began: Instant, answer: &HttpResponse) {
        let first_byte = Some(time::now().saturating_duration_since(began));
        let (status, headers) = (answer.status(), answer.headers());
        let request_id = REQUEST_IDS.iter().filter_map(|name| headers.get(name)).find(|id| id.to_str().is_ok_and(is_id)).cloned();
        let retry_after =
            header(headers, &RETRY_AFTER).and_then(|asked| retry_after::parse(asked, header(headers, &DATE), time::wall_clock()));
        let refusal = if status.is_success() { Evidence::default() } else { of_refusal(headers) };
        let mut record = self.record.lock();
        record.last = request;
        record.answered += 1;
        record.request_id = request_id;
        record.seen = Evidence { requests: record.seen.requests, status: Some(status.as_u16()), retry_after, first_byte, ..refusal };
    }

    pub(super) fn on_bytes(&self, count: usize) {
        // A count of its own, and no part of the order of things.
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn on_code(&self, request: u32, code: &str) {
        let mut record = self.record.lock();
        if record.last == request {
            record.seen.code = Some(code.to_owned());
        }
    }

    fn on_error(&self, request: u32, error: &HttpError) {
        let unsent = error.kind() == HttpErrorKind::Connect || is_connect(error);
        let mut record = self.record.lock();
        record.last = request;
        record.unsent += u32::from(unsent);
        record.request_id = None;
        let transport = Some(if unsent { HttpErrorKind::Connect } else { error.kind() });
        record.seen = Evidence { requests: record.seen.requests, transport, ..Evidence::default() };
    }
}

/// What only an answer that is no success has to say.
fn of_refusal(headers: &HeaderMap) -> Evidence {
    let code = CODES.iter().filter_map(|name| header(headers, name)).find(|code| is_code(code)).map(str::to_owned);
    Evidence { code, delete_marker: header(headers, &DELETE_MARKER) == Some("true"), ..Evidence::default() }
}

fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Whether there never was a connection. object_store calls a connection that took too long a time-out, like an answer that did.
fn is_connect(error: &HttpError) -> bool {
    error.source().and_then(|source| source.downcast_ref::<reqwest::Error>()).is_some_and(reqwest::Error::is_connect)
}

/// Without a `Content-Range` whose end is the greatest of all numbers: object_store adds one to it, which panics wherever overflow is
/// checked. Without it the answer is none to a request for a range, like any other range that was not asked for.
fn without_overflow(answer: &mut HttpResponse) {
    let end = |range: &HeaderValue| range.to_str().ok()?.split_once('/')?.0.split_once('-')?.1.parse::<u64>().ok();
    if answer.headers().get(CONTENT_RANGE).and_then(end) == Some(u64::MAX) {
        answer.headers_mut().remove(CONTENT_RANGE);
    }
}

/// Ids are shown in one line of a log.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// How S3, Azure and Google call the id by which their support finds a request.
static REQUEST_IDS: [HeaderName; 3] = [
    HeaderName::from_static("x-amz-request-id"),
    HeaderName::from_static("x-ms-request-id"),
    HeaderName::from_static("x-guploader-uploadid"),
];

/// Where a code is found if there is no body, as in answers to HEAD: MinIO, Azure.
static CODES: [HeaderName; 2] = [HeaderName::from_static("x-minio-error-code"), HeaderName::from_static("x-ms-error-code")];

static DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
