//! The queue of a region's circuit, and what verdicts do to it.
//!
//! Those who have nowhere else to go may wait for a probe in flight. They queue here, in the order they came: an answer lets two
//! of them go on, each of theirs two more, so that a region which has just come back meets one, then two, then four requests, and
//! not the whole crowd. A failure sends all of them away, and so does an operator who takes the region out; a circuit that closes lets
//! all of them in.

use std::sync::Arc;

use super::breaker::{Breaker, Ticket};
use super::{CircuitClass, CircuitState, Health, News, Permit, Transition};
use crate::time::Instant;

/// What an attempt says of its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Success,
    Failure,
    Throttled,
}

impl Verdict {
    fn bring(self, breaker: &mut Breaker, ticket: Ticket, now: Instant) -> Option<Transition> {
        match self {
            Self::Success => breaker.on_success(ticket, now),
            Self::Failure => breaker.on_failure(ticket, now),
            Self::Throttled => breaker.on_throttle(ticket, now),
        }
    }

    /// What there is to tell, where the circuit has stayed as it was.
    fn news(self, breaker: &Breaker, class: CircuitClass) -> Option<News> {
        match self {
            Self::Success => breaker.trial_successes().map(|(count, wanted)| News::TrialSucceeded(class, count, wanted)),
            Self::Failure if breaker.is_nearly_open() => Some(News::NearlyOpen(class, breaker.consecutive_failures())),
            Self::Failure | Self::Throttled => None,
        }
    }
}

impl Health {
    /// Lets up to `count` of those who wait go on, each with a ticket of its own.
    pub(super) fn release(self: &Arc<Self>, class: CircuitClass, count: usize, now: Instant, ticket: impl Fn(&mut Breaker) -> Ticket) {
        let released: Vec<_> = self.with(class, now, |circuit| {
            circuit.waiters.retain(|waiter| !waiter.is_closed());
            let count = count.min(circuit.waiters.len());
            let waiters: Vec<_> = circuit.waiters.drain(..count).collect();
            (waiters.into_iter().map(|waiter| (waiter, ticket(&mut circuit.breaker))).collect(), None)
        });
        for (waiter, ticket) in released {
            // One who has gone away meanwhile gives the permit back, and its drop hands it on.
            let _ = waiter.send(Permit::new(self, class, ticket));
        }
    }

    /// Brings a verdict to the circuit, and tells those who wait for it.
    pub(super) fn judge(self: &Arc<Self>, class: CircuitClass, ticket: Ticket, verdict: Verdict, now: Instant) {
        if verdict == Verdict::Success && self.glances[class.index()].succeed(ticket, now) {
            return;
        }
        let (closed, news) = self.with(class, now, |circuit| {
            let is_current = circuit.breaker.is_current(ticket);
            let change = verdict.bring(&mut circuit.breaker, ticket, now);
            if change.is_some_and(|change| change.to == CircuitState::Open) {
                circuit.waiters.clear();
            }
            let news = if is_current && change.is_none() { verdict.news(&circuit.breaker, class) } else { None };
            ((change.is_some_and(|change| change.to == CircuitState::Closed), news), change)
        });
        news.into_iter().for_each(|news| self.watch.on_news(self.index, news));
        if closed {
            self.release(class, usize::MAX, now, Breaker::admit_waiter);
        }
    }

    /// The caller of this ticket went away: its place goes to the next who waits, if anyone does.
    pub(super) fn cancel(self: &Arc<Self>, class: CircuitClass, ticket: Ticket, now: Instant) {
        let anyone = self.with(class, now, |circuit| {
            if !circuit.breaker.is_current(ticket) {
                return (false, None);
            }
            circuit.waiters.retain(|waiter| !waiter.is_closed());
            let change = circuit.breaker.on_cancel(ticket, now, !circuit.waiters.is_empty());
            if change.is_some() {
                circuit.waiters.clear();
            }
            (!circuit.waiters.is_empty(), change)
        });
        if anyone {
            self.release(class, 1, now, |breaker| breaker.admit_heir(now));
        }
    }
}
