//! The body of an answer on its way through a fault.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use hyper::body::{Body, Frame};
use object_store::client::{HttpError, HttpResponse, HttpResponseBody};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::connector::{Tap, broken, changed};
use crate::clock::{Instant, now, sleep_until};
use crate::proxy::Fault;

/// A second's bytes trickle in so many pieces.
const PIECES: u64 = 20;

/// An answer whose body suffers from whatever stands, from now on until its end.
pub(super) fn through(answer: HttpResponse, tap: Arc<Tap>, seen: watch::Receiver<Fault>) -> HttpResponse {
    if answer.body().is_end_stream() {
        return answer;
    }
    answer.map(|body| {
        let flow = Flow { body: body.bytes_stream(), rest: Bytes::new(), passed: 0, due: None, tap, seen };
        let pieces = stream::try_unfold(flow, |mut flow| async move { Ok(flow.next().await?.map(|piece| (piece, flow))) });
        HttpResponseBody::new(Streamed { pieces: Mutex::new(pieces.boxed()) })
    })
}

struct Flow {
    body: BoxStream<'static, Result<Bytes, HttpError>>,
    /// What has come from below and not passed yet.
    rest: Bytes,
    passed: u64,
    /// When a trickling body may go on.
    due: Option<Instant>,
    tap: Arc<Tap>,
    seen: watch::Receiver<Fault>,
}

/// What becomes of the next bytes.
enum Step {
    /// So many pass at most.
    Pass(u64),
    Wait(Instant),
    /// Nothing passes under this fault.
    Freeze,
    Reset,
    Close,
}

impl Flow {
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            let fault = self.seen.borrow_and_update().clone();
            match self.step(&fault) {
                Step::Reset => return Err(broken()),
                Step::Close => return Ok(None),
                Step::Freeze => changed(&mut self.seen).await,
                Step::Wait(until) => tokio::select! {
                    () = sleep_until(until) => {}
                    () = changed(&mut self.seen) => {}
                },
                Step::Pass(_) if self.rest.is_empty() => tokio::select! {
                    piece = self.body.next() => match piece {
                        Some(piece) => self.rest = piece?,
                        None => return Ok(None),
                    },
                    () = changed(&mut self.seen) => {}
                },
                Step::Pass(most) => return Ok(Some(self.pass(most, &fault))),
            }
        }
    }

    fn step(&self, fault: &Fault) -> Step {
        match fault {
            Fault::Refuse | Fault::Lose => Step::Reset,
            Fault::Swallow | Fault::Blackhole => Step::Freeze,
            Fault::Pass | Fault::Answer(_) | Fault::Delay(_) => Step::Pass(u64::MAX),
            Fault::Trickle(rate) => match self.due {
                Some(due) if now() < due => Step::Wait(due),
                _ => Step::Pass((rate / PIECES).max(1)),
            },
            Fault::ResetAfter(limit) => self.up_to(*limit, Step::Reset),
            Fault::StallAfter(limit) => self.up_to(*limit, Step::Freeze),
            Fault::CloseAfter(limit) => self.up_to(*limit, Step::Close),
        }
    }

    /// A body that ends before is not touched: whether there is more is known once more has come.
    fn up_to(&self, limit: u64, then: Step) -> Step {
        match limit.saturating_sub(self.passed) {
            0 if !self.rest.is_empty() => then,
            left => Step::Pass(left),
        }
    }

    fn pass(&mut self, most: u64, fault: &Fault) -> Bytes {
        let piece = self.rest.split_to(self.rest.len().min(usize::try_from(most).unwrap_or(usize::MAX)));
        self.passed += piece.len() as u64;
        self.tap.on_bytes(piece.len());
        if let Fault::Trickle(rate) = fault {
            self.due = Some(self.due.unwrap_or_else(now) + Duration::from_secs_f64(piece.len() as f64 / (*rate).max(1) as f64));
        }
        piece
    }
}

/// A stream as a body. The lock is never taken: it makes the stream one that threads may share, as bodies have to be.
struct Streamed {
    pieces: Mutex<BoxStream<'static, Result<Bytes, HttpError>>>,
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        self.pieces.get_mut().poll_next_unpin(cx).map_ok(Frame::data)
    }
}
