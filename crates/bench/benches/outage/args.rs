//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use failover_bench::ServeArgs;
use failover_bench::clients::Candidate;

use crate::ROWS;
use crate::scenario::{Scenario, Times};

/// The cost of a killed and a hanging region for each client, over real HTTP on loopback.
#[derive(Parser)]
pub(crate) struct Args {
    /// Scenarios to measure; a healthy period always precedes them.
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Scenario>,
    /// Clients to measure.
    #[arg(long, value_delimiter = ',', value_enum)]
    clients: Vec<Candidate>,
    /// Duration of each scenario in seconds. The fault starts after a sixth and ends after two
    /// thirds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(6..))]
    seconds: u64,
    /// Takes six seconds each: a test that the bench runs, without meaningful figures.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Writes all figures, and those of each second, to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) serving: ServeArgs,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        if self.clients.is_empty() {
            ROWS.to_vec()
        } else {
            self.clients.clone()
        }
    }

    pub(crate) fn scenarios(&self) -> Vec<Scenario> {
        let wanted = |scenario: &Scenario| self.only.is_empty() || self.only.contains(scenario);
        [Scenario::Killed, Scenario::Hanging]
            .into_iter()
            .filter(wanted)
            .collect()
    }

    pub(crate) fn times(&self) -> Times {
        let whole = Duration::from_secs(if self.quick { 6 } else { self.seconds });
        Times {
            whole,
            from: whole / 6,
            until: whole * 2 / 3,
        }
    }
}
