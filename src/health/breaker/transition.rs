//! Transitions between states, and the open time.

use std::time::Duration;

use rand::RngExt;

use super::half_open::HalfOpen;
use super::{Breaker, Closed, Open, State};
use crate::runtime::clock::{Instant, saturating_add, saturating_mul_f64};
use crate::types::{Transition, TransitionReason};

/// Effect of a failed trial on the open time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Backoff {
    Increase,
    Keep,
}

impl Breaker {
    pub(super) fn trip(&mut self, now: Instant, reason: TransitionReason) -> Transition {
        // Closed for at least the last open time: not a relapse, so the backoff starts over.
        if let State::Closed(closed) = &self.state
            && now.saturating_duration_since(closed.since) >= self.open_for
        {
            self.open_for = Duration::ZERO;
        }
        self.open(now, Backoff::Increase, reason)
    }

    /// Opens the circuit after a failed trial. A failed last-resort attempt restores the open time
    /// that was running; any other trial starts a new one.
    pub(super) fn fail_trial(&mut self, now: Instant, backoff: Backoff) -> Transition {
        match &self.state {
            State::HalfOpen(half_open)
                if half_open.is_last_resort && now < half_open.before.until =>
            {
                let before = half_open.before;
                self.enter(State::Open(before), now, TransitionReason::LastResortFailed)
            }
            _ => self.open(now, backoff, TransitionReason::TrialFailed),
        }
    }

    pub(super) fn open(
        &mut self,
        now: Instant,
        backoff: Backoff,
        reason: TransitionReason,
    ) -> Transition {
        self.open_for = match backoff {
            _ if self.open_for.is_zero() => self.config.open_for,
            Backoff::Increase => self
                .open_for
                .saturating_mul(2)
                .min(self.config.open_for_max),
            Backoff::Keep => self.open_for,
        };
        let jitter = 1.0 + self.config.jitter.get() * self.rng.random_range(-1.0..=1.0);
        let until = saturating_add(now, saturating_mul_f64(self.open_for, jitter));
        self.enter(
            State::Open(Open {
                until,
                last_resort_at: None,
            }),
            now,
            reason,
        )
    }

    pub(super) fn half_open(
        &mut self,
        before: Open,
        is_last_resort: bool,
        now: Instant,
        reason: TransitionReason,
    ) -> Transition {
        self.enter(
            State::HalfOpen(HalfOpen::new(before, is_last_resort)),
            now,
            reason,
        )
    }

    pub(super) fn close(&mut self, now: Instant, reason: TransitionReason) -> Transition {
        let closed = Closed {
            ramps_up: !self.config.ramp.is_zero(),
            ..Closed::steady(now)
        };
        self.enter(State::Closed(closed), now, reason)
    }

    /// Closes the circuit for an override.
    pub(in crate::health) fn force_close(&mut self, now: Instant) -> Option<Transition> {
        let is_closed = matches!(self.state, State::Closed(_));
        (!is_closed).then(|| self.close(now, TransitionReason::ForcedClosed))
    }

    /// Closes the circuit and clears its history. Requests from before the reset no longer count.
    pub(in crate::health) fn reset(&mut self, now: Instant) -> Option<Transition> {
        self.open_for = Duration::ZERO;
        if matches!(self.state, State::Closed(_)) {
            // A new epoch, but no transition to report.
            self.enter(
                State::Closed(Closed::steady(now)),
                now,
                TransitionReason::Reset,
            );
            return None;
        }
        Some(self.close(now, TransitionReason::Reset))
    }

    /// While forced closed, the circuit counts results and does not open.
    pub(in crate::health) fn set_forced_closed(&mut self, forced_closed: bool) {
        self.forced_closed = forced_closed;
    }

    pub(super) fn may_open(&self) -> bool {
        self.config.enabled && !self.forced_closed
    }

    /// Enters `next`: a new epoch with empty windows.
    pub(super) fn enter(
        &mut self,
        next: State,
        now: Instant,
        reason: TransitionReason,
    ) -> Transition {
        let change = Transition {
            from: self.state.name(),
            to: next.name(),
            reason,
        };
        self.state = next;
        self.epoch += 1;
        self.window.clear(now);
        self.throttles.clear(now);
        change
    }
}
