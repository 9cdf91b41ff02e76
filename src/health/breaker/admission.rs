//! Admission: tickets for regular requests, trials and last-resort attempts.

use std::time::Duration;

use super::half_open::{Trial, TrialPhase};
use super::ticket::Ticket;
use super::transition::Backoff;
use super::{Breaker, Closed, Open, State};
use crate::health::config::AllOpen;
use crate::runtime::clock::Instant;
use crate::types::{Transition, TransitionReason};

/// Whether a region admits requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Availability {
    /// Closed. `share` of its regular requests; below 1 during the ramp after a recovery.
    Closed { share: f64 },
    /// The next request is admitted as a trial.
    TrialDue,
    /// All slots for trials are taken. `responding`: a trial has had a response.
    TrialInFlight { responding: bool },
    /// The circuit is open for this long.
    Open { retry_after: Duration },
    /// Override: no new requests. Bodies in flight continue, and searches for a missing key may
    /// still use the region.
    Drained,
    /// Override: no requests at all.
    ForcedOpen,
}

/// Result of [`Breaker::admit_last_resort`].
#[derive(Debug)]
pub(in crate::health) enum LastResortDecision {
    Admitted(Ticket),
    /// A trial is in flight and has waited for a response since then. The request may wait for it.
    InFlight {
        since: Instant,
    },
    Refused {
        retry_after: Duration,
    },
}

impl Breaker {
    /// Whether the circuit would admit a request, without admitting one.
    pub(in crate::health) fn availability(&self, now: Instant) -> Availability {
        match &self.state {
            State::Closed(closed) => Availability::Closed {
                share: self.share(closed, now),
            },
            State::Open(open) if now >= open.until => Availability::TrialDue,
            State::Open(open) => Availability::Open {
                retry_after: open.until - now,
            },
            State::HalfOpen(half_open)
                if half_open.has_slot(&self.config, now) && !half_open.in_cooldown(now) =>
            {
                Availability::TrialDue
            }
            State::HalfOpen(half_open) => Availability::TrialInFlight {
                responding: half_open.responded,
            },
        }
    }

    /// A ticket, if the circuit is closed or has a slot for a trial.
    pub(in crate::health) fn admit(
        &mut self,
        now: Instant,
    ) -> (Option<Ticket>, Option<Transition>) {
        match &self.state {
            State::Closed(_) => (Some(self.ticket(None)), None),
            State::Open(open) if now < open.until => (None, None),
            State::Open(open) => {
                let before = *open;
                let change = self.half_open(before, false, now, TransitionReason::OpenTimeElapsed);
                (Some(self.start_trial(now)), Some(change))
            }
            State::HalfOpen(half_open) if half_open.is_timed_out(&self.config, now) => (
                None,
                Some(self.open(now, Backoff::Increase, TransitionReason::HalfOpenTimeout)),
            ),
            State::HalfOpen(half_open)
                if half_open.in_cooldown(now) || !half_open.has_slot(&self.config, now) =>
            {
                (None, None)
            }
            State::HalfOpen(_) => (Some(self.start_trial(now)), None),
        }
    }

    /// A ticket for a request without another region: an open circuit becomes half-open early.
    pub(in crate::health) fn admit_last_resort(
        &mut self,
        now: Instant,
    ) -> (LastResortDecision, Option<Transition>) {
        let mut change = None;
        if let State::Open(open) = self.state
            && now < open.until
        {
            if let Some(retry_after) = self.last_resort_wait(&open, now) {
                return (LastResortDecision::Refused { retry_after }, None);
            }
            change = Some(self.half_open(
                Open {
                    last_resort_at: Some(now),
                    ..open
                },
                true,
                now,
                TransitionReason::LastResort,
            ));
        }
        if let Some(since) = self.trial_silent_since(now) {
            return (LastResortDecision::InFlight { since }, None);
        }
        let (ticket, admitted) = self.admit(now);
        let decision = match ticket {
            Some(ticket) => LastResortDecision::Admitted(Ticket {
                last_resort: true,
                ..ticket
            }),
            None => LastResortDecision::Refused {
                retry_after: self.config.early_probe_interval,
            },
        };
        (decision, change.or(admitted))
    }

