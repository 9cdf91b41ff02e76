//! Attempts beside a slow one: hedges, raced trials, silent regions.
//!
//! All three are one thing. An attempt is marked as slow, and
//! [`start_attempts`](Call::start_attempts) continues as if it had failed, while it keeps running.

use super::{Call, Stage};
use crate::failover::race::Race;
use crate::request::Request;
use crate::runtime::clock::{self, Instant};
use crate::types::CircuitClass;

impl<'a, R: Request> Call<'a, R> {
    /// When an attempt that starts now counts as slow; None where no region could be asked beside
    /// it.
    pub(super) fn slow_at(&self, region: usize, is_trial: bool) -> Option<Instant> {
        if !self.may_race() {
            return None;
        }
        // A region that failed in the same response is asked again beside a silent last resort.
        if self.stage == Stage::LastResort && is_trial && self.only_failed_left() {
            let patience = self.engine.regions.get(region).health.trial_patience();
            return Some(clock::saturating_add(self.now, patience));
        }
        if self.stage != Stage::Rotation {
            return None;
        }
        let next = self.next_in_rotation()?;
        let regions = &self.engine.regions;
        let delay = if is_trial {
            Some(regions.get(region).health.trial_patience())
        } else if self.scope.first == Some(region) {
            // The response of this region is preferred to all others.
            None
        } else if self.request.expects_prompt_response() {
            self.engine.hedger.delay(&regions.get(next).health)
        } else {
            None
        };
        delay.map(|delay| clock::saturating_add(self.now, delay))
    }

    /// An attempt is slow. Another region is asked beside it: at once beside a trial, otherwise if
    /// a hedge can be paid for.
    pub(in crate::failover) fn on_slow(&mut self, region: usize, race: &mut Race<'a, R::Response>) {
        let now = self.now;
        let is_alone = race.in_flight().count() == 1;
        let next = self.next_in_rotation();
        let Some(attempt) = race.get_mut(region) else {
            return;
        };
        attempt.slow_at = None;
        if attempt.attempt.permit.is_trial() {
            attempt.is_slow = true;
            return;
        }
        if let Some(next) = next.filter(|_| is_alone) {
            let engine = self.engine;
            // A hedge cannot help in a brown-out, nor in a region that is silent too.
            let can_help = !engine.regions.are_overloaded(now)
                && engine
                    .regions
                    .get(next)
                    .health
                    .is_responding(attempt.attempt.started_at);
            self.hedge = engine
                .hedger
                .withdraw(can_help, || engine.withdraw(now), &engine.metrics);
            attempt.is_slow = self.hedge.is_some();
        }
    }

    /// An attempt still waits for headers: the time counts as silence of its region.
    pub(in crate::failover) fn on_wait_tick(
        &mut self,
        region: usize,
        race: &mut Race<'a, R::Response>,
    ) {
        let now = self.now;
        let Some(attempt) = race.get_mut(region) else {
            return;
        };
        let silence = attempt.attempt.permit.health().silence();
        attempt.report_wait_at = Some(clock::saturating_add(now, silence));
        attempt.attempt.permit.report_wait(now);
    }

    /// The circuit of the region opened for silence: the next region is asked beside it at once.
    pub(in crate::failover) fn on_region_silent(
        &mut self,
        region: usize,
        race: &mut Race<'a, R::Response>,
    ) {
        let may_race = self.may_race();
        if let Some(attempt) = race.get_mut(region) {
            attempt.is_slow = may_race;
            attempt.slow_at = None;
        }
    }

    /// Two attempts of one read at once do no harm. Two attempts of one write are two writes.
    fn may_race(&self) -> bool {
        self.class == Some(CircuitClass::Read)
    }
}
