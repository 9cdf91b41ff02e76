//! What is counted of an attempt: how long it took to its answer, and what came of it, once each.
//!
//! What came of an attempt is another matter than its verdict. A refusal on which all regions agree charges nobody, and the caller
//! got nothing all the same; and a body may break long after the headers were well. So the outcome is noted where it is known,
//! and the verdict is brought where it is decided.
//!
//! A straggler, an attempt from before the circuit's last transition, is counted, and says nothing of how the region is now: a body
//! that was delivered before the region died, and is dropped an hour later, must not declare it well. That it fails is news all the same
//! while the circuit is not closed: who waits for a region that has just been left alone for its silence is the one who tells why.

use super::news::News;
use super::permit::{Permit, Tally};
use super::transition::CircuitState;
use crate::metrics::Outcome;
use crate::operation::Operation;
use crate::sync::atomic::Ordering;
use crate::time::Instant;

/// An attempt whose outcome is still to come.
#[derive(Debug)]
pub(super) struct Account {
    operation: Operation,
    began: Instant,
    /// Its time to the answer has been counted.
    is_timed: bool,
}

impl Account {
    pub(super) fn open(operation: Operation, now: Instant) -> Self {
        Self { operation, began: now, is_timed: false }
    }
}

impl Permit {
    /// What came of the attempt, where that is known before its verdict. The first word counts.
    pub(crate) fn note(&mut self, outcome: Outcome, now: Instant) {
        self.note_answer(now);
        self.close(outcome);
    }

    /// The region has answered.
    pub(super) fn note_answer(&mut self, now: Instant) {
        if let Some(account) = self.account.as_mut().filter(|account| !account.is_timed) {
            account.is_timed = true;
            let (operation, waited) = (account.operation, now.saturating_duration_since(account.began));
            let health = self.health();
            health.metrics.on_waited(health.index, operation, waited);
        }
    }

    /// It ends, and nobody knows how.
    pub(super) fn note_nothing(&mut self) {
        self.close(Outcome::Cancelled);
    }

    fn close(&mut self, outcome: Outcome) {
        let Some(account) = self.account.take() else { return };
        let tells = self.tells(outcome);
        let health = self.health();
        health.metrics.on_attempt_ended(health.index, account.operation, outcome, tells);
        if let Some(run) = tells.then(|| health.tally.count(outcome)).flatten() {
            health.watch.on_news(health.index, News::Failing(run));
        }
    }

    /// Whether this outcome says how the region is now.
    fn tells(&self, outcome: Outcome) -> bool {
        if outcome == Outcome::Cancelled {
            return false;
        }
        let Some(ticket) = self.ticket else { return true };
        let is_current = self.health().glances[self.class.index()].is_current(ticket);
        is_current || (outcome.is_failing() && self.health().circuits[self.class.index()].lock().breaker.state() != CircuitState::Closed)
    }
}

impl Tally {
    /// Counts failures in a row, by outcomes that tell; returns how many there are where this was one.
    fn count(&self, outcome: Outcome) -> Option<u32> {
        if outcome.is_failing() {
            return Some(self.run.fetch_add(1, Ordering::Relaxed).saturating_add(1));
        }
        if self.run.load(Ordering::Relaxed) != 0 {
            self.forget_failures();
        }
        None
    }

    /// Attempts that have been sent and have not ended. Ends are read first: a number that is a moment old may be too large, and not
    /// below nothing.
    pub(super) fn in_flight(&self) -> u32 {
        let ended: u64 = [&self.successes, &self.failures, &self.others].map(|count| count.load(Ordering::Acquire)).iter().sum();
        u32::try_from(self.attempts.load(Ordering::Relaxed).saturating_sub(ended)).unwrap_or(u32::MAX)
    }

    pub(super) fn forget_failures(&self) {
        self.run.store(0, Ordering::Relaxed);
    }
}
