//! How the circuit gets from one state to the next, and how long it stays open.

use std::time::Duration;

use rand::RngExt;

use super::half_open::HalfOpen;
use super::{Breaker, Closed, Open, State};
use crate::health::transition::{Reason, Transition};
use crate::time::{Instant, after, scaled};

/// What a failed trial does to the open time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Growth {
    Double,
    Keep,
}

impl Breaker {
    pub(super) fn trip(&mut self, now: Instant, reason: Reason) -> Transition {
        let calm = matches!(&self.state, State::Closed(closed) if now.saturating_duration_since(closed.since) >= self.open_for);
        if calm {
            self.open_for = Duration::ZERO;
        }
        self.open(now, Growth::Double, reason)
    }

    /// A failed early probe leaves the open time as it was; any other failed trial starts a new one.
    pub(super) fn fail_trial(&mut self, now: Instant, growth: Growth) -> Transition {
        match &self.state {
            State::HalfOpen(half) if half.early && now < half.before.until => {
                let before = half.before;
                self.enter(State::Open(before), now, Reason::EarlyProbeFailed)
            }
            _ => self.open(now, growth, Reason::TrialFailed),
        }
    }

    pub(super) fn open(&mut self, now: Instant, growth: Growth, reason: Reason) -> Transition {
        self.open_for = match growth {
            _ if self.open_for.is_zero() => self.config.open_for,
            Growth::Double => self.open_for.saturating_mul(2).min(self.config.open_for_max),
            Growth::Keep => self.open_for,
        };
        let jitter = 1.0 + self.config.jitter.get() * self.dice.random_range(-1.0..=1.0);
        let until = after(now, scaled(self.open_for, jitter));
        self.enter(State::Open(Open { until, probed: None }), now, reason)
    }

    pub(super) fn half_open(&mut self, before: Open, early: bool, now: Instant, reason: Reason) -> Transition {
        self.enter(State::HalfOpen(HalfOpen::new(before, early)), now, reason)
    }

    pub(super) fn close(&mut self, now: Instant, reason: Reason) -> Transition {
        let ramps = !self.config.ramp.is_zero();
        self.enter(State::Closed(Closed { since: now, failures: 0, ramps }), now, reason)
    }

    /// An operator has closed it.
    pub(in crate::health) fn close_by_force(&mut self, now: Instant) -> Option<Transition> {
        let is_closed = matches!(self.state, State::Closed(_));
        (!is_closed).then(|| self.close(now, Reason::ForcedClosed))
    }

    /// An operator has made it forget: it is closed, starts from the first open time, and hears of no call from before.
    pub(in crate::health) fn reset(&mut self, now: Instant) -> Option<Transition> {
        self.open_for = Duration::ZERO;
        if matches!(self.state, State::Closed(_)) {
            self.enter(State::Closed(Closed { since: now, failures: 0, ramps: false }), now, Reason::Reset);
            return None;
        }
        Some(self.close(now, Reason::Reset))
    }

    /// While it is held closed it counts, and does not open.
    pub(in crate::health) fn hold_closed(&mut self, held: bool) {
        self.held_closed = held;
    }

    pub(super) fn may_open(&self) -> bool {
        self.config.enabled && !self.held_closed
    }

    /// Every transition begins an era and forgets the run and the window of the one before.
    pub(super) fn enter(&mut self, next: State, now: Instant, reason: Reason) -> Transition {
        let change = Transition { from: self.state.name(), to: next.name(), reason };
        self.state = next;
        self.era += 1;
        self.window.clear(now);
        self.throttles.clear(now);
        change
    }
}
