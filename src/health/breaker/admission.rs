//! "May I?": tickets for calls, trials and early probes.

use std::time::Duration;

use super::half_open::{Phase, Trial};
use super::transitions::Growth;
use super::{Breaker, Closed, Open, State};
use crate::health::config::AllOpen;
use crate::health::transition::{Reason, Transition};
use crate::time::Instant;

/// What was admitted: brought back with the verdict.
#[derive(Debug, Clone, Copy)]
pub(in crate::health) struct Ticket {
    pub(super) era: u64,
    pub(super) trial: Option<u64>,
    /// Nothing else was left when it was given: its slot is free again at the region's answer.
    pub(in crate::health) last_resort: bool,
}

/// Whether a region may be used, seen from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Standing {
    /// In full use; `share` below 1 while it climbs back.
    Closed { share: f64 },
    /// The next request may try whether it serves again.
    Trial,
    /// A trial is under way; `answering` once the region has answered one since its open time.
    Busy { answering: bool },
    /// Left alone for this long.
    Open { retry_after: Duration },
    /// An operator has taken it out; bodies in flight go on, and a search for a missing key may still ask it.
    Drained,
    /// An operator has shut it off.
    ForcedOpen,
}

/// The answer to a request that has nowhere else to go.
#[derive(Debug)]
pub(in crate::health) enum EarlyAnswer {
    Admitted(Ticket),
    /// A probe is in flight, and has been waiting since then: worth waiting for.
    InFlight {
        since: Instant,
    },
    Refused {
        retry_after: Duration,
    },
}

impl Breaker {
    /// Whether the region may be used, without using it.
    pub(in crate::health) fn standing(&self, now: Instant) -> Standing {
        match &self.state {
            State::Closed(closed) => Standing::Closed { share: self.share(closed, now) },
            State::Open(open) if now >= open.until => Standing::Trial,
            State::Open(open) => Standing::Open { retry_after: open.until - now },
            State::HalfOpen(half) if half.has_slot(&self.config, now) && !half.is_held(now) => Standing::Trial,
            State::HalfOpen(half) => Standing::Busy { answering: half.answered },
        }
    }

    /// A ticket where the circuit is closed, or has a slot for a trial.
    pub(in crate::health) fn admit(&mut self, now: Instant) -> (Option<Ticket>, Option<Transition>) {
        match &self.state {
            State::Closed(_) => (Some(self.ticket(None)), None),
            State::Open(open) if now < open.until => (None, None),
            State::Open(open) => {
                let before = *open;
                let change = self.half_open(before, false, now, Reason::TimeIsUp);
                (Some(self.start_trial(now)), Some(change))
            }
            State::HalfOpen(half) if half.is_worn_out(&self.config, now) => {
                (None, Some(self.open(now, Growth::Double, Reason::TrialsTookTooLong)))
            }
            State::HalfOpen(half) if half.is_held(now) || !half.has_slot(&self.config, now) => (None, None),
            State::HalfOpen(_) => (Some(self.start_trial(now)), None),
        }
    }

    /// A ticket for a request that has no other region left: an open circuit is half-opened early.
    pub(in crate::health) fn admit_early(&mut self, now: Instant) -> (EarlyAnswer, Option<Transition>) {
        let mut change = None;
        if let State::Open(open) = self.state
            && now < open.until
        {
            if let Some(retry_after) = self.refusal(&open, now) {
                return (EarlyAnswer::Refused { retry_after }, None);
            }
            change = Some(self.half_open(Open { probed: Some(now), ..open }, true, now, Reason::NothingElseLeft));
        }
        if let Some(since) = self.being_probed_since(now) {
            return (EarlyAnswer::InFlight { since }, None);
        }
        let (ticket, admitted) = self.admit(now);
        let answer = match ticket {
            Some(ticket) => EarlyAnswer::Admitted(Ticket { last_resort: true, ..ticket }),
            None => EarlyAnswer::Refused { retry_after: self.config.early_probe_interval },
        };
        (answer, change.or(admitted))
    }

    /// A ticket for one who waited for a probe that has been answered or given up: outside the limit on trials.
    pub(in crate::health) fn admit_waiter(&mut self) -> Ticket {
        Ticket { last_resort: true, ..self.ticket(None) }
    }

    /// A ticket for the one who waited longest when a probe was cancelled: the probe goes on in other hands.
    pub(in crate::health) fn admit_heir(&mut self, now: Instant) -> Ticket {
        if let State::HalfOpen(half) = &mut self.state {
            half.held_until = None;
            return Ticket { last_resort: true, ..self.start_trial(now) };
        }
        self.admit_waiter()
    }

    fn ticket(&self, trial: Option<u64>) -> Ticket {
        Ticket { trial, ..Ticket::plain(self.era) }
    }

    fn start_trial(&mut self, now: Instant) -> Ticket {
        self.trials_started += 1;
        let id = self.trials_started;
        if let State::HalfOpen(half) = &mut self.state {
            half.trials.push(Trial { id, phase: Phase::Waiting(now) });
        }
        self.ticket(Some(id))
    }

    /// Why an open circuit is not probed early just now.
    fn refusal(&self, open: &Open, now: Instant) -> Option<Duration> {
        let until_due = open.until - now;
        if self.config.all_open == AllOpen::FailFast {
            return Some(until_due);
        }
        let next = open.probed? + self.config.early_probe_interval;
        (now < next).then(|| until_due.min(next - now))
    }

    /// Since when the region has been silent to the trials that hold every slot, where waiting for them is allowed.
    fn being_probed_since(&self, now: Instant) -> Option<Instant> {
        let State::HalfOpen(half) = &self.state else { return None };
        let may_wait = !half.has_slot(&self.config, now) && !half.is_worn_out(&self.config, now) && self.config.all_open == AllOpen::Probe;
        may_wait.then(|| half.silent_since().unwrap_or(now))
    }

    fn share(&self, closed: &Closed, now: Instant) -> f64 {
        if !closed.ramps {
            return 1.0;
        }
        let climbed = now.saturating_duration_since(closed.since).as_secs_f64() / self.config.ramp.as_secs_f64();
        (RAMP_FLOOR + (1.0 - RAMP_FLOOR) * climbed).min(1.0)
    }
}

impl Ticket {
    /// As a closed circuit gives it.
    pub(in crate::health) fn plain(era: u64) -> Self {
        Self { era, trial: None, last_resort: false }
    }

    pub(in crate::health) fn era(self) -> u64 {
        self.era
    }

    /// Given by a closed circuit: only its verdict matters.
    pub(in crate::health) fn is_plain(self) -> bool {
        self.trial.is_none() && !self.last_resort
    }
}

/// A region that has just recovered starts with a tenth of its share: enough to notice a relapse, too little to cause one.
const RAMP_FLOOR: f64 = 0.1;
