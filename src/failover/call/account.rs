//! What a call tells to those who keep account: hops, rounds, missing keys. It decides nothing.

use std::time::Duration;

use super::Call;
use crate::failover::config::NotFoundPolicy;
use crate::failover::hedge::Hedge;
use crate::failover::take_down;
use crate::failure::{Failure, FailureClass};
use crate::health::Permit;
use crate::metrics::{Missing, Outcome};
use crate::request::Request;
use crate::time::Instant;

/// What is still to be told.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// A region that has failed the call, and why: the next region that is asked is the one it moves on to.
    failed: Option<(usize, Outcome)>,
}

impl Account {
    /// A search for what a region lacks is no failure of that region.
    pub(super) fn moves_on(&mut self, from: usize, class: FailureClass) {
        let reason = Outcome::from(class);
        if reason.is_failing() || reason == Outcome::Conflict {
            self.failed = Some((from, reason));
        }
    }
}

impl<R: Request> Call<'_, R> {
    /// Takes down what an attempt came back with.
    pub(super) fn take_down(&mut self, region: usize, permit: &mut Permit, hedge: Option<Hedge>, failure: &Failure, now: Instant) {
        take_down(&self.core.events, region, permit, failure, now);
        self.account.moves_on(region, failure.class());
        if Outcome::from(failure.class()).is_failing() {
            hedge.into_iter().for_each(Hedge::failed);
        }
    }

    /// An attempt on this region has been sent.
    pub(super) fn tell_of_hop(&mut self, to: usize) {
        if let Some((from, reason)) = self.account.failed.take().filter(|(from, _)| *from != to) {
            self.core.metrics.on_failover(from, to, reason);
            self.core.events.log_failover(self.operation, from, to, reason);
        }
    }

    /// Another round begins after this pause: that is a retry, and no hop.
    pub(super) fn tell_of_round(&mut self, pause: Duration) {
        self.account.failed = None;
        self.core.metrics.on_retry(self.operation, self.round - 1);
        self.core.events.log_retry(self.operation, self.round - 1, pause);
    }

    /// A region has served.
    pub(super) fn tell_of_answer(&self) {
        if self.round > 1 {
            self.core.metrics.on_retry_served();
        }
        let lagging = self.outcome.lagging();
        lagging.iter().for_each(|region| self.core.metrics.on_lagging(region));
        if self.outcome.is_missing() {
            self.tell_of_missing(Missing::Lagging);
        }
    }

    /// One region's answer is the caller's.
    pub(super) fn tell_of_final(&self, failure: &Failure) {
        if failure.class() == FailureClass::NotFound {
            self.tell_of_missing(if failure.is_delete_marker() { Missing::Deleted } else { Missing::Nowhere });
        }
    }

    /// No region has served.
    pub(super) fn tell_of_failure(&self) {
        if self.outcome.is_missing() {
            let decided = self.core.not_found == NotFoundPolicy::Reachable || self.outcome.is_absent_everywhere();
            self.tell_of_missing(if decided { Missing::Nowhere } else { Missing::Undecided });
        }
    }

    /// The rest of a broken answer is no request of its own.
    fn tell_of_missing(&self, how: Missing) {
        if self.broken.is_empty() {
            self.core.metrics.on_missing(how);
        }
    }
}
