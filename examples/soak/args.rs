//! What the command line says.

use clap::Parser;

/// Callers at full load on S3 regions that come and go: nothing may fail while a region lives, and nothing may grow.
///
/// Everything runs in this process, over real HTTP on 127.0.0.1. Exit codes: 0 nothing failed and nothing grew, 1 something did, 2 it
/// could not start, 130 interrupted (after the report so far).
#[derive(Debug, Clone, Parser)]
#[command(name = "soak")]
pub(crate) struct Args {
    /// How long the load lasts.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(8..=86_400))]
    pub(crate) seconds: u64,
    /// Callers at a time; each makes its next call when the last one has ended.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(crate) concurrency: u32,
    /// Regions; at least one of them is left in peace at any time.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=8))]
    pub(crate) regions: u32,
    /// What decides calls and faults (default: drawn, and shown). How threads meet is not decided by it.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}
