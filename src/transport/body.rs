//! Counts the bytes of a response body, and keeps the first part of an error body for its code.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use object_store::client::{HttpError, HttpResponse, HttpResponseBody};

use super::WireRecorder;
use crate::error::provider_code;

struct RecordingBody {
    body: HttpResponseBody,
    recorder: Arc<WireRecorder>,
    error: Option<ErrorPrefix>,
}

/// The first part of an error body.
struct ErrorPrefix {
    request: u32,
    bytes: Vec<u8>,
}

/// Wraps the body of a response. This costs one allocation, and none for an empty body.
pub(super) fn watch(
    response: HttpResponse,
    recorder: Arc<WireRecorder>,
    request: u32,
) -> HttpResponse {
    if response.body().is_end_stream() {
        return response;
    }
    let error = (!response.status().is_success()).then(|| ErrorPrefix {
        request,
        bytes: Vec::new(),
    });
    response.map(|body| {
        HttpResponseBody::new(RecordingBody {
            body,
            recorder,
            error,
        })
    })
}

impl ErrorPrefix {
    fn extend(&mut self, bytes: &[u8]) {
        let free = ERROR_PREFIX_MAX_BYTES - self.bytes.len();
        self.bytes
            .extend_from_slice(&bytes[..bytes.len().min(free)]);
    }
}

impl Body for RecordingBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            self.recorder.on_bytes(bytes.len());
            if let Some(error) = &mut self.error {
                error.extend(bytes);
            }
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

impl Drop for RecordingBody {
    fn drop(&mut self) {
        // object_store drops the body of an error before it returns the error of the attempt, so
        // the code is known in time.
        if let Some(error) = &self.error
            && let Some(code) = provider_code(&String::from_utf8_lossy(&error.bytes))
        {
            self.recorder.on_code(error.request, code);
        }
    }
}

/// Error bodies of S3 are below 2 KiB. The page of a proxy may be larger, and has no code.
const ERROR_PREFIX_MAX_BYTES: usize = 16 * 1024;
