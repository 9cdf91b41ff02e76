//! Circuit breaker: a pure state machine.
//!
//! It takes `now` as an argument and never sleeps, locks or logs, so that a test script covers the
//! full sequence of states. What counts as a failure is decided in `error::classify`, the order of
//! regions in `plan`.
//!
//! ## States
//!
//! - **Closed**: admits all requests.
//! - **Open**: admits none until the open time has elapsed.
//! - **Half-open**: admits a few trials, `half_open_max_calls` at a time.
//!
//! ## Trip conditions
//!
//! A closed circuit opens on the first of:
//!
//! - `failure_threshold` consecutive failures,
//! - a share of `failure_rate` failures among at least `minimum_calls` calls within `window`,
//! - silence: attempts that wait in vain while another region responds (see `health::silence`),
//! - lasting throttling: a high share of throttled calls over 30 s. A single throttled call is
//!   overload, not an outage, and is no failure.
//!
//! ## Recovery
//!
//! - The open time starts at `open_for`, has a random jitter, and doubles with each failed trial up
//!   to `open_for_max`. It starts over once the circuit has stayed closed as long as it was open.
//! - `success_threshold` successful trials close the circuit; one failed trial opens it again.
//! - The half-open timeout runs only while a trial waits for the region. It accumulates over
//!   cancelled trials and restarts with each byte of a body: a long download is no failure, and a
//!   caller that does not poll its body costs the region nothing.
//! - A circuit that closes ramps its share of requests up over `ramp`.
//! - The recovery of another region after a total outage half-opens every open circuit.
//!
//! ## Last-resort attempts
//!
//! When no other region is left, an open circuit becomes half-open before its open time has
//! elapsed, at most once per `early_probe_interval`. If that trial fails, the circuit is open until
//! the same time as before.
//!
//! ## Epochs
//!
//! Each transition begins a new epoch. A ticket carries the epoch of its admission, and a verdict
//! with an older epoch is ignored: it describes the state before the transition.

mod admission;
mod half_open;
mod ticket;
mod transition;
mod trip;
mod window;

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::SmallRng;

use super::config::BreakerConfig;
use crate::runtime::clock::Instant;
use crate::types::{CircuitState, Transition, TransitionReason};
pub(crate) use admission::Availability;
pub(super) use admission::LastResortDecision;
use half_open::{HalfOpen, TrialPhase};
pub(super) use ticket::Ticket;
use transition::Backoff;
use window::{Counts, Window};

#[derive(Debug)]
pub(super) struct Breaker {
    config: Arc<BreakerConfig>,
    state: State,
    epoch: u64,
    /// Calls and failures within `config.window`.
    window: Window,
    /// Calls and throttled calls within a longer window, because overload often passes by itself.
    throttles: Window,
    /// The current open time before jitter. Zero: the next one is `config.open_for`.
    open_for: Duration,
    trials_started: u64,
    /// The last attempt of [`Breaker::admit_long_last_resort`].
    long_last_resort_at: Option<Instant>,
    /// An override keeps the circuit closed: it counts, and does not open.
    forced_closed: bool,
    rng: SmallRng,
}

#[derive(Debug)]
enum State {
    Closed(Closed),
    Open(Open),
    HalfOpen(HalfOpen),
}

#[derive(Debug)]
struct Closed {
    since: Instant,
    consecutive_failures: u32,
    /// The circuit has recovered: its share of requests ramps up.
    ramps_up: bool,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Instant,
    /// When the last last-resort attempt started.
    last_resort_at: Option<Instant>,
}

impl Breaker {
    pub(super) fn new(config: Arc<BreakerConfig>, rng: SmallRng, now: Instant) -> Self {
        let window = Window::new(config.window, now);
        let throttles = Window::new(trip::THROTTLE_WINDOW, now);
        Self {
            config,
            state: State::Closed(Closed::steady(now)),
            epoch: 0,
            window,
            throttles,
            open_for: Duration::ZERO,
            trials_started: 0,
            long_last_resort_at: None,
            forced_closed: false,
            rng,
        }
    }

    // Queries.

    pub(super) fn state(&self) -> CircuitState {
        self.state.name()
    }

    /// Successful trials so far, and how many close the circuit. None unless half-open.
    pub(super) fn trial_successes(&self) -> Option<(u32, u32)> {
        match &self.state {
            State::HalfOpen(half_open) => {
                Some((half_open.successes, self.config.success_threshold))
            }
            State::Closed(_) | State::Open(_) => None,
        }
    }

    /// The next consecutive failure opens the circuit.
    pub(super) fn is_about_to_open(&self) -> bool {
        let failures = self.consecutive_failures();
        failures > 0 && failures + 1 == self.config.failure_threshold && self.may_open()
    }

