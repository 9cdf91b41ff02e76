//! Requests that wait for a trial in flight, and the effect of verdicts on them.
//!
//! A request without another region may wait for the trial of another request. Waiters are FIFO.
//! Each response admits two of them, so a recovered region receives 1, 2, 4, ... requests instead
//! of all at once. A failure rejects all waiters, and so does an override that excludes the region.
//! A circuit that closes admits all of them.

use std::sync::Arc;

use super::breaker::{Breaker, Ticket};
use super::{CircuitClass, CircuitState, HealthEvent, Permit, RegionHealth, Transition};
use crate::runtime::clock::Instant;
use crate::types::Verdict;

impl Verdict {
    fn apply(self, breaker: &mut Breaker, ticket: Ticket, now: Instant) -> Option<Transition> {
        match self {
            Self::Success => breaker.on_success(ticket, now),
            Self::Failure => breaker.on_failure(ticket, now),
            Self::Throttled => breaker.on_throttle(ticket, now),
            Self::Deferred => None,
        }
    }

    /// The event to report when the circuit kept its state.
    fn event(self, breaker: &Breaker, class: CircuitClass) -> Option<HealthEvent> {
        match self {
            Self::Success => breaker.trial_successes().map(|(successes, required)| {
                HealthEvent::TrialSucceeded(class, successes, required)
            }),
            Self::Failure if breaker.is_about_to_open() => {
                let failures = breaker.consecutive_failures();
                Some(HealthEvent::AboutToOpen(class, failures, failures + 1))
            }
            Self::Failure | Self::Throttled | Self::Deferred => None,
        }
    }
}

impl RegionHealth {
    /// Admits up to `count` waiters, each with a ticket of its own.
    pub(super) fn release(
        self: &Arc<Self>,
        class: CircuitClass,
        count: usize,
        now: Instant,
        ticket: impl Fn(&mut Breaker) -> Ticket,
    ) {
        let released: Vec<_> = self.update_circuit(class, now, |circuit| {
            circuit.waiters.retain(|waiter| !waiter.is_closed());
            let count = count.min(circuit.waiters.len());
            let waiters = circuit.waiters.drain(..count);
            let tickets = waiters.map(|waiter| (waiter, ticket(&mut circuit.breaker)));
            (tickets.collect(), None)
        });
        // Sent after the lock is released, because dropping a permit takes the lock.
        for (waiter, ticket) in released {
            // A cancelled waiter drops its permit, which passes it on to the next one.
            let _ = waiter.send(Permit::new(self, class, ticket));
        }
    }

    /// Applies a verdict to the circuit and to its waiters.
    pub(super) fn apply_verdict(
        self: &Arc<Self>,
        class: CircuitClass,
        ticket: Ticket,
        verdict: Verdict,
        now: Instant,
    ) {
        if verdict == Verdict::Success
            && self.fast_paths[class.index()].try_count_success(ticket, now)
        {
            return;
        }
        let (has_closed, event) = self.update_circuit(class, now, |circuit| {
            let is_current = circuit.breaker.is_current(ticket);
            let change = verdict.apply(&mut circuit.breaker, ticket, now);
            let entered = change.map(|change| change.to);
            if entered == Some(CircuitState::Open) {
                circuit.waiters.clear();
            }
            let event = if is_current && change.is_none() {
                verdict.event(&circuit.breaker, class)
            } else {
                None
            };
            ((entered == Some(CircuitState::Closed), event), change)
        });
        if let Some(event) = event {
            self.observer.on_event(self.index, event);
        }
        if has_closed {
            self.release(class, usize::MAX, now, Breaker::admit_waiter);
        }
    }

    /// The request of this ticket was cancelled. The longest waiter takes its trial over, if there
    /// is one.
    pub(super) fn cancel(self: &Arc<Self>, class: CircuitClass, ticket: Ticket, now: Instant) {
        let has_waiters = self.update_circuit(class, now, |circuit| {
            if !circuit.breaker.is_current(ticket) {
                return (false, None);
            }
            circuit.waiters.retain(|waiter| !waiter.is_closed());
            let change = circuit
                .breaker
                .on_cancel(ticket, now, !circuit.waiters.is_empty());
            if change.is_some() {
                circuit.waiters.clear();
            }
            (!circuit.waiters.is_empty(), change)
        });
        if has_waiters {
            self.release(class, 1, now, |breaker| breaker.hand_over_trial(now));
        }
    }
}
