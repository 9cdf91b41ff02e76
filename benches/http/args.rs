//! The command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;

use crate::ROWS;
use crate::rig::Serving;
use crate::rig::answers::{KIB, MIB, Object};
use crate::rig::clients::Way;

/// What a client costs on a healthy day, over real HTTP on loopback.
#[derive(Parser)]
pub(crate) struct Args {
    /// Only these loads: object and readers, as in 1KiB:16. All: 1KiB and 1MiB with 1, 16 and 256 readers.
    #[arg(long, num_args = 1.., value_name = "OBJECT:READERS")]
    only: Vec<Cell>,
    /// Only these clients; `direct` is plain object_store against itself.
    #[arg(long, value_delimiter = ',', value_enum)]
    clients: Vec<Way>,
    /// As many rounds for every row. Else 30 for 1KiB:16 and 12 for the others.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// A few seconds: to see that it runs, not to measure.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write every round's figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) serving: Serving,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One load: what is read, and by how many at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) object: Object,
    pub(crate) readers: usize,
}

/// How long things last.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) rounds: usize,
    pub(crate) slice: Duration,
}

/// The load that the targets are about.
pub(crate) const JUDGED: Cell = Cell { object: KIB, readers: 16 };

impl Args {
    pub(crate) fn cells(&self) -> Vec<Cell> {
        if !self.only.is_empty() {
            return self.only.clone();
        }
        [KIB, MIB].into_iter().flat_map(|object| [1, 16, 256].map(|readers| Cell { object, readers })).collect()
    }

    pub(crate) fn ways(&self) -> Vec<Way> {
        if self.clients.is_empty() { ROWS.to_vec() } else { self.clients.clone() }
    }

    pub(crate) fn scale(&self, cell: Cell) -> Scale {
        let (rounds, millis) = match (self.quick, cell == JUDGED) {
            (true, _) => (1, 25),
            (false, true) => (30, 1000),
            (false, false) => (12, 400),
        };
        Scale { rounds: self.rounds.map_or(rounds, usize::from), slice: Duration::from_millis(millis) }
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
        let (key, readers) = text.split_once(':').ok_or("an object and a number of readers, as in 1KiB:16")?;
        let object = [KIB, MIB].into_iter().find(|object| object.key == key).ok_or("the objects are 1KiB and 1MiB")?;
        match readers.parse() {
            Ok(readers @ 1..=512) => Ok(Self { object, readers }),
            _ => Err("1 to 512 readers".to_owned()),
        }
    }
}
