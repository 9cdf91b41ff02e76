//! The circuit: when a region is left alone, and what brings it back.
//!
//! A plain machine of three states. It takes `now` as an argument and never sleeps, locks or logs, so that its whole life can be
//! written down as one line of a test.
//!
//! - **Closed**: calls pass. Failures in a row, a share of failures in the window, silence and lasting overload open it.
//! - **Open**: nothing passes until its time is up. The time is jittered, doubles with each failed trial, and is back at its first
//!   value once the circuit has stayed closed as long as it was last open.
//! - **Half-open**: a few trials pass. Enough successes close it, one failure opens it again.
//!
//! Three rules are easy to get wrong:
//!
//! - *Stragglers.* A call admitted before the last transition says nothing about the state after it. Each ticket bears the era
//!   in which it was given, and each transition begins another.
//! - *The half-open clock* runs only while a trial waits for the region, adds up over trials that come to nothing, and starts anew
//!   with each byte: a long download reopens nothing. A trial whose caller sits on its body costs the region
//!   nothing; its slot is given back after a while, and its end still counts.
//! - *Early probes.* Where nothing else is left an open circuit may be half-opened before its time. That is this same machine: if
//!   the probe fails, the circuit is open as it was, until the same moment.
//!
//! Deliberately absent: what a failure is (`failover::classify` knows), and who is asked next (`plan` knows).

mod admission;
mod half_open;
mod transitions;
mod tripping;

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::SmallRng;

use super::config::BreakerConfig;
use super::transition::{CircuitState, Reason, Transition};
use super::window::{Counts, Window};
use crate::time::Instant;
pub(crate) use admission::Standing;
pub(super) use admission::{EarlyAnswer, Ticket};
use half_open::{HalfOpen, Phase};
use transitions::Growth;

#[derive(Debug)]
pub(super) struct Breaker {
    config: Arc<BreakerConfig>,
    state: State,
    era: u64,
    window: Window,
    /// What it turned away as too many, over a longer time: overload passes.
    throttles: Window,
    /// How long the last opening was meant to last, before jitter; zero where the next one starts from the first value.
    open_for: Duration,
    trials_started: u64,
    /// An operator keeps it closed: it counts, and does not open.
    held_closed: bool,
    dice: SmallRng,
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
    failures: u32,
    /// It has just recovered, and takes its share back step by step.
    ramps: bool,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Instant,
    /// When the last early probe began.
    probed: Option<Instant>,
}

impl Breaker {
    pub(super) fn new(config: Arc<BreakerConfig>, dice: SmallRng, now: Instant) -> Self {
        let window = Window::new(config.window, now);
        let state = State::Closed(Closed { since: now, failures: 0, ramps: false });
        let throttles = Window::new(tripping::THROTTLE_WINDOW, now);
        Self { config, state, era: 0, window, throttles, open_for: Duration::ZERO, trials_started: 0, held_closed: false, dice }
    }

    // Questions.

    pub(super) fn state(&self) -> CircuitState {
        self.state.name()
    }

    /// Trials that have succeeded since it was last open, of as many as are wanted; None where it is not half-open.
    pub(super) fn trial_successes(&self) -> Option<(u32, u32)> {
        match &self.state {
            State::HalfOpen(half) => Some((half.successes, self.config.success_threshold)),
            State::Closed(_) | State::Open(_) => None,
        }
    }

    /// One more failure in a row opens it.
    pub(super) fn is_nearly_open(&self) -> bool {
        let failures = self.consecutive_failures();
        failures > 0 && failures + 1 == self.config.failure_threshold && self.may_open()
    }

    /// The ticket was given after the last transition.
    pub(super) fn is_current(&self, ticket: Ticket) -> bool {
        ticket.era == self.era
    }

    /// Each transition begins another.
    pub(super) fn era(&self) -> u64 {
        self.era
    }

    /// Until when successes may be counted together.
    pub(super) fn steady_until(&self) -> Instant {
        self.window.turns_at().min(self.throttles.turns_at())
    }

    pub(super) fn consecutive_failures(&self) -> u32 {
        if let State::Closed(closed) = &self.state { closed.failures } else { 0 }
    }

    pub(super) fn counts(&mut self, now: Instant) -> Counts {
        self.window.counts(now)
    }

    // Events.

