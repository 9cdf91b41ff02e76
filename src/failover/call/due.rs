//! What is due: which regions a call asks next, and how much time each of them gets.

use std::time::Duration;

use super::{Call, Stage};
use crate::error::{AttemptOutcome, LeftOut};
use crate::evidence;
use crate::failover::Core;
use crate::failover::config::NotFoundPolicy;
use crate::failover::race::{Attempt, Flight, Race};
use crate::health::{CircuitClass, LastResort, Permit, Standing};
use crate::plan::Plan;
use crate::region::RegionSet;
use crate::request::Request;
use crate::time::{self, Instant};

impl<'a, R: Request> Call<'a, R> {
    /// Starts what is due; leaves the race empty where the round is over.
    pub(in crate::failover) fn start_due(&mut self, race: &mut Race<'a, R::Answer>) {
        while race.is_empty() && !self.is_overdue() {
            match self.stage {
                Stage::Rotation => match self.next_in_rotation() {
                    Some(region) => self.start_admitted(region, race),
                    None => self.stage = Stage::LastResort,
                },
                Stage::Search => self.start_search(race),
                Stage::LastResort => self.start_last_resort(race),
                Stage::Exhausted => return,
            }
        }
    }

    /// The time is over, and there would have been regions to ask.
    pub(in crate::failover) fn is_overdue(&self) -> bool {
        !self.untried.is_empty() && time::now() >= self.deadline
    }

    /// The moment at which the next round begins, if there is one.
    pub(in crate::failover) fn next_round(&mut self) -> Option<Instant> {
        let now = time::now();
        let rounds = self.core.retry.rounds(self.operation, self.scope.allowed.len());
        let decided = self.core.not_found == NotFoundPolicy::Reachable && self.outcome.anyone_lacks_it();
        if self.sent == 0 || self.round >= rounds || !self.outcome.may_heal() || decided {
            return None;
        }
        self.round += 1;
        let pause = time::scaled(self.core.retry.longest_pause(self.round), self.core.dice.unit());
        // A round in which nobody may be asked would be none.
        let begins = time::after(now, pause.max(self.outcome.retry_after()));
        (begins < self.deadline).then_some(begins)
    }

    /// Those that have not given an answer that stands are asked again.
    pub(in crate::failover) fn begin_round(&mut self) {
        self.untried = self.outcome.begin_round();
        self.passed_over = RegionSet::default();
        self.stage = if self.outcome.anyone_lacks_it() { Stage::Search } else { Stage::Rotation };
        self.make_plan(time::now());
    }

    pub(super) fn make_plan(&mut self, now: Instant) {
        let standings = self.class.and_then(|class| self.core.regions.standings(class, now));
        let (weights, dice, allowed) = (self.core.rotation.weights(), &self.core.dice, self.scope.allowed);
        // A trial elsewhere would take a read away from the region that it belongs to.
        let may_try = if self.request.may_try() { self.scope.first.map_or(allowed, RegionSet::one) } else { RegionSet::default() };
        self.plan = Plan::new(self.order, standings.as_deref(), may_try, allowed, weights, dice);
    }

    /// The next region in use, those that broke last of all.
    fn next_in_rotation(&self) -> Option<usize> {
        let candidates = self.untried.without(self.passed_over);
        let next = |among| self.plan.next(among, self.core.rotation.weights(), &self.core.dice);
        let broken = self.broken.iter().copied().collect();
        next(candidates.without(broken)).or_else(|| self.broken.iter().find_map(|region| next(RegionSet::one(*region).and(candidates))))
    }

    fn start_admitted(&mut self, region: usize, race: &mut Race<'a, R::Answer>) {
        let now = time::now();
        let sharers = self.plan.remaining(self.untried.without(self.passed_over));
        let health = &self.core.regions.get(region).health;
        let permit = match self.class {
            Some(class) => health.admit(class, now),
            None => Some(health.admit_unjudged(CircuitClass::Write)),
        };
        match permit {
            Some(permit) => {
                self.untried.remove(region);
                self.start(region, permit, sharers, now, race);
            }
            None => self.passed_over.insert(region),
        }
    }

    /// No region in use is left: the others are asked early, reads all at once, writes one by one.
    fn start_last_resort(&mut self, race: &mut Race<'a, R::Answer>) {
        let now = time::now();
        let together = if self.class == Some(CircuitClass::Read) { usize::MAX } else { 1 };
        let asked: RegionSet = self.untried.iter().take(together).collect();
        self.untried = self.untried.without(asked);
        if asked.is_empty() {
            self.stage = Stage::Exhausted;
        }
        for region in asked.iter() {
            self.start_early(region, now, race);
        }
    }

