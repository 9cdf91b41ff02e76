//! Asking another region beside a slow one: hedges, raced trials, and what a silent region leaves behind.
//!
//! All three are one thing: an attempt is marked as slow, and [`start_due`](super::Call::start_due) goes on as if it had failed, while
//! it keeps running.

use super::{Call, Stage};
use crate::failover::race::Race;
use crate::request::Request;
use crate::time::{self, Instant};

impl<'a, R: Request> Call<'a, R> {
    /// When the attempt on `region` that starts now is slow; None where nobody would be asked beside it.
    pub(super) fn patience(&self, region: usize, is_trial: bool, now: Instant) -> Option<Instant> {
        if self.stage != Stage::Rotation || !self.may_race() {
            return None;
        }
        let next = self.next_in_rotation()?;
        let regions = &self.core.regions;
        if is_trial {
            return Some(time::after(now, regions.get(region).health.trial_patience()));
        }
        // Nobody else's answer is as good as home's.
        if self.scope.first == Some(region) {
            return None;
        }
        let delay = self.core.hedging.delay(&regions.get(next).health).filter(|_| self.request.is_timed());
        delay.map(|delay| time::after(now, delay))
    }

    /// An attempt is slow: another region is asked beside it, at once if it is a trial, or if a hedge can be paid for.
    pub(in crate::failover) fn on_impatient(&mut self, region: usize, race: &mut Race<'a, R::Answer>) {
        let now = self.now;
        let is_alone = race.in_the_air().count() == 1;
        let next = self.next_in_rotation();
        let Some(flight) = race.flight(region) else { return };
        flight.patience_ends = None;
        if flight.attempt.permit.is_trial() {
            flight.is_slow = true;
            return;
        }
        if let Some(next) = next.filter(|_| is_alone) {
            let (regions, began) = (&self.core.regions, flight.attempt.began);
            let helps = !regions.are_browned_out(now) && regions.get(next).health.is_answering(began);
            self.hedge = self.core.hedging.pay(helps, self.core, now);
            flight.is_slow = self.hedge.is_some();
        }
    }

    /// It waits on, and its region hears of it.
    pub(in crate::failover) fn on_still_waiting(&mut self, region: usize, race: &mut Race<'a, R::Answer>) {
        let now = self.now;
        let Some(flight) = race.flight(region) else { return };
        let health = flight.attempt.permit.health();
        flight.tells_at = Some(time::after(now, health.silence()));
        flight.attempt.permit.still_waits(now);
    }

    /// Its region has been left alone: the next one is asked beside it at once.
    pub(in crate::failover) fn on_abandoned(&mut self, region: usize, race: &mut Race<'a, R::Answer>) {
        let may_race = self.may_race();
        if let Some(flight) = race.flight(region) {
            flight.is_slow = may_race;
            flight.patience_ends = None;
        }
    }

    /// Two attempts at once do no harm: reads only.
    fn may_race(&self) -> bool {
        self.class == Some(crate::health::CircuitClass::Read)
    }
}
