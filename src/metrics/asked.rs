//! A call of the store on its way: counted once, when its caller has an answer or goes away.

use std::sync::Arc;

use super::Metrics;
use super::words::Answer;
use crate::operation::Operation;
use crate::time::{self, Instant};

/// A call that has no answer yet. Dropped without one, its caller has gone away.
#[derive(Debug)]
#[must_use = "a call that is dropped at once was cancelled"]
pub(crate) struct Asked {
    metrics: Arc<Metrics>,
    operation: Operation,
    began: Instant,
    answered: bool,
}

impl Asked {
    pub(super) fn new(metrics: &Arc<Metrics>, operation: Operation) -> Self {
        metrics.totals.requests.add_one();
        Self { metrics: Arc::clone(metrics), operation, began: time::now(), answered: false }
    }

    /// Its caller has this.
    pub(crate) fn answered(mut self, answer: Answer) {
        self.answered = true;
        self.metrics.on_answer(self.operation, answer, Some(time::now() - self.began));
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.answered {
            self.metrics.on_answer(self.operation, Answer::Cancelled, None);
        }
    }
}
