//! Next: which regions a call asks, and when.

use std::time::Duration;

use super::{Call, Stage};
use crate::error::SkipReason;
use crate::failover::config::NotFoundPolicy;
use crate::failover::hedge::Hedge;
use crate::failover::race::Race;
use crate::health::{Availability, LastResort};
use crate::region::RegionSet;
use crate::request::Request;
use crate::runtime::clock::{self, Instant};
use crate::types::CircuitClass;

impl<'a, R: Request> Call<'a, R> {
    /// Starts attempts until one is worth waiting for; leaves the race empty at the end of a round.
    ///
    /// The next attempt starts at once after a failed one and beside a slow one. Beside a slow one
    /// only regions in use are asked.
    pub(in crate::failover) fn start_attempts(&mut self, race: &mut Race<'a, R::Response>) {
        self.start_next(race);
        // No region admitted the hedge, and none will after a throttle wait.
        if !race.has_throttle_waits() {
            self.hedge.take().into_iter().for_each(Hedge::unsent);
        }
    }

    fn start_next(&mut self, race: &mut Race<'a, R::Response>) {
        while (race.may_start_more() || self.stage == Stage::SearchDue) && !self.is_overdue() {
            match self.stage {
                Stage::Probe => self.start_probe(race),
                Stage::Rotation => match self.next_in_rotation() {
                    Some(region) => self.admit_and_start(region, race),
                    None if !self.throttled.and(self.untried).is_empty() => {
                        self.wait_for_throttle(race);
                        self.start_last_resort_beside_throttle(race);
                    }
                    None if race.is_empty() => self.stage = Stage::LastResort,
                    None => return,
                },
                Stage::SearchDue => {
                    self.stage = Stage::Search;
                    race.cancel_throttle_waits();
                    self.start_search(race);
                }
                // Beside a slow last-resort attempt, regions that failed in this response are
                // asked again.
                Stage::LastResort if !race.is_empty() && self.only_failed_left() => {
                    self.retry_failed();
                }
                _ if !race.is_empty() => return,
                Stage::Search => self.start_search(race),
                Stage::LastResort => self.start_last_resort(race),
                Stage::Exhausted => return,
            }
        }
    }

    /// The deadline has passed and regions are left to ask.
    pub(in crate::failover) fn is_overdue(&self) -> bool {
        !self.untried.is_empty() && self.now >= self.deadline
    }

    /// The next region in use. Regions that failed in the same response are left to the end.
    pub(super) fn next_in_rotation(&self) -> Option<usize> {
        let candidates = self
            .untried
            .without(self.not_admitted)
            .without(self.throttled);
        let next = |among| {
            self.plan
                .next(among, self.engine.rotation.weights(), &self.engine.rng)
        };
        if self.retries_failed {
            let oldest = |region: &usize| next(RegionSet::one(*region).and(candidates));
            return self.previously_failed.iter().find_map(oldest);
        }
        next(candidates.without(self.failed_regions()))
    }

    /// Regions that failed earlier in the same response. They come after all others, also after
    /// those whose circuits are open: a region that was not asked may hold the rest.
    fn failed_regions(&self) -> RegionSet {
        self.previously_failed.iter().copied().collect()
    }

    pub(super) fn only_failed_left(&self) -> bool {
        let others_left = !self.untried.without(self.failed_regions()).is_empty();
        !self.retries_failed && !others_left && !self.untried.is_empty()
    }

    fn retry_failed(&mut self) {
        self.retries_failed = true;
        self.stage = Stage::Rotation;
    }

    /// Those of these regions whose turn it is: first the ones that have not failed in the same
    /// response.
    fn due(&self, among: RegionSet) -> RegionSet {
        match self.retries_failed {
            true => among,
            false => among.without(self.failed_regions()),
        }
    }

