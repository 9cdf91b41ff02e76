//! The connector under the stores that we build: object_store's own, watched.
//!
//! It changes nothing: client options, requests, answers and errors pass through as they are. Of an answer it reads the head. The
//! body of an answer that is no success is looked at as it passes, its first part only; that of a success is not even wrapped.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService, ReqwestConnector,
};
use object_store::{ClientOptions, Result};

use super::{Recorder, current, is_code, provider_code};

/// object_store's connector, with evidence of what its clients do; for any builder that has a `with_http_connector`.
#[derive(Debug, Default)]
pub(crate) struct EvidenceConnector(ReqwestConnector);

#[derive(Debug)]
struct Watched(HttpClient);

/// The body of an error on its way, and its first part.
struct ErrorBody {
    body: HttpResponseBody,
    recorder: Arc<Recorder>,
    request: u32,
    seen: Vec<u8>,
}

impl HttpConnector for EvidenceConnector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient> {
        Ok(HttpClient::new(Watched(self.0.connect(options)?)))
    }
}

#[async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Some(recorder) = request.extensions().get::<Arc<Recorder>>().cloned().or_else(current) else {
            return self.0.execute(request).await;
        };
        let number = recorder.begin();
        match self.0.execute(request).await {
            Ok(answer) => {
                recorder.on_answer(number, &answer);
                Ok(if answer.status().is_success() { answer } else { answer.map(|body| ErrorBody::over(body, recorder, number)) })
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
        let mut record = self.0.lock();
        record.seen.requests += 1;
        record.seen.requests
    }

    fn on_answer(&self, request: u32, answer: &HttpResponse) {
        let header = |name: &&str| answer.headers().get(*name)?.to_str().ok();
        let request_id = REQUEST_IDS.iter().filter_map(header).find(|id| is_id(id));
        let code = CODES.iter().filter_map(header).find(|code| is_code(code));
        let mut record = self.0.lock();
        record.last = request;
        record.answered += 1;
        record.seen.status = Some(answer.status().as_u16());
        record.seen.code = code.map(str::to_owned);
        record.seen.request_id = request_id.map(str::to_owned);
        record.seen.delete_marker = header(&"x-amz-delete-marker") == Some("true");
        record.seen.transport = None;
    }

    fn on_code(&self, request: u32, code: &str) {
        let mut record = self.0.lock();
        if record.last == request {
            record.seen.code = Some(code.to_owned());
        }
    }

    fn on_error(&self, request: u32, error: &HttpError) {
        let unsent = error.kind() == HttpErrorKind::Connect || is_connect(error);
        let mut record = self.0.lock();
        record.last = request;
        record.unsent += u32::from(unsent);
        record.seen.transport = Some(if unsent { HttpErrorKind::Connect } else { error.kind() });
        (record.seen.status, record.seen.code, record.seen.request_id, record.seen.delete_marker) = (None, None, None, false);
    }
}

/// Whether there never was a connection. object_store calls a connection that took too long a time-out, like an answer that did.
fn is_connect(error: &HttpError) -> bool {
    error.source().and_then(|source| source.downcast_ref::<reqwest::Error>()).is_some_and(reqwest::Error::is_connect)
}

impl ErrorBody {
    fn over(body: HttpResponseBody, recorder: Arc<Recorder>, request: u32) -> HttpResponseBody {
        HttpResponseBody::new(Self { body, recorder, request, seen: Vec::new() })
    }
}

impl Body for ErrorBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            let room = LOOKED_AT - self.seen.len();
            self.seen.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ErrorBody {
    /// Whoever read it is done, before the attempt comes back with the error that was made of it.
    fn drop(&mut self) {
        if let Some(code) = provider_code(&String::from_utf8_lossy(&self.seen)) {
            self.recorder.on_code(self.request, code);
        }
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

/// Error bodies of S3 are below 2 KiB. A proxy's page may be of any size, and has no code.
const LOOKED_AT: usize = 16 * 1024;