    /// A region lacks the object: all others are asked at once, or home alone where home's word is wanted.
    fn start_search(&mut self, race: &mut Race<'a, R::Answer>) {
        let now = time::now();
        let home = self.core.authority.filter(|home| self.core.not_found == NotFoundPolicy::Home && self.untried.contains(*home));
        let asked = home.map_or(self.untried, RegionSet::one);
        self.untried = self.untried.without(asked);
        if asked.is_empty() {
            self.stage = Stage::Exhausted;
        }
        let Some(class) = self.class else { return };
        for region in asked.iter() {
            let health = &self.core.regions.get(region).health;
            let permit = match health.standing(class, now) {
                Standing::Closed { .. } | Standing::Trial => health.admit(class, now),
                // What may not be judged may still be asked: it might have the object.
                Standing::Drained | Standing::Busy { answering: true } => Some(health.admit_unjudged(class)),
                Standing::Busy { answering: false } | Standing::Open { .. } | Standing::ForcedOpen => None,
            };
            match permit {
                Some(permit) => self.start(region, permit, 1, now, race),
                None => self.start_early(region, now, race),
            }
        }
    }

    fn start_early(&mut self, region: usize, now: Instant, race: &mut Race<'a, R::Answer>) {
        let Some(class) = self.class else { return };
        match self.core.regions.get(region).health.admit_last_resort(class, now) {
            LastResort::Admitted(permit) => self.start(region, permit, 1, now, race),
            LastResort::Wait { place, silent_since } if self.may_wait(silent_since, now) => {
                race.wait(region, place, self.patience_ends(now))
            }
            LastResort::Wait { .. } => self.on_sent_away(region),
            LastResort::ShutOff => self.leave_out(region, now),
            LastResort::Refused { retry_after } => {
                self.outcome.may_retry_after(retry_after);
                self.leave_out(region, now);
            }
        }
    }

    /// Whether a probe that somebody else has in flight is worth waiting for. In a search others have answered already, and a
    /// region that has been silent for so long would hold up every read of a missing key.
    fn may_wait(&self, silent_since: Instant, now: Instant) -> bool {
        let silent_for = now.saturating_duration_since(silent_since);
        self.stage != Stage::Search || (self.core.not_found != NotFoundPolicy::Reachable && silent_for < self.core.patience)
    }

    /// A read waits a moment for somebody else's probe; a write, and a call that is pinned, as long as its limits let it.
    fn patience_ends(&self, now: Instant) -> Instant {
        let patient = self.scope.is_pinned || self.class == Some(CircuitClass::Write);
        if patient { self.deadline } else { now + self.core.patience }
    }

    /// Sends one attempt, under the smaller of the region's limit and its share of what is left for `sharers` regions.
    pub(super) fn start(&mut self, region: usize, permit: Permit, sharers: usize, now: Instant, race: &mut Race<'a, R::Answer>) {
        let core: &'a Core = self.core;
        let state = core.regions.get(region);
        let own = state.limits.attempt(self.operation).saturating_add(self.request.extra_time());
        let share = self.deadline.saturating_duration_since(now) / sharers.max(1) as u32;
        let shortened = share < own.mul_f64(ALMOST_ALL);
        permit.sent();
        self.sent += 1;
        let (recorder, future) = evidence::watch(state.reports, || self.request.attempt(state));
        let attempt = Attempt { region, permit, began: now, shortened, recorder };
        race.start(Flight { attempt, future, limit: now + own.min(share) });
    }

    pub(super) fn leave_out(&mut self, region: usize, now: Instant) {
        let state = self.core.regions.get(region);
        let why = match state.health.standing(self.class.unwrap_or(CircuitClass::Write), now) {
            Standing::Open { retry_after } => LeftOut::CircuitOpen { retry_after },
            Standing::Drained => LeftOut::Drained,
            Standing::ForcedOpen => LeftOut::ForcedOpen,
            Standing::Busy { .. } | Standing::Trial | Standing::Closed { .. } => LeftOut::TrialUnderWay,
        };
        self.outcome.tell(&state.name, AttemptOutcome::LeftOut(why), Duration::ZERO);
    }
}

/// A limit that lost less than this to the time the call has already taken is still the region's own.
const ALMOST_ALL: f64 = 0.99;
