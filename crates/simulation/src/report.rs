//! The result of a run.

use std::fmt;

use crate::violation::Violation;

/// The result of a run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The seed, which reproduces the run.
    pub seed: u64,
    /// The settings of the store and the regions, as text.
    pub settings: String,
    /// Operations that were started.
    pub operations: u64,
    /// Operations that failed.
    pub failed: u64,
    /// Operations that were cancelled.
    pub cancelled: u64,
    /// Requests that arrived at regions, those of the final phase included.
    pub attempts: u64,
    /// Hedges that were sent.
    pub hedges: u64,
    /// Circuit transitions.
    pub transitions: u64,
    /// Simulated time, in seconds.
    pub seconds: u64,
    /// A digest of all lines of the trace: equal for equal runs.
    pub digest: u64,
    /// Invariants that did not hold, in order of time.
    pub violations: Vec<Violation>,
    /// The whole trace; None without [`Simulation::keep_trace`](crate::Simulation::keep_trace).
    pub trace: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            operations,
            failed,
            cancelled,
            attempts,
            hedges,
            transitions,
            seconds,
            digest,
            ..
        } = self;
        writeln!(
            f,
            "seed {seed}: {operations} operations ({failed} failed, {cancelled} cancelled), \
             {attempts} attempts, {hedges} hedges, {transitions} transitions, {seconds} s, \
             trace {digest:016x}"
        )?;
        if let Some(first) = self.violations.first() {
            writeln!(f, "settings: {}", self.settings)?;
            let count = self.violations.len();
            write!(f, "{count} violations, the first:\nseed {seed}: {first}")?;
        }
        Ok(())
    }
}
