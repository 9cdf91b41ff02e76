//! Background probes: no caller waits for them, so they ask only regions that admit a read.

use super::{Call, Stage};
use crate::failover::race::Race;
use crate::request::Request;
use crate::types::CircuitClass;

impl<'a, R: Request> Call<'a, R> {
    /// Asks each region that is in use or due for a trial, once. A probe is no last-resort attempt,
    /// waits neither for a trial nor for a throttle, and has no further round.
    pub(super) fn start_probe(&mut self, race: &mut Race<'a, R::Response>) {
        let class = self.class.unwrap_or(CircuitClass::Read);
        self.stage = Stage::Exhausted;
        self.round = u32::MAX;
        for region in std::mem::take(&mut self.untried).iter() {
            match self
                .engine
                .regions
                .get(region)
                .health
                .admit(class, self.now)
            {
                Some(permit) => self.send(region, permit, 1, race),
                None => self.skip(region),
            }
        }
    }
}
