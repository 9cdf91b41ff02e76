//! One timer round a poll that is pending: nothing has come for too long while the caller was waiting.
//!
//! It runs only while the caller polls. A caller that takes its time stops no clock of ours, because none is running.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};

use crate::time::{Instant, Sleep, after, now, sleep_until};

/// A stream that ends its wait.
pub(crate) struct Patient<T> {
    stream: BoxStream<'static, T>,
    limit: Duration,
    /// How often it says that it still waits.
    tells_every: Duration,
    waiting: Option<Waiting>,
}

struct Waiting {
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

/// What came of one poll.
pub(crate) enum Step<T> {
    Item(Option<T>),
    /// Nothing has come for a while.
    StillWaiting,
    /// Nothing has come for too long.
    Stalled,
    /// Nothing comes to others either: the region has been left alone.
    Abandoned,
}

impl<T> Patient<T> {
    pub(crate) fn new(stream: BoxStream<'static, T>, limit: Duration, tells_every: Duration) -> Self {
        Self { stream, limit, tells_every, waiting: None }
    }

    /// The caller is waiting for the region.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// For how long it has been waiting.
    pub(crate) fn waited(&self, now: Instant) -> Duration {
        self.waiting.as_ref().map_or(Duration::ZERO, |waiting| now.saturating_duration_since(waiting.since))
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// The wait was not for this stream: it starts anew.
    pub(crate) fn start_again(&mut self) {
        self.waiting = None;
    }

    pub(crate) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step<T>> {
        if let Poll::Ready(item) = self.stream.poll_next_unpin(cx) {
            self.waiting = None;
            return Poll::Ready(Step::Item(item));
        }
        let (limit, tells_every) = (self.limit, self.tells_every);
        let waiting = self.waiting.get_or_insert_with(|| {
            let since = now();
            Waiting { since, timer: Box::pin(sleep_until(after(since, limit.min(tells_every)))) }
        });
        ready!(waiting.timer.as_mut().poll(cx));
        let (ends, reached) = (after(waiting.since, limit), waiting.timer.deadline());
        if reached >= ends {
            return Poll::Ready(Step::Stalled);
        }
        waiting.timer.as_mut().reset(after(reached, tells_every).min(ends));
        Poll::Ready(Step::StillWaiting)
    }
}
