//! The command line: what may be asked, and what is refused with a line that says how to ask it.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::scenario::SCENARIOS;

/// Below this the circuits have no time to open, close and ramp up again.
const LEAST_SECONDS: u64 = 8;
/// With two regions the first must have been found alive again before the second hangs: early probes come once a second.
const LEAST_SECONDS_WITH_TWO_REGIONS: u64 = 20;
/// The shipped settings leave a dead region alone for up to a minute at a time.
const LEAST_SECONDS_WITH_DEFAULTS: u64 = 200;
const SECONDS: u64 = 32;
pub(crate) const SECONDS_WITH_DEFAULTS: u64 = 240;
const SECONDS_WITH_CONFIG: u64 = 120;

/// Breaks S3 servers while reading through a FailoverStore, and says whether the reads noticed.
///
/// Starts S3 servers in this process (real HTTP and signatures, 127.0.0.1 only, ports chosen by the system), fills them with the
/// same 300 objects of 1 KiB to 8 MiB, reads these as fast as it can while regions are killed, hang and come back, and prints a
/// table per phase and a verdict. Needs nothing but Rust: no Docker, no account, no network.
#[derive(Debug, Clone, Parser)]
#[command(name = "drill", version, after_long_help = after_help())]
pub(crate) struct Args {
    /// Which faults: full, kill, hang or outage; see below
    #[arg(long, default_value = "full", value_parser = names(), conflicts_with = "config")]
    pub(crate) scenario: String,

    /// How long the load runs [default: 32; with --defaults 240; with --config 120]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// How many S3 servers are started, 2 to 16
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=16), conflicts_with = "config")]
    regions: u16,

    /// How many reads are under way at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,

    /// Replays the choice of objects and keys of the run that printed this seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Uses the store's shipped settings instead of ones scaled to the length of the run; takes about 4 min
    #[arg(long, conflicts_with = "config")]
    pub(crate) defaults: bool,

    /// Writes table and verdict to FILE as well
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Reads from the regions of this TOML file instead (read-only) while you break them by hand
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// With --config: reads at most this much in all, like 500MiB or 2GiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size, requires = "config")]
    pub(crate) max_bytes: u64,
}

impl Args {
    /// The arguments of this process; on bad ones the process ends with a line on stderr and exit code 2.
    pub(crate) fn read() -> Self {
        let args = Self::parse();
        if let Err(why) = args.check() {
            Self::command().error(ErrorKind::ValueValidation, why).exit();
        }
        args
    }

    fn check(&self) -> Result<(), String> {
        if self.regions < 2 {
            return Err("--regions 1: with one region there is nowhere to fail over to; use --regions 2 or more".into());
        }
        let seconds = self.length().as_secs();
        if self.defaults && seconds < LEAST_SECONDS_WITH_DEFAULTS {
            return Err(format!(
                "--seconds {seconds}: with --defaults a region is left alone for 30 to 60 s at a time; use --seconds {LEAST_SECONDS_WITH_DEFAULTS} or more, or leave out --defaults"
            ));
        }
        if self.regions == 2 && self.scenario == "full" && seconds < LEAST_SECONDS_WITH_TWO_REGIONS {
            return Err(format!(
                "--seconds {seconds}: with two regions the first must be in use again before the second hangs; use --seconds {LEAST_SECONDS_WITH_TWO_REGIONS} or more"
            ));
        }
        if seconds < LEAST_SECONDS {
            return Err(format!(
                "--seconds {seconds}: circuits need time to open and to close again; use --seconds {LEAST_SECONDS} or more"
            ));
        }
        Ok(())
    }

    pub(crate) fn length(&self) -> Duration {
        let usual = match (&self.config, self.defaults) {
            (Some(_), _) => SECONDS_WITH_CONFIG,
            (None, true) => SECONDS_WITH_DEFAULTS,
            (None, false) => SECONDS,
        };
        Duration::from_secs(self.seconds.unwrap_or(usual))
    }

    pub(crate) fn regions(&self) -> usize {
        self.regions.into()
    }

    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency.into()
    }
}

fn names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(SCENARIOS.iter().map(|scenario| scenario.name))
}

fn after_help() -> String {
    let mut help = String::from("Scenarios (each begins healthy and ends with everything back):\n");
    for scenario in SCENARIOS {
        let phases: Vec<_> = scenario.phases.iter().map(|phase| phase.name).collect();
        help += &format!("  {:<8} {}\n           {}\n", scenario.name, scenario.about, phases.join(" -> "));
    }
    help += "\nExit codes: 0 the verdict holds, 1 it does not, 2 bad usage or nothing to read, 130 interrupted (Ctrl-C; prints the table so far)\n";
    help += "\nExamples:\n  cargo run --release --example drill\n  cargo run --release --example drill -- --scenario hang --seconds 16 --json drill.json\n";
    help + "  cargo run --release --example drill -- --config regions.toml --max-bytes 2GiB"
}

/// A number of bytes, with or without a unit.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err("a size is a number and a unit: 500MiB, 2GiB, 1000000".into()),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| "a size is a number above 0 and a unit: 500MiB, 2GiB".into())
}
