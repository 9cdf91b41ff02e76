//! Regions at their limit: the call goes elsewhere, and waits only where nobody else is left.

use super::{Call, Stage};
use crate::failover::race::Race;
use crate::failure::{Failure, FailureClass};
use crate::health::CircuitClass;
use crate::pace::{Entry, Kind, Slot};
use crate::region::RegionSet;
use crate::request::Request;
use crate::time::Instant;

impl<'a, R: Request> Call<'a, R> {
    /// A place in the region for one attempt; None where it is at its limit.
    pub(super) fn enter(&mut self, region: usize, now: Instant) -> Option<Slot> {
        if let Some((_, slot)) = self.slot.take_if(|(granted, _)| *granted == region) {
            return Some(slot);
        }
        match self.core.regions.get(region).pace.try_enter(self.kind(), now) {
            Entry::Go(slot) => Some(slot),
            Entry::Full { .. } | Entry::Crowded => {
                self.crowded.insert(region);
                None
            }
        }
    }

    /// No other region is left: waits for all that are at their limit.
    pub(super) fn wait_for_paces(&mut self, race: &mut Race<'a, R::Answer>) {
        for region in self.crowded.and(self.untried).iter() {
            race.wait_for_pace(region, self.core.regions.get(region).pace.enter(self.kind()));
        }
    }

    /// One of them lets the call in; in a rotation the others need not be waited for.
    pub(in crate::failover) fn on_paced(&mut self, region: usize, slot: Slot, race: &mut Race<'a, R::Answer>) {
        self.crowded.remove(region);
        self.slot = Some((region, slot));
        if self.stage == Stage::Rotation {
            race.leave_paces();
            self.crowded = RegionSet::default();
            self.start_admitted(region, race);
        } else {
            self.search(region, race);
        }
    }

    /// What a failure says about how much may be asked of the region.
    pub(super) fn keep_pace(&self, region: usize, failure: &Failure, now: Instant) {
        let pace = &self.core.regions.get(region).pace;
        if failure.class() == FailureClass::Throttled {
            pace.on_throttle(self.kind(), now, failure.retry_after());
        } else if let Some(asked) = failure.retry_after() {
            pace.on_retry_after(now, asked);
        }
    }

    fn kind(&self) -> Kind {
        if self.class == Some(CircuitClass::Read) { Kind::Read } else { Kind::Write }
    }
}
