//! What the command line says.

use clap::Parser;

/// Simulated lives of a store: what must never happen does not.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The first life's seed (default: drawn, and shown).
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Operations of all lives together.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) operations: u64,
    /// Operations of each life.
    #[arg(long, default_value_t = 250)]
    pub(crate) each: usize,
    /// Say every few seconds how far it is.
    #[arg(long)]
    pub(crate) long: bool,
    /// Go on after a life that broke a promise, and count them.
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Lives at a time.
    #[arg(long, default_value_t = 1)]
    pub(crate) jobs: usize,
}

impl Args {
    /// How many lives that is.
    pub(crate) fn lives(&self) -> u64 {
        self.operations.div_ceil(self.each.max(1) as u64)
    }
}
