//! The command line.

use clap::Parser;

/// Callers at full load on S3 regions that fail and recover: no call may fail while a region
/// serves, and no resource may grow.
///
/// Everything runs in this process, over real HTTP on 127.0.0.1. Exit codes: 0 no failure and no
/// growth, 1 a failure or growth, 2 it could not start, 130 interrupted, with the report until
/// then.
#[derive(Debug, Clone, Parser)]
#[command(name = "failover-soak")]
pub(crate) struct Args {
    /// Duration of the load in seconds
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(8..=86_400))]
    pub(crate) seconds: u64,
    /// Concurrent callers; each makes its next call when the last one has ended
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(crate) concurrency: u32,
    /// Number of regions; at any time at least one has no fault
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=8))]
    pub(crate) regions: u32,
    /// Seed of calls and faults; it does not determine the interleaving of threads [default:
    /// random, printed]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}