    /// Takes the regions that a stage asks out of `untried`. At the end of the others, those that
    /// failed in the same response come back into the rotation.
    fn take_asked(&mut self, among: RegionSet) -> RegionSet {
        let asked = self.due(among);
        self.untried = self.untried.without(asked);
        if asked.is_empty() {
            match self.only_failed_left() {
                true => self.retry_failed(),
                false => self.stage = Stage::Exhausted,
            }
        }
        asked
    }

    pub(super) fn admit_and_start(&mut self, region: usize, race: &mut Race<'a, R::Response>) {
        let Some(throttle) = self.acquire(region) else {
            // The response of this region is preferred to all others: the call waits for it.
            if self.scope.first == Some(region) {
                self.wait_for_throttle(race);
            }
            return;
        };
        if !self.can_afford(region) {
            return;
        }
        let remaining_regions = self.plan.remaining(self.untried.without(self.not_admitted));
        let health = &self.engine.regions.get(region).health;
        let permit = match self.class {
            Some(class) => health.admit(class, self.now),
            None => Some(health.admit_untracked(CircuitClass::Write)),
        };
        match permit {
            Some(mut permit) => {
                self.untried.remove(region);
                permit.hold(throttle);
                self.send(region, permit, remaining_regions, race);
            }
            None => self.not_admitted.insert(region),
        }
    }

    /// No region in use is left. The others are asked although their circuits are open: reads all
    /// at once, writes one by one, because a write that is sent twice is two writes.
    fn start_last_resort(&mut self, race: &mut Race<'a, R::Response>) {
        let left = self.due(self.untried);
        let together = if self.class == Some(CircuitClass::Read) {
            usize::MAX
        } else {
            1
        };
        let asked = self.take_asked(left.iter().take(together).collect());
        for region in asked.iter() {
            self.try_last_resort(region, race);
        }
    }

    /// Regions in use are at their limit. Regions whose circuits are open may be healthy again: a
    /// read does not wait for a place while one of them could serve it.
    fn start_last_resort_beside_throttle(&mut self, race: &mut Race<'a, R::Response>) {
        if self.class != Some(CircuitClass::Read) {
            return;
        }
        let asked = self
            .untried
            .without(self.throttled)
            .without(self.failed_regions());
        self.untried = self.untried.without(asked);
        for region in asked.iter() {
            self.try_last_resort(region, race);
        }
    }

    /// A region lacks the object: all others are asked at once, or home alone where the policy
    /// wants only its response.
    fn start_search(&mut self, race: &mut Race<'a, R::Response>) {
        let home = self.engine.authority.filter(|home| {
            self.engine.not_found == NotFoundPolicy::Home && self.untried.contains(*home)
        });
        let asked = self.take_asked(home.map_or(self.untried, RegionSet::one));
        for region in asked.iter() {
            self.search(region, race);
        }
    }

    /// Asks one region for an object that another one lacks.
    pub(super) fn search(&mut self, region: usize, race: &mut Race<'a, R::Response>) {
        let (now, state) = (self.now, self.engine.regions.get(region));
        let Some(class) = self.class else { return };
        let availability = state.health.availability(class, now);
        if matches!(
            availability,
            Availability::TrialInFlight { responding: false }
                | Availability::Open { .. }
                | Availability::ForcedOpen
        ) {
            return self.try_last_resort(region, race);
        }
        let Some(throttle) = self.acquire(region) else {
            // Without its response the search is undecided, unless the policy ignores it.
            return match self.engine.not_found {
                NotFoundPolicy::Reachable => self.report_skipped(region, SkipReason::AtItsLimit),
                _ => race.wait_for_throttle(region, state.throttle.acquire(class)),
            };
        };
        let permit = match availability {
            // Outside of the circuit: a region that serves no reads may still have the object.
            Availability::Drained | Availability::TrialInFlight { .. } => {
                Some(state.health.admit_untracked(class))
            }
            _ => state.health.admit(class, now),
        };
        match permit {
            Some(mut permit) if self.can_afford(region) => {
                permit.hold(throttle);
                self.send(region, permit, 1, race);
            }
            Some(_) => {}
            None => self.try_last_resort(region, race),
        }
    }

