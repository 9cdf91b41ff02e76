//! What the command line says.

use std::path::PathBuf;

use clap::Parser;

/// A thousand clients, eight regions, one of which dies and comes back.
#[derive(Debug, Clone, Parser)]
pub(crate) struct Args {
    /// Everything that chance decides.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Processes with a store each.
    #[arg(long, default_value_t = 1000)]
    pub(crate) clients: usize,
    /// Regions.
    #[arg(long, default_value_t = 8)]
    pub(crate) regions: usize,
    /// Reads of all clients together.
    #[arg(long, default_value_t = 5000)]
    pub(crate) per_second: u64,
    /// When the first region dies, in seconds.
    #[arg(long, default_value_t = 20)]
    pub(crate) dies: u64,
    /// How long it is dead.
    #[arg(long, default_value_t = 75)]
    pub(crate) dead: u64,
    /// How long all of it lasts.
    #[arg(long, default_value_t = 160)]
    pub(crate) seconds: u64,
    /// What a region with room can serve, in shares of what it is asked on an ordinary day.
    #[arg(long, default_value_t = 1.3)]
    pub(crate) room: f64,
    /// The same without room.
    #[arg(long, default_value_t = 1.1)]
    pub(crate) no_room: f64,
    /// Where the table and the plot go.
    #[arg(long, default_value = "docs/images")]
    pub(crate) to: PathBuf,
}

impl Args {
    /// The second in which the region is back.
    pub(crate) fn back(&self) -> u64 {
        self.dies + self.dead
    }
}