    /// The ticket was issued after the last transition.
    pub(super) fn is_current(&self, ticket: Ticket) -> bool {
        ticket.epoch == self.epoch
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Until when the fast path may accumulate successes: they belong to the newest bucket of both
    /// windows.
    pub(super) fn steady_until(&self) -> Instant {
        self.window
            .bucket_ends_at()
            .min(self.throttles.bucket_ends_at())
    }

    pub(super) fn consecutive_failures(&self) -> u32 {
        if let State::Closed(closed) = &self.state {
            closed.consecutive_failures
        } else {
            0
        }
    }

    pub(super) fn counts(&mut self, now: Instant) -> Counts {
        self.window.counts(now)
    }

    // Events.

    /// The response headers of a trial arrived. Its body may follow.
    pub(super) fn on_response(&mut self, ticket: Ticket, now: Instant) {
        let Some(half_open) = self.half_open_of(ticket) else {
            return;
        };
        half_open.responded = true;
        if ticket.last_resort {
            // Frees the slot early, because other callers wait for it.
            half_open.end_trial(ticket, now);
        } else {
            half_open.wait_for_caller(ticket, now);
        }
    }

    /// A trial was sent. Its attempt has this limit.
    pub(super) fn on_sent(&mut self, ticket: Ticket, limit: Duration) {
        let trial = self
            .half_open_of(ticket)
            .and_then(|half_open| half_open.trial(ticket));
        if let Some(trial) = trial {
            trial.limit = limit;
        }
    }

    /// The caller waits for the next byte of the body.
    pub(super) fn on_body_wait(&mut self, ticket: Ticket, now: Instant) {
        let trial = self
            .half_open_of(ticket)
            .and_then(|half_open| half_open.trial(ticket));
        if let Some(trial) = trial {
            trial.phase = TrialPhase::WaitingForRegion(now);
        }
    }

    /// The region delivered a part of the body. The trial waits for the caller's next poll.
    pub(super) fn on_body_progress(&mut self, ticket: Ticket, now: Instant) {
        let Some(half_open) = self.half_open_of(ticket) else {
            return;
        };
        if half_open.wait_for_caller(ticket, now) {
            half_open.waited = Duration::ZERO;
        }
    }

    /// Adds successes that the fast path counted since the last call.
    pub(super) fn count_successes(&mut self, count: u32) {
        // In any other state they belong to an earlier epoch.
        if count > 0 && matches!(self.state, State::Closed(_)) {
            self.window.add_successes(count);
            self.throttles.add_successes(count);
        }
    }

    pub(super) fn on_success(&mut self, ticket: Ticket, now: Instant) -> Option<Transition> {
        if !self.is_current(ticket) {
            return None;
        }
        match &mut self.state {
            State::Closed(closed) => {
                closed.consecutive_failures = 0;
                self.window.add(false, now);
                self.throttles.add(false, now);
                None
            }
            State::HalfOpen(half_open) => {
                half_open.end_trial(ticket, now);
                // A trial that succeeds ends the count, however long it took.
                half_open.waited = Duration::ZERO;
                half_open.successes += 1;
                let successes = half_open.successes;
                (successes >= self.config.success_threshold)
                    .then(|| self.close(now, TransitionReason::TrialsSucceeded(successes)))
            }
            State::Open(_) => None,
        }
    }

    pub(super) fn on_failure(&mut self, ticket: Ticket, now: Instant) -> Option<Transition> {
        if !self.is_current(ticket) {
            return None;
        }
        match &mut self.state {
            State::Closed(closed) => {
                closed.consecutive_failures += 1;
                let failures = closed.consecutive_failures;
                self.window.add(true, now);
                self.throttles.add(false, now);
                self.trip_reason(failures, now)
                    .map(|reason| self.trip(now, reason))
            }
            State::HalfOpen(_) => Some(self.fail_trial(now, Backoff::Increase)),
            State::Open(_) => None,
        }
    }

    /// A trial was cancelled without a verdict. `has_waiters` is true where a waiter takes it over.
    pub(super) fn on_cancel(
        &mut self,
        ticket: Ticket,
        now: Instant,
        has_waiters: bool,
    ) -> Option<Transition> {
        let config = Arc::clone(&self.config);
        let half_open = self.half_open_of(ticket)?;
        if half_open.end_trial(ticket, now) {
            // The cool-down keeps callers with short timeouts from trying a hanging region one
            // after the other.
            half_open.cooldown_until = Some(now + config.early_probe_interval);
        }
        if half_open.is_timed_out(&config, now) {
            return Some(self.open(now, Backoff::Increase, TransitionReason::HalfOpenTimeout));
        }
        // A cancelled last-resort attempt leaves the circuit open as it was, unless a waiter takes
        // it over.
        let is_undone = half_open.is_cancelled_last_resort(now) && !has_waiters;
        let before = half_open.before;
        is_undone.then(|| {
            self.enter(
                State::Open(before),
                now,
                TransitionReason::LastResortCancelled,
            )
        })
    }

    /// Another region recovered from an outage of all regions. An open circuit becomes half-open at
    /// once, because the recovered region alone would carry the whole load.
    pub(super) fn on_peer_recovered(&mut self, now: Instant) -> Option<Transition> {
        match &mut self.state {
            State::Closed(_) => None,
            State::HalfOpen(half_open) => {
                half_open.is_last_resort = false;
                self.open_for = Duration::ZERO;
                None
            }
            State::Open(open) => {
                let before = Open {
                    until: now,
                    ..*open
                };
                self.open_for = Duration::ZERO;
                Some(self.half_open(before, false, now, TransitionReason::PeerRecovered))
            }
        }
    }

    /// The half-open state, if the ticket belongs to it.
    fn half_open_of(&mut self, ticket: Ticket) -> Option<&mut HalfOpen> {
        match &mut self.state {
            State::HalfOpen(half_open) if ticket.epoch == self.epoch => Some(half_open),
            _ => None,
        }
    }
}

impl State {
    fn name(&self) -> CircuitState {
        match self {
            Self::Closed(_) => CircuitState::Closed,
            Self::Open(_) => CircuitState::Open,
            Self::HalfOpen(_) => CircuitState::HalfOpen,
        }
    }
}

impl Closed {
    /// Closed without a ramp.
    fn steady(now: Instant) -> Self {
        Self {
            since: now,
            consecutive_failures: 0,
            ramps_up: false,
        }
    }
}

#[cfg(test)]
mod tests;
