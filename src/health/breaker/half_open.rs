//! The half-open state: its trials, and the time they wait for the region.

use std::time::Duration;

use super::Open;
use super::ticket::Ticket;
use crate::health::config::BreakerConfig;
use crate::runtime::clock::Instant;

#[derive(Debug)]
pub(super) struct HalfOpen {
    /// The open state to restore if a last-resort attempt fails.
    pub(super) before: Open,
    /// Entered before the open time elapsed.
    pub(super) is_last_resort: bool,
    pub(super) trials: Vec<Trial>,
    pub(super) successes: u32,
    /// Sum of finished waits of all trials since the last byte of a body.
    pub(super) waited: Duration,
    /// At least one trial has had response headers.
    pub(super) responded: bool,
    /// No trial starts before this time: the last one was cancelled.
    pub(super) cooldown_until: Option<Instant>,
}

/// A request that tests whether the region serves again.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) id: u64,
    /// Limit of its attempt. A trial is not timed out before it.
    pub(super) limit: Duration,
    pub(super) phase: TrialPhase,
}

/// What a trial waits for, and since when.
#[derive(Debug, Clone, Copy)]
pub(super) enum TrialPhase {
    /// Response headers, or the next byte of a polled body.
    WaitingForRegion(Instant),
    /// The caller's next poll of the body.
    WaitingForCaller(Instant),
}

impl HalfOpen {
    pub(super) fn new(before: Open, is_last_resort: bool) -> Self {
        Self {
            before,
            is_last_resort,
            trials: Vec::new(),
            successes: 0,
            waited: Duration::ZERO,
            responded: false,
            cooldown_until: None,
        }
    }

    /// Another trial may start.
    pub(super) fn has_slot(&self, config: &BreakerConfig, now: Instant) -> bool {
        let taken = self
            .trials
            .iter()
            .filter(|trial| trial.holds_slot(now, config.early_probe_interval))
            .count();
        taken < config.half_open_max_calls as usize
    }

    /// Start of the longest current wait for the region.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        let waiting = self.trials.iter().filter_map(|trial| match trial.phase {
            TrialPhase::WaitingForRegion(since) => Some(since),
            TrialPhase::WaitingForCaller(_) => None,
        });
        waiting.min()
    }

    /// The trials together have waited for `half_open_timeout` without a success, and no trial is
    /// within the limit of its own attempt: a write may take longer than the timeout.
    pub(super) fn is_timed_out(&self, config: &BreakerConfig, now: Instant) -> bool {
        let waiting: Duration = self
            .trials
            .iter()
            .map(|trial| trial.phase.waited(now))
            .sum();
        let is_within_limit = |trial: &Trial| {
            let waited = trial.phase.waited(now);
            waited > Duration::ZERO && waited < trial.limit
        };
        self.waited + waiting >= config.half_open_timeout
            && !self.trials.iter().any(is_within_limit)
    }

    /// A last-resort attempt that ended without a response and before the open time elapsed.
    pub(super) fn is_cancelled_last_resort(&self, now: Instant) -> bool {
        self.is_last_resort && self.trials.is_empty() && !self.responded && now < self.before.until
    }

    pub(super) fn in_cooldown(&self, now: Instant) -> bool {
        self.cooldown_until.is_some_and(|until| now < until)
    }

    pub(super) fn trial(&mut self, ticket: Ticket) -> Option<&mut Trial> {
        self.trials
            .iter_mut()
            .find(|trial| Some(trial.id) == ticket.trial)
    }

    /// The ticket's trial waits for its caller from now on. False if there is no such trial.
    pub(super) fn wait_for_caller(&mut self, ticket: Ticket, now: Instant) -> bool {
        let Some(trial) = self.trial(ticket) else {
            return false;
        };
        let waited = trial.phase.waited(now);
        trial.phase = TrialPhase::WaitingForCaller(now);
        self.waited += waited;
        true
    }

    /// Ends the ticket's trial. False if there is no such trial.
    pub(super) fn end_trial(&mut self, ticket: Ticket, now: Instant) -> bool {
        let Some(at) = self
            .trials
            .iter()
            .position(|trial| Some(trial.id) == ticket.trial)
        else {
            return false;
        };
        self.waited += self.trials.swap_remove(at).phase.waited(now);
        true
    }
}

impl Trial {
    /// A trial whose body is not polled gives its slot back after `idle_limit`; its verdict still
    /// counts.
    fn holds_slot(&self, now: Instant, idle_limit: Duration) -> bool {
        match self.phase {
            TrialPhase::WaitingForRegion(_) => true,
            TrialPhase::WaitingForCaller(since) => {
                now.saturating_duration_since(since) < idle_limit
            }
        }
    }
}

impl TrialPhase {
    pub(super) fn waited(self, now: Instant) -> Duration {
        match self {
            Self::WaitingForRegion(since) => now.saturating_duration_since(since),
            Self::WaitingForCaller(_) => Duration::ZERO,
        }
    }
}
