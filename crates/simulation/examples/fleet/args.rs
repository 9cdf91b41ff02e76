//! Command line.

use std::path::PathBuf;

use clap::Parser;

/// A thousand clients and eight regions, one of which fails and recovers.
#[derive(Debug, Clone, Parser)]
pub(crate) struct Args {
    /// The seed of all random choices.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Processes with one store each.
    #[arg(long, default_value_t = 1000)]
    pub(crate) clients: usize,
    /// Regions.
    #[arg(long, default_value_t = 8)]
    pub(crate) regions: usize,
    /// Reads per second of all clients together.
    #[arg(long, default_value_t = 5000)]
    pub(crate) per_second: u64,
    /// When the first region fails, in seconds.
    #[arg(long, default_value_t = 20)]
    pub(crate) down_from: u64,
    /// How long it is down, in seconds.
    #[arg(long, default_value_t = 75)]
    pub(crate) down_for: u64,
    /// The length of a run, in seconds.
    #[arg(long, default_value_t = 160)]
    pub(crate) seconds: u64,
    /// The capacity of a region in the first runs, relative to its share of normal operation.
    #[arg(long, default_value_t = 1.3)]
    pub(crate) capacity: f64,
    /// The capacity in the last runs: less than the load while a region is down.
    #[arg(long, default_value_t = 1.1)]
    pub(crate) scarce_capacity: f64,
    /// Directory for the table and the plot.
    #[arg(long, default_value = "docs/images")]
    pub(crate) to: PathBuf,
}

impl Args {
    /// The second in which the region has recovered.
    pub(crate) fn down_until(&self) -> u64 {
        self.down_from + self.down_for
    }

    /// Requests per second of one region in normal operation.
    pub(crate) fn share(&self) -> f64 {
        self.per_second as f64 / self.regions as f64
    }
}
