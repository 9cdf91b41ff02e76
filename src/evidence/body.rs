//! The body of an answer on its way: its bytes are counted, and of one that is no success the first part is looked at for a code.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use object_store::client::{HttpError, HttpResponse, HttpResponseBody};

use super::{Recorder, provider_code};

struct WatchedBody {
    body: HttpResponseBody,
    recorder: Arc<Recorder>,
    error: Option<ErrorText>,
}

/// The first part of the body of an error.
struct ErrorText {
    request: u32,
    seen: Vec<u8>,
}

/// The answer to this request, whose body is watched as it passes. That costs one allocation; where there is no body, none.
pub(super) fn watch(answer: HttpResponse, recorder: Arc<Recorder>, request: u32) -> HttpResponse {
    if answer.body().is_end_stream() {
        return answer;
    }
    let error = (!answer.status().is_success()).then(|| ErrorText { request, seen: Vec::new() });
    answer.map(|body| HttpResponseBody::new(WatchedBody { body, recorder, error }))
}

impl ErrorText {
    fn look_at(&mut self, bytes: &[u8]) {
        let room = LOOKED_AT - self.seen.len();
        self.seen.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            self.recorder.on_bytes(bytes.len());
            if let Some(error) = &mut self.error {
                error.look_at(bytes);
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

impl Drop for WatchedBody {
    /// Whoever read an error is done, before the attempt comes back with the error that was made of it.
    fn drop(&mut self) {
        if let Some(error) = &self.error
            && let Some(code) = provider_code(&String::from_utf8_lossy(&error.seen))
        {
            self.recorder.on_code(error.request, code);
        }
    }
}

/// Error bodies of S3 are below 2 KiB. A proxy's page may be of any size, and has no code.
const LOOKED_AT: usize = 16 * 1024;
