//! One timer round a poll that is pending: nothing has come for too long while the caller was waiting.
//!
//! It runs only while the caller polls. A caller that takes its time stops no clock of ours, because none is running.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};

use crate::time::{Sleep, after, now, sleep_until};

/// A stream that ends its wait.
pub(crate) struct Patient<T> {
    stream: BoxStream<'static, T>,
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What came of one poll.
pub(crate) enum Step<T> {
    Item(Option<T>),
    Stalled,
}

impl<T> Patient<T> {
    pub(crate) fn new(stream: BoxStream<'static, T>, limit: Duration) -> Self {
        Self { stream, limit, timer: None }
    }

    /// The caller is waiting for the region.
    pub(crate) fn is_waiting(&self) -> bool {
        self.timer.is_some()
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// The wait was not for this stream: it starts anew.
    pub(crate) fn start_again(&mut self) {
        self.timer = None;
    }

    pub(crate) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step<T>> {
        if let Poll::Ready(item) = self.stream.poll_next_unpin(cx) {
            self.timer = None;
            return Poll::Ready(Step::Item(item));
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(after(now(), self.limit))));
        timer.as_mut().poll(cx).map(|()| Step::Stalled)
    }
}
