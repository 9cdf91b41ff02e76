//! The command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;
use failover_bench::ServeArgs;
use failover_bench::clients::Candidate;
use failover_bench::server::{KIB, MIB, Object};

use crate::ROWS;

/// The cost of each client without faults, over real HTTP on loopback.
#[derive(Parser)]
pub(crate) struct Args {
    /// Loads to measure, as object and readers, such as 1KiB:16. Default: 1KiB and 1MiB with 1, 16
    /// and 256 readers.
    #[arg(long, num_args = 1.., value_name = "OBJECT:READERS")]
    only: Vec<Cell>,
    /// Clients to measure; `direct` is plain object_store against itself.
    #[arg(long, value_delimiter = ',', value_enum)]
    clients: Vec<Candidate>,
    /// Rounds per row. Default: 30 for 1KiB:16, 12 for the others.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Takes a few seconds: a test that the bench runs, without meaningful figures.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Writes the figures of every round to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) serving: ServeArgs,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One load: the object and the number of readers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) object: Object,
    pub(crate) readers: usize,
}

/// Number and duration of the measurements.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) rounds: usize,
    pub(crate) slice: Duration,
}

/// The load that has targets.
pub(crate) const TARGET_LOAD: Cell = Cell {
    object: KIB,
    readers: 16,
};

impl Args {
    pub(crate) fn cells(&self) -> Vec<Cell> {
        if !self.only.is_empty() {
            return self.only.clone();
        }
        [KIB, MIB]
            .into_iter()
            .flat_map(|object| [1, 16, 256].map(|readers| Cell { object, readers }))
            .collect()
    }

    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        if self.clients.is_empty() {
            ROWS.to_vec()
        } else {
            self.clients.clone()
        }
    }

    pub(crate) fn scale(&self, cell: Cell) -> Scale {
        let (rounds, millis) = match (self.quick, cell == TARGET_LOAD) {
            (true, _) => (1, 25),
            (false, true) => (30, 1000),
            (false, false) => (12, 400),
        };
        Scale {
            rounds: self.rounds.map_or(rounds, usize::from),
            slice: Duration::from_millis(millis),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.object.key, self.readers)
    }
}

impl FromStr for Cell {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, readers) = text
            .split_once(':')
            .ok_or("expected an object and a number of readers, such as 1KiB:16")?;
        let object = [KIB, MIB]
            .into_iter()
            .find(|object| object.key == key)
            .ok_or("the objects are 1KiB and 1MiB")?;
        match readers.parse() {
            Ok(readers @ 1..=512) => Ok(Self { object, readers }),
            _ => Err("1 to 512 readers".to_owned()),
        }
    }
}