    /// The region has answered; its body, if it has one, is still to come.
    pub(super) fn on_answer(&mut self, ticket: Ticket, now: Instant) {
        let Some(half) = self.half_open_of(ticket) else { return };
        half.answered = true;
        if ticket.last_resort {
            half.end_trial(ticket, now);
        } else {
            half.rest(ticket, now);
        }
    }

    /// The caller waits for the region's next byte.
    pub(super) fn on_wait(&mut self, ticket: Ticket, now: Instant) {
        if let Some(trial) = self.half_open_of(ticket).and_then(|half| half.trial(ticket)) {
            trial.phase = Phase::Waiting(now);
        }
    }

    /// The region has delivered a part of its body, and it is the caller's turn.
    pub(super) fn on_idle(&mut self, ticket: Ticket, now: Instant) {
        let Some(half) = self.half_open_of(ticket) else { return };
        if half.rest(ticket, now) {
            half.waited = Duration::ZERO;
        }
    }

    /// So many calls have succeeded since the windows turned last, and none has failed in between.
    pub(super) fn count_successes(&mut self, count: u32) {
        if count > 0 && matches!(self.state, State::Closed(_)) {
            self.window.count(count);
            self.throttles.count(count);
        }
    }

    pub(super) fn on_success(&mut self, ticket: Ticket, now: Instant) -> Option<Transition> {
        if ticket.era != self.era {
            return None;
        }
        match &mut self.state {
            State::Closed(closed) => {
                closed.failures = 0;
                self.window.add(false, now);
                self.throttles.add(false, now);
                None
            }
            State::HalfOpen(half) => {
                half.end_trial(ticket, now);
                half.successes += 1;
                let successes = half.successes;
                (successes >= self.config.success_threshold).then(|| self.close(now, Reason::TrialsSucceeded(successes)))
            }
            State::Open(_) => None,
        }
    }

    pub(super) fn on_failure(&mut self, ticket: Ticket, now: Instant) -> Option<Transition> {
        if ticket.era != self.era {
            return None;
        }
        match &mut self.state {
            State::Closed(closed) => {
                closed.failures += 1;
                let failures = closed.failures;
                self.window.add(true, now);
                self.throttles.add(false, now);
                self.reason_to_open(failures, now).map(|reason| self.trip(now, reason))
            }
            State::HalfOpen(_) => Some(self.fail_trial(now, Growth::Double)),
            State::Open(_) => None,
        }
    }

    /// The caller went away without a verdict: nothing is learnt but how long it waited.
    ///
    /// The next trial starts a while later, so that impatient callers are not fed to a hanging region one after the other.
    /// An early probe that nobody takes over (`heirs`) was never made: the circuit is open as it was.
    pub(super) fn on_cancel(&mut self, ticket: Ticket, now: Instant, heirs: bool) -> Option<Transition> {
        let config = Arc::clone(&self.config);
        let half = self.half_open_of(ticket)?;
        if half.end_trial(ticket, now) {
            half.held_until = Some(now + config.early_probe_interval);
        }
        let (worn_out, abandoned, before) = (half.is_worn_out(&config, now), half.is_abandoned(now), half.before);
        if worn_out {
            return Some(self.open(now, Growth::Double, Reason::TrialsTookTooLong));
        }
        (abandoned && !heirs).then(|| self.enter(State::Open(before), now, Reason::EarlyProbeAbandoned))
    }

    /// Another region has closed after none was: whoever is open may be tried at once, and starts from the first open time.
    pub(super) fn on_peer_recovered(&mut self, now: Instant) -> Option<Transition> {
        match &mut self.state {
            State::Closed(_) => None,
            State::HalfOpen(half) => {
                half.early = false;
                self.open_for = Duration::ZERO;
                None
            }
            State::Open(open) => {
                let before = Open { until: now, ..*open };
                self.open_for = Duration::ZERO;
                Some(self.half_open(before, false, now, Reason::PeerRecovered))
            }
        }
    }

    // Helpers.

    /// The half-open state to which this ticket belongs.
    fn half_open_of(&mut self, ticket: Ticket) -> Option<&mut HalfOpen> {
        match &mut self.state {
            State::HalfOpen(half) if ticket.era == self.era => Some(half),
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

#[cfg(test)]
mod tests;
