//! One attempt in the air: its future, its limits, and what is known of it.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::Result;

use super::hedge::Hedge;
use crate::evidence::{Evidence, Recorder};
use crate::health::{Abandonment, For, Permit};
use crate::time::Instant;

/// One attempt in the air.
pub(super) struct Flight<'a, A> {
    pub(super) attempt: Attempt,
    pub(super) future: Aloft<'a, A>,
    pub(super) limit: Instant,
    /// When another region is asked beside it.
    pub(super) patience_ends: Option<Instant>,
    /// It is slow, and another region may be asked beside it.
    pub(super) is_slow: bool,
    /// Where silence counts: when it next says that it still waits.
    pub(super) tells_at: Option<Instant>,
    /// Its region has been left alone for its silence.
    pub(super) abandonment: Option<Abandonment>,
}

/// The future of an attempt.
pub(super) enum Aloft<'a, A> {
    /// It ends with its call.
    Bound(BoxFuture<'a, Result<A>>),
    /// It may outlive its call.
    Free(BoxFuture<'static, Result<A>>),
}

/// What is known of an attempt besides its future.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) region: usize,
    pub(super) permit: Permit,
    pub(super) began: Instant,
    /// Its limit is shorter than the region's own: running into it says nothing about the region.
    pub(super) shortened: bool,
    /// What it does on the wire, where its region's store tells.
    pub(super) recorder: Option<Arc<Recorder>>,
    /// It was started beside a slow one, and paid for as a hedge.
    pub(super) hedge: Option<Hedge>,
}

impl<A> Flight<'_, A> {
    /// When something is due.
    pub(super) fn alarm(&self) -> Instant {
        self.patience_ends.into_iter().chain(self.tells_at).fold(self.limit, Instant::min)
    }

    pub(super) fn poll_abandonment(&mut self, cx: &mut Context<'_>) -> Option<usize> {
        // Made only once it has to wait: most answers of a store in memory never do.
        let health = self.tells_at.map(|_| self.attempt.permit.health())?;
        let abandonment = self.abandonment.get_or_insert_with(|| health.abandonment(For::Headers));
        abandonment.poll_unpin(cx).is_ready().then(|| {
            (self.abandonment, self.tells_at) = (None, None);
            self.attempt.region
        })
    }
}

impl<A> Aloft<'_, A> {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<A>> {
        match self {
            Self::Bound(future) => future.poll_unpin(cx),
            Self::Free(future) => future.poll_unpin(cx),
        }
    }
}

impl Attempt {
    /// The status of its answer, where its region's store tells.
    pub(super) fn status(&self) -> Option<u16> {
        self.recorder.as_ref().and_then(|recorder| recorder.status())
    }

    /// What was seen of it on the wire.
    pub(super) fn evidence(&self) -> Option<Evidence> {
        self.recorder.as_ref().map(|recorder| recorder.evidence())
    }
}
