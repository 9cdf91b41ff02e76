//! A limit on how long a caller waits for the next item of a stream.
//!
//! The timer runs only while the caller waits. The time that a caller takes to process an item does
//! not count.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};

use crate::runtime::clock::{Instant, Sleep, delay_of_timer, now, saturating_add, sleep_until};

/// A stream with a limit on each wait.
pub(crate) struct StallGuard<T> {
    stream: BoxStream<'static, T>,
    limit: Duration,
    /// Interval of [`StallEvent::WaitTick`].
    tick: Duration,
    waiting: Option<Waiting>,
    /// The current wait was moved by a delay of this process.
    was_delayed: bool,
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
            was_delayed: false,
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

    /// Whether a delay of this process has moved the wait since the last call.
    pub(crate) fn take_delayed(&mut self) -> bool {
        std::mem::take(&mut self.was_delayed)
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
        let (now, reached) = (now(), waiting.timer.deadline());
        if let Some(late) = delay_of_timer(reached, now) {
            waiting.since = saturating_add(waiting.since, late);
            waiting.timer.as_mut().reset(saturating_add(reached, late));
            self.was_delayed = true;
            return self.poll_step(cx);
        }
        let ends_at = saturating_add(waiting.since, limit);
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
