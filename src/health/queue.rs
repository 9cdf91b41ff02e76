//! The queue of a region's circuit, and what verdicts do to it.
//!
//! Those who have nowhere else to go may wait for a probe in flight. They queue here, in the order they came: an answer lets two
//! of them go on, each of theirs two more, so that a region which has just come back meets one, then two, then four requests, and
//! not the whole crowd. A failure sends all of them away; a circuit that closes lets all of them in.

use std::sync::Arc;

use super::breaker::{Breaker, Ticket};
use super::{CircuitClass, CircuitState, Health, Permit, Transition};
use crate::time::Instant;

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
    pub(super) fn judge(self: &Arc<Self>, class: CircuitClass, now: Instant, verdict: impl FnOnce(&mut Breaker) -> Option<Transition>) {
        let closed = self.with(class, now, |circuit| {
            let change = verdict(&mut circuit.breaker);
            if change.is_some_and(|change| change.to == CircuitState::Open) {
                circuit.waiters.clear();
            }
            (change.is_some_and(|change| change.to == CircuitState::Closed), change)
        });
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
