//! The connector under the stores that we build: object_store's own or the caller's, watched.
//!
//! It changes nothing: client options, requests, answers and errors pass through as they are, but for one header that object_store cannot
//! bear. Of an answer it reads the head; its body
//! is watched as it passes (`body.rs`). After the region's circuit was open its clients are made anew (`client.rs`).

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use http::HeaderValue;
use http::header::{CONTENT_RANGE, DATE, RETRY_AFTER};
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
        let status = answer.status();
        let head = if status.is_success() { Evidence::default() } else { head_of_refusal(answer) };
        let mut record = self.record.lock();
        record.last = request;
        record.answered += 1;
        record.seen = Evidence { requests: record.seen.requests, status: Some(status.as_u16()), first_byte, ..head };
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
        let transport = Some(if unsent { HttpErrorKind::Connect } else { error.kind() });
        record.seen = Evidence { requests: record.seen.requests, transport, ..Evidence::default() };
    }
}

/// What the head of an answer says that is no success; of one that is nobody asks.
fn head_of_refusal(answer: &HttpResponse) -> Evidence {
    let header = |name: &&str| answer.headers().get(*name)?.to_str().ok();
    let owned = |text: &str| text.to_owned();
    let asked = header(&RETRY_AFTER.as_str());
    Evidence {
        code: CODES.iter().filter_map(header).find(|code| is_code(code)).map(owned),
        request_id: REQUEST_IDS.iter().filter_map(header).find(|id| is_id(id)).map(owned),
        delete_marker: header(&"x-amz-delete-marker") == Some("true"),
        retry_after: asked.and_then(|asked| retry_after::parse(asked, header(&DATE.as_str()), time::wall_clock())),
        ..Evidence::default()
    }
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
const REQUEST_IDS: [&str; 3] = ["x-amz-request-id", "x-ms-request-id", "x-guploader-uploadid"];

/// Where a code is found if there is no body, as in answers to HEAD: MinIO, Azure.
const CODES: [&str; 2] = ["x-minio-error-code", "x-ms-error-code"];
