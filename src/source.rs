//! One region's part of an answer: its stream, under the stall limit, and the permit that waits for the verdict.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::stream::BoxStream;

use crate::health::{Abandonment, For, Permit};
use crate::stall::{Patient, Step};
use crate::time;

pub(crate) struct Source<T> {
    stream: Patient<T>,
    pub(crate) region: usize,
    pub(crate) permit: Permit,
    /// Where the region's silence counts: its circuit has opened for it while the caller waits.
    silence: Silence,
}

enum Silence {
    /// A page may take its time.
    Ignored,
    Counts(Option<Abandonment>),
    /// Its circuit has opened for it, and this wait is too young to tell: bytes may flow all the same.
    Suspect,
}

impl<T> Source<T> {
    /// A part whose pauses say nothing, until they are too long.
    pub(crate) fn new(stream: BoxStream<'static, T>, limit: Duration, region: usize, permit: Permit) -> Self {
        Self { stream: Patient::new(stream, limit, limit), region, permit, silence: Silence::Ignored }
    }

    /// A part whose pauses count as the region's silence.
    pub(crate) fn heard(stream: BoxStream<'static, T>, limit: Duration, region: usize, permit: Permit) -> Self {
        let stream = Patient::new(stream, limit, permit.health().silence());
        Self { stream, region, permit, silence: Silence::Counts(None) }
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
        loop {
            let waited = self.stream.is_waiting();
            let poll = self.stream.poll_step(cx);
            match (waited, self.stream.is_waiting()) {
                (false, true) => self.permit.waits(self.counts(), time::now()),
                (true, false) => self.on_delivered(),
                _ => {}
            }
            match poll {
                Poll::Ready(Step::StillWaiting) => {
                    self.permit.still_waits(time::now());
                    if matches!(self.silence, Silence::Suspect) {
                        self.silence = Silence::Ignored;
                        return Poll::Ready(Step::Abandoned);
                    }
                }
                Poll::Pending if self.poll_abandonment(cx) => return Poll::Ready(Step::Abandoned),
                poll => return poll,
            }
        }
    }

    /// The region's pauses count as its silence.
    fn counts(&self) -> bool {
        !matches!(self.silence, Silence::Ignored)
    }

    fn on_delivered(&mut self) {
        self.permit.idles(time::now());
        if !matches!(self.silence, Silence::Ignored) {
            self.silence = Silence::Counts(None);
        }
    }

    /// The region has been left alone since the caller began to wait.
    fn poll_abandonment(&mut self, cx: &mut Context<'_>) -> bool {
        let Silence::Counts(abandonment) = &mut self.silence else { return false };
        let abandonment = abandonment.get_or_insert_with(|| self.permit.health().abandonment(For::Bytes));
        if abandonment.poll_unpin(cx).is_pending() {
            return false;
        }
        let is_silent_here = self.stream.waited(time::now()) >= self.permit.health().silence();
        self.silence = if is_silent_here { Silence::Ignored } else { Silence::Suspect };
        is_silent_here
    }
}
