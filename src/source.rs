//! One region's part of an answer: its stream, under the stall limit, and the permit that waits for the verdict.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::BoxStream;

use crate::health::Permit;
use crate::stall::{Patient, Step};
use crate::time;

pub(crate) struct Source<T> {
    stream: Patient<T>,
    pub(crate) region: usize,
    pub(crate) permit: Permit,
}

impl<T> Source<T> {
    pub(crate) fn new(stream: BoxStream<'static, T>, limit: Duration, region: usize, permit: Permit) -> Self {
        Self { stream: Patient::new(stream, limit), region, permit }
    }

    /// The caller is waiting for the region.
    pub(crate) fn is_waiting(&self) -> bool {
        self.stream.is_waiting()
    }

    pub(crate) fn limit(&self) -> Duration {
        self.stream.limit()
    }

    /// What comes next; a trial's clock runs only while the caller waits for it.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step<T>> {
        let waited = self.stream.is_waiting();
        let poll = self.stream.poll_step(cx);
        match (waited, poll.is_pending()) {
            (false, true) => self.permit.waits(time::now()),
            (true, false) => self.permit.idles(time::now()),
            _ => {}
        }
        poll
    }
}