    /// A ticket for a waiter, outside the limit on trials: the region has responded.
    pub(in crate::health) fn admit_waiter(&mut self) -> Ticket {
        Ticket {
            last_resort: true,
            ..self.ticket(None)
        }
    }

    /// A ticket for the longest waiter, which takes over a cancelled trial.
    pub(in crate::health) fn hand_over_trial(&mut self, now: Instant) -> Ticket {
        if let State::HalfOpen(half_open) = &mut self.state {
            half_open.cooldown_until = None;
            return Ticket {
                last_resort: true,
                ..self.start_trial(now)
            };
        }
        self.admit_waiter()
    }

    fn ticket(&self, trial: Option<u64>) -> Ticket {
        Ticket {
            trial,
            ..Ticket::regular(self.epoch)
        }
    }

    /// Admits a last-resort attempt that is no trial, one per `early_probe_interval`: the circuit
    /// keeps its state. An error is the time until the next one.
    pub(in crate::health) fn admit_long_last_resort(
        &mut self,
        now: Instant,
    ) -> Result<(), Duration> {
        let wait = match self.state {
            State::Closed(_) => return Ok(()),
            State::Open(open) if now < open.until => self.last_resort_wait(&open, now),
            State::Open(_) | State::HalfOpen(_) => None,
        };
        let next = self
            .long_last_resort_at
            .map(|at| at + self.config.early_probe_interval);
        if let Some(wait) = wait.or_else(|| next.and_then(|next| next.checked_duration_since(now)))
            && !wait.is_zero()
        {
            return Err(wait);
        }
        self.long_last_resort_at = Some(now);
        if let State::Open(open) = &mut self.state {
            open.last_resort_at = Some(now);
        }
        Ok(())
    }

    fn start_trial(&mut self, now: Instant) -> Ticket {
        self.trials_started += 1;
        let id = self.trials_started;
        if let State::HalfOpen(half_open) = &mut self.state {
            half_open.trials.push(Trial {
                id,
                limit: Duration::ZERO,
                phase: TrialPhase::WaitingForRegion(now),
            });
        }
        self.ticket(Some(id))
    }

    /// How long until an open circuit admits a last-resort attempt; None where it does now.
    fn last_resort_wait(&self, open: &Open, now: Instant) -> Option<Duration> {
        let until_due = open.until - now;
        if self.config.all_open == AllOpen::FailFast {
            return Some(until_due);
        }
        let next = open.last_resort_at? + self.config.early_probe_interval;
        (now < next).then(|| until_due.min(next - now))
    }

    /// Since when the trials that hold all slots have waited for a response. None where a request
    /// must not wait for them.
    fn trial_silent_since(&self, now: Instant) -> Option<Instant> {
        let State::HalfOpen(half_open) = &self.state else {
            return None;
        };
        let may_wait = !half_open.has_slot(&self.config, now)
            && !half_open.is_timed_out(&self.config, now)
            && self.config.all_open == AllOpen::Probe;
        may_wait.then(|| half_open.silent_since().unwrap_or(now))
    }

    fn share(&self, closed: &Closed, now: Instant) -> f64 {
        if !closed.ramps_up {
            return 1.0;
        }
        let elapsed = now.saturating_duration_since(closed.since);
        let progress = elapsed.as_secs_f64() / self.config.ramp.as_secs_f64();
        (RAMP_FLOOR + (1.0 - RAMP_FLOOR) * progress).min(1.0)
    }
}

/// Share of requests at the start of the ramp: enough to detect a relapse, too little to cause one.
const RAMP_FLOOR: f64 = 0.1;
