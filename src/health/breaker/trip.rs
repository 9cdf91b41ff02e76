//! Trip conditions of a closed circuit.

use std::time::Duration;

use super::transition::Backoff;
use super::{Breaker, State, Ticket};
use crate::runtime::clock::Instant;
use crate::types::{Transition, TransitionReason};

impl Breaker {
    /// The region throttled a request. That is overload, not an outage: a closed circuit opens only
    /// if it lasts, and a half-open one opens without doubling the open time.
    pub(in crate::health) fn on_throttle(
        &mut self,
        ticket: Ticket,
        now: Instant,
    ) -> Option<Transition> {
        if !self.is_current(ticket) {
            return None;
        }
        match &self.state {
            State::Closed(_) => {
                self.throttles.add(true, now);
                let counts = self.throttles.counts(now);
                let is_lasting = self.may_open()
                    && counts.calls >= THROTTLE_CALLS
                    && counts.rate() >= THROTTLE_RATE;
                is_lasting.then(|| self.trip(now, TransitionReason::Throttling(counts.rate())))
            }
            State::HalfOpen(_) => Some(self.fail_trial(now, Backoff::Keep)),
            State::Open(_) => None,
        }
    }

    /// Attempts have waited for `waited` in total without a response.
    pub(in crate::health) fn on_silence(
        &mut self,
        ticket: Ticket,
        waited: Duration,
        now: Instant,
    ) -> Option<Transition> {
        let opens =
            self.is_current(ticket) && self.may_open() && matches!(self.state, State::Closed(_));
        opens.then(|| self.trip(now, TransitionReason::Silence(waited)))
    }

    pub(super) fn trip_reason(&mut self, failures: u32, now: Instant) -> Option<TransitionReason> {
        if !self.may_open() {
            return None;
        }
        if failures >= self.config.failure_threshold {
            return Some(TransitionReason::ConsecutiveFailures(failures));
        }
        let counts = self.window.counts(now);
        let is_frequent = counts.calls >= self.config.minimum_calls
            && counts.rate() >= self.config.failure_rate.get();
        is_frequent.then(|| TransitionReason::FailureRate(counts.rate()))
    }
}

/// Throttling is lasting if this share of this many calls was throttled within this window.
pub(super) const THROTTLE_WINDOW: Duration = Duration::from_secs(30);
const THROTTLE_CALLS: u32 = 20;
const THROTTLE_RATE: f64 = 0.8;
