//! Lock-free view of a closed circuit.
//!
//! A steadily closed circuit admits every request, and a success changes only a count. One atomic
//! word outside the lock holds the epoch and two flags: steadily closed, and no failure since the
//! last success. While both are set, requests take tickets and count successes without the lock.
//!
//! The word is published under the lock with each change. Accumulated successes are moved into the
//! windows by the next holder of the lock, before anything else; the first success after the end of
//! a window's bucket takes the lock.
//!
//! A success that races with a transition may be counted in the window of the next epoch if that is
//! closed, and is lost otherwise. One call more or less does not change a rate.

use super::breaker::{Breaker, Ticket};
use crate::runtime::atomic_instant::AtomicInstant;
use crate::runtime::clock::Instant;
use crate::runtime::sync::atomic::{AtomicU32, AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct FastPath {
    /// The epoch, shifted by [`FLAG_BITS`], and the flags.
    state_word: AtomicU64,
    /// Successes that are not in the windows yet.
    successes: AtomicU32,
    /// Until when successes belong to the newest bucket of every window.
    bucket_ends_at: AtomicInstant,
}

impl FastPath {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            state_word: AtomicU64::new(0),
            successes: AtomicU32::new(0),
            bucket_ends_at: AtomicInstant::new(now),
        }
    }

    /// A ticket, if the circuit is steadily closed.
    pub(super) fn admit(&self) -> Option<Ticket> {
        let word = self.state_word.load(Ordering::Acquire);
        (word & CLOSED != 0).then(|| Ticket::regular(word >> FLAG_BITS))
    }

    /// The ticket was issued after the last transition.
    pub(super) fn is_current(&self, ticket: Ticket) -> bool {
        self.state_word.load(Ordering::Acquire) >> FLAG_BITS == ticket.epoch()
    }

    /// Counts a success. False if the circuit's lock is needed for it.
    pub(super) fn try_count_success(&self, ticket: Ticket, now: Instant) -> bool {
        let is_counted = self.state_word.load(Ordering::Acquire)
            == ticket.epoch() << FLAG_BITS | CLOSED | NO_FAILURES
            && self.bucket_ends_at.is_after(now);
        if is_counted {
            self.successes.fetch_add(1, Ordering::Relaxed);
        }
        is_counted
    }

    /// Takes the accumulated successes. Called under the circuit's lock.
    pub(super) fn take_successes(&self) -> u32 {
        // A load is cheaper than a swap, and 0 is the common case on slow paths.
        if self.successes.load(Ordering::Relaxed) == 0 {
            0
        } else {
            self.successes.swap(0, Ordering::Relaxed)
        }
    }

    /// Publishes the state of the circuit. Called under its lock.
    pub(super) fn publish(&self, breaker: &Breaker, is_steady: bool) {
        self.bucket_ends_at.set(breaker.steady_until());
        let mut word = breaker.epoch() << FLAG_BITS;
        if is_steady {
            word |= CLOSED;
        }
        if breaker.consecutive_failures() == 0 {
            word |= NO_FAILURES;
        }
        self.state_word.store(word, Ordering::Release);
    }
}

/// Closed, without an override or a ramp.
const CLOSED: u64 = 1;
/// No failure since the last success.
const NO_FAILURES: u64 = 2;
const FLAG_BITS: u32 = 2;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::health::bench::{Circuit, now};

    #[test]
    fn lock_free_success_counts_in_current_bucket() {
        let (circuit, start) = (Circuit::closed(), now());
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        (0..6).for_each(|_| assert!(circuit.call(at(0.1))));
        circuit.fail(at(0.2));
        assert_eq!(circuit.failure_rate(at(0.3)), 1.0 / 7.0);
        assert!(
            circuit.call(at(0.3)),
            "this success takes the lock and resets the failures"
        );
        (0..2).for_each(|_| assert!(circuit.call(at(0.4))));
        assert_eq!(circuit.failure_rate(at(0.5)), 1.0 / 10.0);
        (0..9).for_each(|_| assert!(circuit.call(at(5.0))));
        circuit.fail(at(5.1));
        assert_eq!(circuit.failure_rate(at(5.2)), 2.0 / 20.0);
        assert_eq!(
            circuit.failure_rate(at(12.0)),
            1.0 / 10.0,
            "the first ten have expired"
        );
    }

    #[test]
    fn open_circuit_rejects_without_lock() {
        let (circuit, start) = (Circuit::closed(), now());
        (0..4).for_each(|_| circuit.fail(start));
        assert!(
            circuit.call(start),
            "a success resets the consecutive failures"
        );
        (0..5).for_each(|_| circuit.fail(start));
        assert!(!circuit.call(start));
    }
}
