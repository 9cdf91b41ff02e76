//! Probes: nobody waits for them, so they ask only where a read would be let in.

use super::{Call, Stage};
use crate::failover::race::Race;
use crate::health::CircuitClass;
use crate::request::Request;

impl<'a, R: Request> Call<'a, R> {
    /// Asks each region that is in use or due for a trial, once. No circuit is asked early, nobody is waited for (neither for another's
    /// trial nor for a pace), and there is no further round.
    pub(super) fn start_probe(&mut self, race: &mut Race<'a, R::Answer>) {
        let (now, class) = (self.now, self.class.unwrap_or(CircuitClass::Read));
        self.stage = Stage::Exhausted;
        self.round = u32::MAX;
        for region in std::mem::take(&mut self.untried).iter() {
            match self.core.regions.get(region).health.admit(class, now) {
                Some(permit) => self.start(region, permit, 1, now, race),
                None => self.leave_out(region, now),
            }
        }
    }
}
