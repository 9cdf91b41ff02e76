//! A limit on how long a caller waits for the next item of a stream.
//!
//! The timer runs only while the caller waits. The time that a caller takes to process an item does
//! not count.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};

use crate::runtime::clock::{Instant, Sleep, now, saturating_add, sleep_until};

/// A stream with a limit on each wait.
pub(crate) struct StallGuard<T> {
    stream: BoxStream<'static, T>,
    limit: Duration,
    /// Interval of [`StallEvent::WaitTick`].
    tick: Duration,
    waiting: Option<Waiting>,
}

struct Waiting {
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

/// The result of one poll.
pub(crate) enum StallEvent<T> {
    Item(Option<T>),
    /// No item for another tick.
    WaitTick,
    /// No item within the limit.
    Stalled,
    /// The circuit of the region opened for silence. Sent by
    /// [`RegionStream`](super::region_stream::RegionStream) only.
    RegionSilent,
}

impl<T> StallGuard<T> {
    pub(crate) fn new(stream: BoxStream<'static, T>, limit: Duration, tick: Duration) -> Self {
        Self {
            stream,
            limit,
            tick,
            waiting: None,
        }
    }

    /// The caller is waiting for the next item.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The duration of the current wait.
    pub(crate) fn waited(&self, now: Instant) -> Duration {
        self.waiting.as_ref().map_or(Duration::ZERO, |waiting| {
            now.saturating_duration_since(waiting.since)
        })
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Restarts the wait: its time so far was not spent on this stream.
    pub(crate) fn restart_wait(&mut self) {
        self.waiting = None;
    }

    /// Polls the stream. After an event the caller has to poll again, because no waker is
    /// registered.
    pub(crate) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<StallEvent<T>> {
        if let Poll::Ready(item) = self.stream.poll_next_unpin(cx) {
            self.waiting = None;
            return Poll::Ready(StallEvent::Item(item));
        }
        // The first pending poll starts the wait.
        let (limit, tick) = (self.limit, self.tick);
        let waiting = self.waiting.get_or_insert_with(|| {
            let since = now();
            Waiting {
                since,
                timer: Box::pin(sleep_until(saturating_add(since, limit.min(tick)))),
            }
        });
        ready!(waiting.timer.as_mut().poll(cx));
        let (ends_at, reached) = (
            saturating_add(waiting.since, limit),
            waiting.timer.deadline(),
        );
        if reached >= ends_at {
            return Poll::Ready(StallEvent::Stalled);
        }
        waiting
            .timer
            .as_mut()
            .reset(saturating_add(reached, tick).min(ends_at));
        Poll::Ready(StallEvent::WaitTick)
    }
}
