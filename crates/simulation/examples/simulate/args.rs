//! Command line.

use clap::Parser;

/// Runs simulations of a store and reports violated invariants.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The seed of the first run (default: drawn and printed).
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Operations of all runs together.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) operations: u64,
    /// Operations of each run.
    #[arg(long, default_value_t = 250)]
    pub(crate) each: usize,
    /// Print the progress every five seconds.
    #[arg(long)]
    pub(crate) long: bool,
    /// Continue after a violation, and count the runs with violations.
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Runs at a time.
    #[arg(long, default_value_t = 1)]
    pub(crate) jobs: usize,
}

impl Args {
    pub(crate) fn runs(&self) -> u64 {
        self.operations.div_ceil(self.each.max(1) as u64)
    }
}
