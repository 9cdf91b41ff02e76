//! Regions at their limit: the call asks other regions, and waits only where none is left.

use super::{Call, Stage};
use crate::error::Failure;
use crate::failover::race::Race;
use crate::region::RegionSet;
use crate::request::Request;
use crate::throttle::{Acquire, ThrottlePermit};
use crate::types::CircuitClass;

impl<'a, R: Request> Call<'a, R> {
    /// A throttle permit for one attempt in the region; None where it is at its limit.
    pub(super) fn acquire(&mut self, region: usize) -> Option<ThrottlePermit> {
        if let Some((_, permit)) = self.throttle_permit.take_if(|(held, _)| *held == region) {
            return Some(permit);
        }
        let throttle = &self.engine.regions.get(region).throttle;
        match throttle.try_acquire(self.throttle_class(), self.now) {
            Acquire::Ready(permit) => Some(permit),
            Acquire::RateLimited { .. } | Acquire::Saturated => {
                self.throttled.insert(region);
                None
            }
        }
    }

    /// No other region is left: waits for all that are at their limit.
    pub(super) fn wait_for_throttle(&mut self, race: &mut Race<'a, R::Response>) {
        for region in self.throttled.and(self.untried).iter() {
            let throttle = &self.engine.regions.get(region).throttle;
            race.wait_for_throttle(region, throttle.acquire(self.throttle_class()));
        }
    }

    /// A region at its limit admits the call. In a rotation the others need not be waited for.
    pub(in crate::failover) fn on_throttle_ready(
        &mut self,
        region: usize,
        permit: ThrottlePermit,
        race: &mut Race<'a, R::Response>,
    ) {
        self.throttled.remove(region);
        self.throttle_permit = Some((region, permit));
        if self.stage == Stage::Rotation {
            race.cancel_throttle_waits();
            self.throttled = RegionSet::default();
            self.admit_and_start(region, race);
        } else {
            self.search(region, race);
        }
    }

    /// Slows the throttle of the region down, or pauses it, where the failure asks for that.
    pub(super) fn record_throttling(&self, region: usize, failure: &Failure) {
        let throttle = &self.engine.regions.get(region).throttle;
        throttle.on_failure(self.throttle_class(), failure, self.now);
    }

    /// Deletes have no circuit, and use the limits of writes.
    fn throttle_class(&self) -> CircuitClass {
        self.class.unwrap_or(CircuitClass::Write)
    }
}
