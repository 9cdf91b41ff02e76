//! What is due: which regions a call asks next, and how much time each of them gets.

use std::sync::Arc;
use std::time::Duration;

use super::{Call, Stage};
use crate::error::{AttemptOutcome, LeftOut};
use crate::evidence::{self, Recorder};
use crate::failover::Core;
use crate::failover::config::NotFoundPolicy;
use crate::failover::flight::{Aloft, Attempt, Flight};
use crate::failover::hedge::Hedge;
use crate::failover::race::Race;
use crate::health::{CircuitClass, LastResort, Permit, Standing};
use crate::pace::Kind;
use crate::region::{RegionSet, RegionState};
use crate::request::Request;
use crate::time::{self, Instant};

impl<'a, R: Request> Call<'a, R> {
    /// Starts what is due; leaves the race empty where the round is over.
    ///
    /// A failed attempt is followed by the next at once, and so is a slow one. Beside a slow one only regions in use are asked.
    pub(in crate::failover) fn start_due(&mut self, race: &mut Race<'a, R::Answer>) {
        self.start_next(race);
        // Nobody could be asked after all, nor is anybody waited for.
        if !race.waits_for_paces() {
            self.hedge.take().into_iter().for_each(Hedge::unsent);
        }
    }

    fn start_next(&mut self, race: &mut Race<'a, R::Answer>) {
        while (race.wants_more() || self.stage == Stage::SearchDue) && !self.is_overdue() {
            match self.stage {
                Stage::Probe => self.start_probe(race),
                Stage::Rotation => match self.next_in_rotation() {
                    Some(region) => self.start_admitted(region, race),
                    None if !self.crowded.and(self.untried).is_empty() => self.wait_for_paces(race),
                    None if race.is_empty() => self.stage = Stage::LastResort,
                    None => return,
                },
                Stage::SearchDue => {
                    self.stage = Stage::Search;
                    race.leave_paces();
                    self.start_search(race);
                }
                _ if !race.is_empty() => return,
                Stage::Search => self.start_search(race),
                Stage::LastResort => self.start_last_resort(race),
                Stage::Exhausted => return,
            }
        }
    }

    /// The time is over, and there would have been regions to ask.
    pub(in crate::failover) fn is_overdue(&self) -> bool {
        !self.untried.is_empty() && self.now >= self.deadline
    }

    /// The next region in use, those that broke last of all.
    pub(super) fn next_in_rotation(&self) -> Option<usize> {
        let candidates = self.untried.without(self.passed_over).without(self.crowded);
        let next = |among| self.plan.next(among, self.core.rotation.weights(), &self.core.dice);
        let broken = self.broken.iter().copied().collect();
        next(candidates.without(broken)).or_else(|| self.broken.iter().find_map(|region| next(RegionSet::one(*region).and(candidates))))
    }

    pub(super) fn start_admitted(&mut self, region: usize, race: &mut Race<'a, R::Answer>) {
        let now = self.now;
        let Some(slot) = self.enter(region, now) else {
            // Nobody else's answer is as good: it is waited for.
            if self.scope.first == Some(region) {
                self.wait_for_paces(race);
            }
            return;
        };
        if !self.can_afford(region, now) {
            return;
        }
        let sharers = self.plan.remaining(self.untried.without(self.passed_over));
        let health = &self.core.regions.get(region).health;
        let permit = match self.class {
            Some(class) => health.admit(class, now),
            None => Some(health.admit_unjudged(CircuitClass::Write)),
        };
        match permit {
            Some(mut permit) => {
                self.untried.remove(region);
                permit.keep(slot);
                self.start(region, permit, sharers, now, race);
            }
            None => self.passed_over.insert(region),
        }
    }

    /// No region in use is left: the others are asked early, reads all at once, writes one by one.
    fn start_last_resort(&mut self, race: &mut Race<'a, R::Answer>) {
        let now = self.now;
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
        let home = self.core.authority.filter(|home| self.core.not_found == NotFoundPolicy::Home && self.untried.contains(*home));
        let asked = home.map_or(self.untried, RegionSet::one);
        self.untried = self.untried.without(asked);
        if asked.is_empty() {
            self.stage = Stage::Exhausted;
        }
        for region in asked.iter() {
            self.search(region, race);
        }
    }

