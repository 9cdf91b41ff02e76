//! Bodies: in a few pieces, with pauses, and with what may befall them.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::Result;
use object_store::client::HttpErrorKind;

use super::attempt::InTheAir;
use super::fault::Fault;
use super::wire;
use crate::time::sleep_until;

struct Flow {
    attempt: InTheAir,
    rest: Bytes,
    piece: usize,
    /// What ends it before its end, once `rest` is empty.
    end: End,
}

#[derive(Clone, Copy)]
enum End {
    Whole,
    /// It ends as if that were all.
    Short,
    Broken,
    Stalled,
    TooLong,
    Over,
}

/// The body of an answer.
pub(super) fn stream(attempt: InTheAir, mut bytes: Bytes, fault: Option<Fault>) -> BoxStream<'static, Result<Bytes>> {
    let mut end = match fault {
        Some(Fault::Cut) => End::Short,
        Some(Fault::Break) => End::Broken,
        Some(Fault::Stall) => End::Stalled,
        Some(Fault::Overlong) => End::TooLong,
        _ => End::Whole,
    };
    let (pieces, kept) = {
        let dice = &mut attempt.world.state().sites[attempt.region].dice;
        (dice.between(1, 4), dice.between(0, bytes.len() as u64))
    };
    if matches!(end, End::Short | End::Broken | End::Stalled) {
        bytes.truncate(kept as usize);
    } else if bytes.is_empty() && !matches!(end, End::TooLong) {
        end = End::Whole;
    }
    let piece = (bytes.len() / pieces as usize).max(1);
    stream::unfold(Flow { attempt, rest: bytes, piece, end }, Flow::next).boxed()
}

impl Flow {
    async fn next(mut self) -> Option<(Result<Bytes>, Self)> {
        if !self.rest.is_empty() {
            let pause = self.attempt.world.state().sites[self.attempt.region].dice.between(0, LONGEST_PAUSE);
            if pause > 0 {
                sleep_until(self.attempt.world.moment(self.attempt.world.now() + pause)).await;
            }
            let piece = self.rest.split_to(self.piece.min(self.rest.len()));
            return Some((Ok(piece), self));
        }
        match std::mem::replace(&mut self.end, End::Over) {
            End::Whole | End::Over => None,
            End::Short => {
                self.attempt.note("its body was cut");
                None
            }
            End::Broken => {
                self.attempt.note("its body broke");
                Some((Err(wire::transport(HttpErrorKind::Interrupted, "connection reset in the body")), self))
            }
            End::TooLong => Some((Ok(Bytes::from_static(b"and more")), self)),
            End::Stalled => {
                self.attempt.note("its body stalled");
                std::future::pending().await
            }
        }
    }
}

/// Between two pieces, in milliseconds.
const LONGEST_PAUSE: u64 = 8;
