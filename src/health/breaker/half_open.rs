//! The half-open state: its trials, and the clock that runs while they wait.

use std::time::Duration;

use super::{Open, Ticket};
use crate::health::config::BreakerConfig;
use crate::time::Instant;

#[derive(Debug)]
pub(super) struct HalfOpen {
    /// What it goes back to if an early probe fails.
    pub(super) before: Open,
    pub(super) early: bool,
    pub(super) trials: Vec<Trial>,
    pub(super) successes: u32,
    /// How long trials have waited for the region since it last delivered a byte, all together.
    pub(super) waited: Duration,
    /// The region has answered at least once; the ends of those bodies are still to come.
    pub(super) answered: bool,
    /// No trial before this moment: the last one was cancelled by its caller.
    pub(super) held_until: Option<Instant>,
}

/// A call that finds out whether the region serves again.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) id: u64,
    pub(super) phase: Phase,
}

/// Who has to act.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    /// The region has to act.
    Waiting(Instant),
    /// The caller has to act.
    Idle(Instant),
}

impl HalfOpen {
    pub(super) fn new(before: Open, early: bool) -> Self {
        Self { before, early, trials: Vec::new(), successes: 0, waited: Duration::ZERO, answered: false, held_until: None }
    }

    /// A further trial may start.
    pub(super) fn has_slot(&self, config: &BreakerConfig, now: Instant) -> bool {
        let taken = self.trials.iter().filter(|trial| trial.holds_slot(now, config.early_probe_interval)).count();
        taken < config.half_open_max_calls as usize
    }

    /// Since when the trial that has waited longest has been waiting.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        let waiting = self.trials.iter().filter_map(|trial| match trial.phase {
            Phase::Waiting(since) => Some(since),
            Phase::Idle(_) => None,
        });
        waiting.min()
    }

    /// Its trials have waited long enough, all together.
    pub(super) fn is_worn_out(&self, config: &BreakerConfig, now: Instant) -> bool {
        let waiting: Duration = self.trials.iter().map(|trial| trial.phase.waited(now)).sum();
        self.waited + waiting >= config.half_open_timeout
    }

    /// An early probe that was never made: nobody waits for it, and the region has not answered.
    pub(super) fn is_abandoned(&self, now: Instant) -> bool {
        self.early && self.trials.is_empty() && !self.answered && now < self.before.until
    }

    pub(super) fn is_held(&self, now: Instant) -> bool {
        self.held_until.is_some_and(|until| now < until)
    }

    pub(super) fn trial(&mut self, ticket: Ticket) -> Option<&mut Trial> {
        self.trials.iter_mut().find(|trial| Some(trial.id) == ticket.trial)
    }

    /// The ticket's trial waits for its caller from now on; returns whether there is such a trial.
    pub(super) fn rest(&mut self, ticket: Ticket, now: Instant) -> bool {
        let Some(trial) = self.trial(ticket) else { return false };
        let waited = trial.phase.waited(now);
        trial.phase = Phase::Idle(now);
        self.waited += waited;
        true
    }

    /// Ends the ticket's trial, if it has one that is still running.
    pub(super) fn end_trial(&mut self, ticket: Ticket, now: Instant) -> bool {
        let Some(at) = self.trials.iter().position(|trial| Some(trial.id) == ticket.trial) else {
            return false;
        };
        self.waited += self.trials.swap_remove(at).phase.waited(now);
        true
    }
}

impl Trial {
    fn holds_slot(&self, now: Instant, idle_limit: Duration) -> bool {
        match self.phase {
            Phase::Waiting(_) => true,
            Phase::Idle(since) => now.saturating_duration_since(since) < idle_limit,
        }
    }
}

impl Phase {
    pub(super) fn waited(self, now: Instant) -> Duration {
        match self {
            Self::Waiting(since) => now.saturating_duration_since(since),
            Self::Idle(_) => Duration::ZERO,
        }
    }
}
