//! The interruptions of one response, and when to give up.
//!
//! After some progress every region is asked again. Without progress the response fails once every
//! region has had as many attempts as a call gives it. If the circuits had to end this, one corrupt
//! object would open all of them, and make every other key unavailable.

use crate::failover::Engine;
use crate::health::CircuitClass;
use crate::runtime::clock;
use crate::types::Operation;

/// The interruptions of one response.
pub(crate) struct ResumeHistory {
    operation: Operation,
    /// Less than this between two interruptions is little progress.
    min_progress: u64,
    /// Regions that failed, the longest ago first.
    regions: Vec<usize>,
    /// Consecutive interruptions at the same position.
    without_progress: u32,
    /// There was little progress before the last interruption.
    little_progress: bool,
}

impl ResumeHistory {
    pub(crate) fn new(operation: Operation, min_progress: u64) -> Self {
        Self {
            operation,
            min_progress,
            regions: Vec::new(),
            without_progress: 0,
            little_progress: false,
        }
    }

    /// Records a failure of `region`, after `progress` bytes or keys since the last one.
    pub(crate) fn record(&mut self, region: usize, progress: u64) {
        self.regions.retain(|other| *other != region);
        self.regions.push(region);
        self.without_progress = if progress == 0 {
            self.without_progress + 1
        } else {
            1
        };
        self.little_progress = progress < self.min_progress;
    }

    /// Regions that failed, the longest ago first.
    pub(crate) fn regions(&self) -> &[usize] {
        &self.regions
    }

    /// Where no circuit can open, nothing else ends a response that proceeds in tiny steps: each
    /// interruption after little progress is paid from the retry budget.
    fn exceeds_retry_budget(&self, engine: &Engine) -> bool {
        self.little_progress
            && !engine.circuits_can_open(CircuitClass::Read)
            && !engine.withdraw(clock::now())
    }

    /// Every region has failed at this position in every round of a call; or there is little
    /// progress, and the retry budget is exhausted.
    pub(crate) fn should_give_up(&self, engine: &Engine, regions: usize) -> bool {
        let attempts = engine.retry.rounds(self.operation, regions) as usize * regions;
        self.without_progress as usize >= attempts || self.exceeds_retry_budget(engine)
    }
}
