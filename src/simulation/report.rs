//! What came of a life.

use std::fmt;

use super::violation::Violation;

/// What came of a life.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Its seed: whoever has it has the life.
    pub seed: u64,
    /// The settings of the store, in words.
    pub settings: String,
    /// Operations that were begun.
    pub operations: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Those whose callers went away.
    pub cancelled: u64,
    /// Requests that arrived at regions, the last traffic included.
    pub attempts: u64,
    /// Hedges that were sent.
    pub hedges: u64,
    /// Transitions of circuits.
    pub transitions: u64,
    /// Seconds that passed in it.
    pub seconds: u64,
    /// A number made of every line of its trace: equal for equal lives.
    pub digest: u64,
    /// Promises that were broken.
    pub violations: Vec<Violation>,
    /// The whole trace, where it was to be kept.
    pub trace: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}: {} operations ({} failed, {} cancelled), {} attempts, {} hedges, {} transitions, {} s, trace {:016x}",
            self.seed,
            self.operations,
            self.failed,
            self.cancelled,
            self.attempts,
            self.hedges,
            self.transitions,
            self.seconds,
            self.digest
        )?;
        if let Some(first) = self.violations.first() {
            writeln!(f, "settings: {}", self.settings)?;
            write!(f, "{} violations, the first of them:\nseed {}: {first}", self.violations.len(), self.seed)?;
        }
        Ok(())
    }
}
