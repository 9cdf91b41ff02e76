//! A call of the store on its way: counted once, when its caller has an answer or goes away.

use super::Metrics;
use super::words::Answer;
use crate::operation::Operation;
use crate::time::{self, Instant};

/// A call that has no answer yet. Dropped without one, its caller has gone away.
#[derive(Debug)]
#[must_use = "a call that is dropped at once was cancelled"]
pub(crate) struct Asked<'a> {
    metrics: &'a Metrics,
    operation: Operation,
    began: Instant,
    /// When it was served, where that is known.
    served: Option<Instant>,
    answered: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn new(metrics: &'a Metrics, operation: Operation) -> Self {
        metrics.totals.requests.add_one();
        Self { metrics, operation, began: time::now(), served: None, answered: false }
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// A region has served it just now.
    pub(crate) fn served(&mut self, at: Instant) {
        self.served = Some(at);
    }

    /// Its caller has this.
    pub(crate) fn answered(mut self, answer: Answer) {
        let now = self.served.unwrap_or_else(time::now);
        self.answered = true;
        self.metrics.on_answer(self.operation, answer, Some(now.saturating_duration_since(self.began)));
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.metrics.on_answer(self.operation, Answer::Cancelled, None);
        }
    }
}
