//! Response bodies: in a few chunks, with pauses, and with the faults that affect bodies.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::Result;
use object_store::client::HttpErrorKind;
use tokio::time::sleep_until;

use crate::fault::Fault;
use crate::in_flight::InFlightRequest;
use crate::wire;

struct Body {
    attempt: InFlightRequest,
    rest: Bytes,
    chunk: usize,
    /// How it ends once `rest` is empty.
    end: BodyEnd,
}

#[derive(Clone, Copy)]
enum BodyEnd {
    Complete,
    /// Bytes are missing, without an error.
    Truncated,
    Broken,
    Stalled,
    Overlong,
    Ended,
}

/// The body of a response.
pub(crate) fn stream(
    attempt: InFlightRequest,
    mut bytes: Bytes,
    fault: Option<Fault>,
) -> BoxStream<'static, Result<Bytes>> {
    let mut end = match fault {
        Some(Fault::Truncate) => BodyEnd::Truncated,
        Some(Fault::Break) => BodyEnd::Broken,
        Some(Fault::Stall) => BodyEnd::Stalled,
        Some(Fault::Overlong) => BodyEnd::Overlong,
        _ => BodyEnd::Complete,
    };
    // Drawn for every body, so that a fault does not shift the random stream of the region.
    let (chunks, kept) = {
        let rng = &mut attempt.world.state().regions[attempt.region].rng;
        (rng.between(1, 4), rng.between(0, bytes.len() as u64))
    };
    if matches!(end, BodyEnd::Truncated | BodyEnd::Broken | BodyEnd::Stalled) {
        bytes.truncate(kept as usize);
    } else if bytes.is_empty() && !matches!(end, BodyEnd::Overlong) {
        end = BodyEnd::Complete;
    }
    let chunk = (bytes.len() / chunks as usize).max(1);
    let body = Body {
        attempt,
        rest: bytes,
        chunk,
        end,
    };
    stream::unfold(body, Body::next).boxed()
}

impl Body {
    async fn next(mut self) -> Option<(Result<Bytes>, Self)> {
        if !self.rest.is_empty() {
            let world = &self.attempt.world;
            let pause = world.state().regions[self.attempt.region]
                .rng
                .between(0, MAX_PAUSE_MS);
            if pause > 0 {
                sleep_until(world.instant(world.now() + pause)).await;
            }
            let chunk = self.rest.split_to(self.chunk.min(self.rest.len()));
            return Some((Ok(chunk), self));
        }
        match std::mem::replace(&mut self.end, BodyEnd::Ended) {
            BodyEnd::Complete | BodyEnd::Ended => None,
            BodyEnd::Truncated => {
                self.attempt.record("body truncated");
                None
            }
            BodyEnd::Broken => {
                self.attempt.record("body broken");
                let error =
                    wire::transport(HttpErrorKind::Interrupted, "connection reset in the body");
                Some((Err(error), self))
            }
            BodyEnd::Overlong => Some((Ok(Bytes::from_static(b"and more")), self)),
            BodyEnd::Stalled => {
                self.attempt.record("body stalled");
                std::future::pending().await
            }
        }
    }
}

/// Between two chunks.
const MAX_PAUSE_MS: u64 = 8;
