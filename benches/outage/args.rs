//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::ROWS;
use crate::rig::Serving;
use crate::rig::clients::Way;
use crate::scenario::{Scenario, Times};

/// What a dying and a hanging region cost the readers of each client, over real HTTP on loopback.
#[derive(Parser)]
pub(crate) struct Args {
    /// Only these scenarios; a healthy time before them is always measured.
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Scenario>,
    /// Only these clients.
    #[arg(long, value_delimiter = ',', value_enum)]
    clients: Vec<Way>,
    /// How long each scenario lasts. The region breaks after a sixth, and is back after two thirds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(6..))]
    seconds: u64,
    /// Six seconds each: to see that it runs, not to measure.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write all figures, and the reads of each second, to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) serving: Serving,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    pub(crate) fn ways(&self) -> Vec<Way> {
        if self.clients.is_empty() { ROWS.to_vec() } else { self.clients.clone() }
    }

    pub(crate) fn scenarios(&self) -> Vec<Scenario> {
        let wanted = |scenario: &Scenario| self.only.is_empty() || self.only.contains(scenario);
        [Scenario::Killed, Scenario::Hanging].into_iter().filter(wanted).collect()
    }

    pub(crate) fn times(&self) -> Times {
        let whole = Duration::from_secs(if self.quick { 6 } else { self.seconds });
        Times { whole, from: whole / 6, until: whole * 2 / 3 }
    }
}
