//! What an answer that is continued elsewhere remembers of its breaks: who broke, and whether it still gets anywhere.
//!
//! Progress makes every region worth asking again: what broke at one place may well serve from the next. Without any, an answer is
//! given up once every region has had as many tries as any call gives it. Left to the circuits, one spoilt object would open all
//! of them and take every other key with it.

use crate::failover::Core;
use crate::health::CircuitClass;
use crate::operation::Operation;
use crate::time;

/// The breaks of one answer.
pub(crate) struct Breaks {
    operation: Operation,
    /// Less than this between two breaks is next to nothing.
    enough: u64,
    /// Regions that broke, the longest ago first.
    regions: Vec<usize>,
    /// Breaks in a row without any progress in between.
    fruitless: u32,
    /// Next to nothing came before the last break.
    is_meagre: bool,
}

impl Breaks {
    pub(crate) fn new(operation: Operation, enough: u64) -> Self {
        Self { operation, enough, regions: Vec::new(), fruitless: 0, is_meagre: false }
    }

    /// `region` broke, and so much had come since the last break.
    pub(crate) fn record(&mut self, region: usize, progress: u64) {
        self.regions.retain(|other| *other != region);
        self.regions.push(region);
        self.fruitless = if progress == 0 { self.fruitless + 1 } else { 1 };
        self.is_meagre = progress < self.enough;
    }

    /// Regions that broke, the longest ago first.
    pub(crate) fn regions(&self) -> &[usize] {
        &self.regions
    }

    /// Where no circuit can open, nothing else would end an answer that drips from one region to the next: each break after next to
    /// nothing is paid from the retry budget.
    fn is_meagre_and_unpaid(&self, core: &Core) -> bool {
        self.is_meagre && !core.circuits_can_open(CircuitClass::Read) && !core.pay(time::now())
    }

    /// Every region, in every round that a call has, has broken at this very place; or hardly anything comes between two breaks, and
    /// nothing else would end that.
    pub(crate) fn are_hopeless(&self, core: &Core, regions: usize) -> bool {
        let tries = core.retry.rounds(self.operation, regions) as usize * regions;
        self.fruitless as usize >= tries || self.is_meagre_and_unpaid(core)
    }
}