    /// Asks one region for an object that another one lacks.
    pub(super) fn search(&mut self, region: usize, race: &mut Race<'a, R::Answer>) {
        let (now, state) = (self.now, self.core.regions.get(region));
        let Some(class) = self.class else { return };
        let standing = state.health.standing(class, now);
        if matches!(standing, Standing::Busy { answering: false } | Standing::Open { .. } | Standing::ForcedOpen) {
            return self.start_early(region, now, race);
        }
        let Some(slot) = self.enter(region, now) else {
            // Without its word nobody knows whether the object exists.
            return match self.core.not_found {
                NotFoundPolicy::Reachable => self.tell_left_out(region, LeftOut::AtItsLimit),
                _ => race.wait_for_pace(region, state.pace.enter(Kind::Read)),
            };
        };
        let permit = match standing {
            // What may not be judged may still be asked: it might have the object.
            Standing::Drained | Standing::Busy { .. } => Some(state.health.admit_unjudged(class)),
            _ => state.health.admit(class, now),
        };
        match permit {
            Some(mut permit) if self.can_afford(region, now) => {
                permit.keep(slot);
                self.start(region, permit, 1, now, race);
            }
            Some(_) => {}
            None => self.start_early(region, now, race),
        }
    }

    fn start_early(&mut self, region: usize, now: Instant, race: &mut Race<'a, R::Answer>) {
        let Some(class) = self.class else { return };
        if !self.can_afford(region, now) {
            return;
        }
        let Some(slot) = self.enter(region, now) else { return self.tell_left_out(region, LeftOut::AtItsLimit) };
        let is_last = self.stage == Stage::LastResort;
        match self.core.regions.get(region).health.admit_last_resort(class, is_last, now) {
            LastResort::Admitted(mut permit) => {
                permit.keep(slot);
                self.start(region, permit, 1, now, race);
            }
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
    pub(super) fn start(&mut self, region: usize, mut permit: Permit, sharers: usize, now: Instant, race: &mut Race<'a, R::Answer>) {
        let core: &'a Core = self.core;
        let state = core.regions.get(region);
        let own = state.limits.attempt(self.operation).saturating_add(self.request.extra_time());
        let share = self.deadline.saturating_duration_since(now) / sharers.max(1) as u32;
        let shortened = share < own.mul_f64(ALMOST_ALL);
        let is_timed = self.request.is_timed();
        permit.sent(self.operation, is_timed, now);
        self.tell_of_hop(region);
        self.sent += 1;
        let patience_ends = self.patience(region, permit.is_trial(), now);
        let (recorder, future) = self.launch(state, patience_ends.is_some() && permit.is_trial());
        // Nobody waits for a trial that is raced: a region far away needs its whole limit to be heard.
        let raced = matches!(future, Aloft::Free(_));
        let (limit, shortened) = if raced { (own, false) } else { (own.min(share), shortened) };
        let tells_at = is_timed.then(|| time::after(now, state.health.silence()));
        let attempt = Attempt { region, permit, began: now, shortened, recorder, hedge: self.hedge.take() };
        let limit = time::after(now, limit);
        race.start(Flight { attempt, future, limit, patience_ends, is_slow: false, tells_at, abandonment: None });
    }

    /// The attempt itself; a trial that may be overtaken must be able to outlive the call.
    fn launch(&self, state: &'a RegionState, may_be_overtaken: bool) -> (Option<Arc<Recorder>>, Aloft<'a, R::Answer>) {
        if may_be_overtaken && let Some((recorder, future)) = evidence::watch_some(state.reports, || self.request.detached(state)) {
            return (recorder, Aloft::Free(future));
        }
        let request: &'a R = self.request;
        let (recorder, future) = evidence::watch(state.reports, || request.attempt(state));
        (recorder, Aloft::Bound(future))
    }

    /// Whether the budget lets this region be asked. The first hop to a region is free, unless that region was too busy just now.
    fn can_afford(&mut self, region: usize, now: Instant) -> bool {
        let state = self.core.regions.get(region);
        let free = self.sent == 0 || self.hedge.is_some() || (self.round == 1 && !state.health.is_throttling(JUST_NOW, now));
        if free || self.core.pay(now) {
            return true;
        }
        self.untried.remove(region);
        self.is_broke = true;
        self.tell_left_out(region, LeftOut::BudgetSpent);
        false
    }

    pub(super) fn leave_out(&mut self, region: usize, now: Instant) {
        let state = self.core.regions.get(region);
        let why = match state.health.standing(self.class.unwrap_or(CircuitClass::Write), now) {
            Standing::Open { retry_after } => LeftOut::CircuitOpen { retry_after },
            Standing::Drained => LeftOut::Drained,
            Standing::ForcedOpen => LeftOut::ForcedOpen,
            Standing::Busy { .. } | Standing::Trial | Standing::Closed { .. } => LeftOut::TrialUnderWay,
        };
        self.tell_left_out(region, why);
    }

    fn tell_left_out(&mut self, region: usize, why: LeftOut) {
        self.outcome.tell(&self.core.regions.get(region).name, AttemptOutcome::LeftOut(why), Duration::ZERO);
    }
}

/// A region that turned us away within this time is not asked for free.
const JUST_NOW: Duration = Duration::from_secs(1);

/// A limit that lost less than this to the time the call has already taken is still the region's own.
const ALMOST_ALL: f64 = 0.99;