    pub(super) fn try_last_resort(&mut self, region: usize, race: &mut Race<'a, R::Response>) {
        let now = self.now;
        let Some(class) = self.class else { return };
        if !self.can_afford(region) {
            return;
        }
        let Some(throttle) = self.acquire(region) else {
            let throttle = &self.engine.regions.get(region).throttle;
            return race.wait_for_throttle(region, throttle.acquire(class));
        };
        let is_last = self.stage == Stage::LastResort;
        let health = &self.engine.regions.get(region).health;
        let decision = if self.request.may_be_trial() {
            health.admit_last_resort(class, is_last, now)
        } else {
            health.admit_long_last_resort(class, now)
        };
        match decision {
            LastResort::Admitted(mut permit) => {
                permit.hold(throttle);
                self.send(region, permit, 1, race);
            }
            LastResort::Wait {
                permit,
                silent_since,
            } if self.may_wait(silent_since) => {
                race.wait(region, permit, self.wait_until());
            }
            LastResort::Wait { .. } => self.on_rejected(region, race),
            LastResort::ForcedOpen => self.skip(region),
            LastResort::Refused { retry_after } if self.may_wait_for_slot(retry_after) => {
                (self.slot_wait, self.has_waited) = (Some(region), true);
                race.wait_for_slot(region, self.now + retry_after);
            }
            LastResort::Refused { retry_after } => {
                self.outcome.may_retry_after(retry_after);
                self.skip(region);
            }
        }
    }

    /// A write waits once for the next last-resort attempt: at most `early_probe_interval`, and
    /// the alternative is an error. A read has failed fast by then.
    fn may_wait_for_slot(&self, retry_after: Duration) -> bool {
        self.class == Some(CircuitClass::Write)
            && !self.has_waited
            && retry_after <= self.engine.last_resort_wait
            && clock::saturating_add(self.now, retry_after) < self.deadline
    }

    /// Whether the trial of another call is worth waiting for. In a search other regions have
    /// responded already, and a region that has been silent for so long would delay every read of
    /// a missing key.
    fn may_wait(&self, silent_since: Instant) -> bool {
        let silent_for = self.now.saturating_duration_since(silent_since);
        self.stage != Stage::Search
            || (self.engine.not_found != NotFoundPolicy::Reachable
                && silent_for < self.engine.last_resort_wait)
    }

    /// A read waits a moment for the trial of another call. A write and a pinned call wait until
    /// their deadline.
    fn wait_until(&self) -> Instant {
        if self.scope.is_pinned || self.class == Some(CircuitClass::Write) {
            self.deadline
        } else {
            self.now + self.engine.last_resort_wait
        }
    }

    /// Whether the retry budget lets this region be asked. The first attempt in a region is free,
    /// unless that region throttled within the last second.
    fn can_afford(&mut self, region: usize) -> bool {
        let health = &self.engine.regions.get(region).health;
        let is_free = self.sent == 0
            || self.hedge.is_some()
            || (self.round == 1 && !health.is_throttling(RECENT_THROTTLE, self.now));
        if is_free || self.engine.withdraw(self.now) {
            return true;
        }
        self.untried.remove(region);
        self.budget_exhausted = true;
        self.report_skipped(region, SkipReason::BudgetExhausted);
        false
    }

    pub(super) fn skip(&mut self, region: usize) {
        let health = &self.engine.regions.get(region).health;
        let class = self.class.unwrap_or(CircuitClass::Write);
        let reason = match health.availability(class, self.now) {
            Availability::Open { retry_after } => SkipReason::CircuitOpen { retry_after },
            Availability::Drained => SkipReason::Drained,
            Availability::ForcedOpen => SkipReason::ForcedOpen,
            Availability::TrialInFlight { .. }
            | Availability::TrialDue
            | Availability::Closed { .. } => SkipReason::TrialInFlight,
        };
        self.report_skipped(region, reason);
    }
}

/// An attempt in a region that throttled within this time is paid from the retry budget.
const RECENT_THROTTLE: Duration = Duration::from_secs(1);
