//! A response body that is subject to a fault.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use failover_testkit::proxy::Fault;
use futures::stream::{self, BoxStream, StreamExt};
use hyper::body::{Body, Frame};
use object_store::client::{HttpError, HttpResponse, HttpResponseBody};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::connector::{FaultSwitch, changed, connection_reset};

/// Parts per second of a throttled body.
const PIECES: u64 = 20;

/// Wraps a response so that its body is subject to the fault in force, until its end.
pub(super) fn wrap(
    response: HttpResponse,
    switch: Arc<FaultSwitch>,
    fault: watch::Receiver<Fault>,
) -> HttpResponse {
    if response.body().is_end_stream() {
        return response;
    }
    response.map(|body| {
        let body = FaultyBody {
            body: body.bytes_stream(),
            rest: Bytes::new(),
            passed: 0,
            due: None,
            switch,
            fault,
        };
        let pieces = stream::try_unfold(body, |mut body| async move {
            Ok(body.next().await?.map(|piece| (piece, body)))
        });
        HttpResponseBody::new(Streamed {
            pieces: Mutex::new(pieces.boxed()),
        })
    })
}

struct FaultyBody {
    body: BoxStream<'static, Result<Bytes, HttpError>>,
    /// Bytes that were received and not passed on yet.
    rest: Bytes,
    passed: u64,
    /// When the next part of a throttled body may pass.
    due: Option<Instant>,
    switch: Arc<FaultSwitch>,
    fault: watch::Receiver<Fault>,
}

/// What happens to the next bytes.
enum Step {
    /// At most this many pass.
    Pass(u64),
    Wait(Instant),
    /// Nothing passes until the fault changes.
    Freeze,
    Reset,
    Close,
}

impl FaultyBody {
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            let fault = self.fault.borrow_and_update().clone();
            match self.step(&fault) {
                Step::Reset => return Err(connection_reset()),
                Step::Close => return Ok(None),
                Step::Freeze => changed(&mut self.fault).await,
                Step::Wait(until) => tokio::select! {
                    () = sleep_until(until) => {}
                    () = changed(&mut self.fault) => {}
                },
                Step::Pass(_) if self.rest.is_empty() => tokio::select! {
                    piece = self.body.next() => match piece {
                        Some(piece) => self.rest = piece?,
                        None => return Ok(None),
                    },
                    () = changed(&mut self.fault) => {}
                },
                Step::Pass(most) => return Ok(Some(self.pass(most, &fault))),
            }
        }
    }

    fn step(&self, fault: &Fault) -> Step {
        match fault {
            Fault::Refuse | Fault::Lose => Step::Reset,
            Fault::Swallow | Fault::Blackhole => Step::Freeze,
            Fault::Pass | Fault::Respond(_) | Fault::Delay(_) => Step::Pass(u64::MAX),
            Fault::Trickle(rate) => match self.due {
                Some(due) if Instant::now() < due => Step::Wait(due),
                _ => Step::Pass((rate / PIECES).max(1)),
            },
            Fault::ResetAfter(limit) => self.up_to(*limit, Step::Reset),
            Fault::StallAfter(limit) => self.up_to(*limit, Step::Freeze),
            Fault::CloseAfter(limit) => self.up_to(*limit, Step::Close),
        }
    }

    // A body that ends at the limit is complete. Only further bytes show that it is longer.
    fn up_to(&self, limit: u64, then: Step) -> Step {
        match limit.saturating_sub(self.passed) {
            0 if !self.rest.is_empty() => then,
            left => Step::Pass(left),
        }
    }

    fn pass(&mut self, most: u64, fault: &Fault) -> Bytes {
        let piece = self.rest.split_to(
            self.rest
                .len()
                .min(usize::try_from(most).unwrap_or(usize::MAX)),
        );
        self.passed += piece.len() as u64;
        self.switch.on_bytes(piece.len());
        if let Fault::Trickle(rate) = fault {
            self.due = Some(
                self.due.unwrap_or_else(Instant::now)
                    + Duration::from_secs_f64(piece.len() as f64 / (*rate).max(1) as f64),
            );
        }
        piece
    }
}

/// A stream as a body. The mutex is never locked: it makes the stream `Sync`, as bodies must be.
struct Streamed {
    pieces: Mutex<BoxStream<'static, Result<Bytes, HttpError>>>,
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        self.pieces
            .get_mut()
            .poll_next_unpin(cx)
            .map_ok(Frame::data)
    }
}
