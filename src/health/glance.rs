//! What can be seen of a circuit without its lock: all that a call needs on a day on which nothing happens.
//!
//! A circuit that is plainly closed admits everybody, and an answer that is well changes nothing in it but a count. So it leaves a note
//! outside of its lock: its era, whether it is plainly closed, and whether nothing has failed since the last success. Whoever finds it so
//! takes a ticket, or counts a success, without the lock. The note is written under the lock, with each change, and what was counted
//! meanwhile is fetched by whoever holds the lock next, before anything else; the first success in each bucket of a window takes it.
//!
//! The price: a success that comes in the very instant of a transition may be counted in the window of the era that begins, if that is a
//! closed one, and not at all otherwise. Windows are about many.

use super::breaker::{Breaker, Ticket};
use super::fleet::Stamp;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::time::Instant;

#[derive(Debug)]
pub(super) struct Glance {
    /// The era, and two bits.
    note: AtomicU64,
    /// Successes that the windows have not counted yet.
    successes: AtomicU32,
    /// Until when they belong to the newest bucket of every window.
    until: Stamp,
}

impl Glance {
    pub(super) fn new(now: Instant) -> Self {
        Self { note: AtomicU64::new(0), successes: AtomicU32::new(0), until: Stamp::new(now) }
    }

    /// A ticket, where the circuit is plainly closed.
    pub(super) fn admit(&self) -> Option<Ticket> {
        let note = self.note.load(Ordering::Acquire);
        (note & CALM != 0).then(|| Ticket::plain(note >> BITS))
    }

    /// The ticket was given after the last transition.
    pub(super) fn is_current(&self, ticket: Ticket) -> bool {
        self.note.load(Ordering::Acquire) >> BITS == ticket.era()
    }

    /// Counts a success, where that is all there is to do.
    pub(super) fn succeed(&self, ticket: Ticket, now: Instant) -> bool {
        let counts = self.note.load(Ordering::Acquire) == ticket.era() << BITS | CALM | CLEAN && self.until.is_after(now);
        if counts {
            self.successes.fetch_add(1, Ordering::Relaxed);
        }
        counts
    }

    /// What was counted since it was last fetched; under the circuit's lock.
    pub(super) fn fetch(&self) -> u32 {
        if self.successes.load(Ordering::Relaxed) == 0 { 0 } else { self.successes.swap(0, Ordering::Relaxed) }
    }

    /// How the circuit is from now on; under its lock.
    pub(super) fn write(&self, breaker: &Breaker, calm: bool) {
        self.until.set(breaker.steady_until());
        let bits = if calm { CALM } else { 0 } | if breaker.consecutive_failures() == 0 { CLEAN } else { 0 };
        self.note.store(breaker.era() << BITS | bits, Ordering::Release);
    }
}

/// Plainly closed: no operator's word, no ramp.
const CALM: u64 = 1;
/// No failure since the last success.
const CLEAN: u64 = 2;
const BITS: u32 = 2;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::health::alone::{Circuit, now};

    #[test]
    fn a_success_without_the_lock_is_in_the_window_of_its_moment() {
        let (circuit, start) = (Circuit::closed(), now());
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        (0..6).for_each(|_| assert!(circuit.call(at(0.1))));
        circuit.fail(at(0.2));
        assert_eq!(circuit.failure_rate(at(0.3)), 1.0 / 7.0);
        assert!(circuit.call(at(0.3)), "the run of failures ends with the lock");
        (0..2).for_each(|_| assert!(circuit.call(at(0.4))));
        assert_eq!(circuit.failure_rate(at(0.5)), 1.0 / 10.0);
        (0..9).for_each(|_| assert!(circuit.call(at(5.0))));
        circuit.fail(at(5.1));
        assert_eq!(circuit.failure_rate(at(5.2)), 2.0 / 20.0);
        assert_eq!(circuit.failure_rate(at(12.0)), 1.0 / 10.0, "the first ten are forgotten");
    }

    #[test]
    fn an_open_circuit_admits_nobody_by_what_it_was() {
        let (circuit, start) = (Circuit::closed(), now());
        (0..4).for_each(|_| circuit.fail(start));
        assert!(circuit.call(start), "a success ends the run");
        (0..5).for_each(|_| circuit.fail(start));
        assert!(!circuit.call(start));
    }
}
