//! What opens a closed circuit besides plain failures in a row: rates, lasting overload, silence.

use std::time::Duration;

use super::transitions::Growth;
use super::{Breaker, State, Ticket};
use crate::health::transition::{Reason, Transition};
use crate::time::Instant;

impl Breaker {
    /// The region was too busy: overload, not death. Only where it lasts it opens the circuit. A trial that ends so opens it again,
    /// without doubling its time.
    pub(in crate::health) fn on_throttle(&mut self, ticket: Ticket, now: Instant) -> Option<Transition> {
        if ticket.era != self.era {
            return None;
        }
        match &self.state {
            State::Closed(_) => {
                self.throttles.add(true, now);
                let counts = self.throttles.counts(now);
                let lasting = self.may_open() && counts.calls >= THROTTLE_CALLS && counts.rate() >= THROTTLE_RATE;
                lasting.then(|| self.trip(now, Reason::Throttling(counts.rate())))
            }
            State::HalfOpen(_) => Some(self.fail_trial(now, Growth::Keep)),
            State::Open(_) => None,
        }
    }

    /// Attempts have waited too long for nothing.
    pub(in crate::health) fn on_silence(&mut self, ticket: Ticket, waited: Duration, now: Instant) -> Option<Transition> {
        let opens = ticket.era == self.era && self.may_open() && matches!(self.state, State::Closed(_));
        opens.then(|| self.trip(now, Reason::Silence(waited)))
    }

    pub(super) fn reason_to_open(&mut self, failures: u32, now: Instant) -> Option<Reason> {
        if !self.may_open() {
            return None;
        }
        if failures >= self.config.failure_threshold {
            return Some(Reason::ConsecutiveFailures(failures));
        }
        let counts = self.window.counts(now);
        let often = counts.calls >= self.config.minimum_calls && counts.rate() >= self.config.failure_rate.get();
        often.then(|| Reason::FailureRate(counts.rate()))
    }
}

/// Throttling that lasts: so large a share of so many calls, over this time.
pub(super) const THROTTLE_WINDOW: Duration = Duration::from_secs(30);
const THROTTLE_CALLS: u32 = 20;
const THROTTLE_RATE: f64 = 0.8;
