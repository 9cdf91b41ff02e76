//! The command line: what may be asked, and what is refused with a line that says how to ask it.

mod help;

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};

use crate::clients::Kind;
use crate::scenario::{PREFLIGHT, SCENARIOS, Scenario};
use crate::verdict::expect::{self, Expected};

/// Below this the circuits have no time to open, close and ramp up again.
const LEAST_SECONDS: u64 = 8;
/// With two regions the first must have been found alive again before the second hangs: early probes come once a second.
const LEAST_SECONDS_WITH_TWO_REGIONS: u64 = 20;
/// The shipped settings leave a dead region alone for up to a minute at a time.
const LEAST_SECONDS_WITH_DEFAULTS: u64 = 200;
const SECONDS: u64 = 32;
/// Of each scenario of many.
const SECONDS_OF_MANY: u64 = 14;
pub(crate) const SECONDS_WITH_DEFAULTS: u64 = 240;
const SECONDS_WITH_CONFIG: u64 = 120;
/// All scenarios, but for the one that puts several of them together.
const ALL: &str = "all";
/// What is played where nothing is said.
pub(crate) const FULL: &str = "full";

/// Breaks S3 regions while reading from them through a FailoverStore, and says whether the reads noticed.
///
/// Starts S3 servers in this process (real HTTP and signatures, 127.0.0.1 only, ports chosen by the system), fills them with the
/// same objects of 1 KiB to 8 MiB, reads these as fast as it can while regions are killed, hang and come back, and prints a table
/// per phase and a verdict. Needs nothing but Rust: no Docker, no account, no network.
#[derive(Debug, Clone, Parser)]
#[command(name = "drill", version, after_long_help = help::after())]
pub(crate) struct Args {
    /// Which faults: names with commas in between, `all`, or `preflight`; see below [default: full; with --config none but yours]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = names())]
    scenario: Vec<String>,

    /// Where: S3 servers in this process, or real MinIO clusters that are started on this machine
    #[arg(long, value_enum, default_value_t = On::Embedded, conflicts_with = "config")]
    pub(crate) on: On,

    /// Whom to put to the test, one after the other on the same ground: `--client failover,haproxy,nginx`
    #[arg(long, value_name = "NAMES", value_enum, value_delimiter = ',', default_value = "failover", conflicts_with = "config")]
    client: Vec<Kind>,

    /// All clients that are installed, side by side; the store with `[hedge]`, as the others with all that their manuals offer
    #[arg(long, conflicts_with_all = ["config", "client"])]
    compare: bool,

    /// The largest of the objects, like 1MiB [default: 8MiB; with --on minio 2MiB]
    #[arg(long, value_name = "SIZE", value_parser = size, conflicts_with = "config")]
    pub(crate) largest: Option<u64>,

    /// With --on minio: lets the clusters ask each other for keys that they lack, which hides replication lag
    #[arg(long)]
    pub(crate) proxying: bool,

    /// How long each scenario runs [default: 32; 14 where there are several; with --defaults 240; with --config alone 120]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// How many regions are started, 2 to 16
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=16), conflicts_with = "config")]
    regions: u16,

    /// How many reads are under way at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,

    /// Replays the choice of objects and keys of the run that printed this seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Uses the store's shipped settings, or with --config the file's, instead of ones scaled to the length; takes about 4 min a scenario
    #[arg(long)]
    pub(crate) defaults: bool,

    /// What is expected, beside or instead of the scenario's own: `failed=0,rto<2s,extra_load<1.3`; see below
    #[arg(long, value_name = "LIST", value_parser = expect::parse)]
    expect: Option<Expectations>,

    /// Writes everything to FILE as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Writes the verdicts to FILE as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// Draws everything into FILE, one page for any browser
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// Reads from the regions of this TOML file instead (read-only) while you break them by hand, or --scenario does on our side of the wire
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// With --config: reads at most this much in all, like 500MiB or 2GiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size, requires = "config")]
    pub(crate) max_bytes: u64,

    /// With --config: writes 100 objects of 1 KiB to 1 MiB below object-store-failover-drill/SEED/ into each region, and deletes them
    #[arg(long, requires = "config")]
    pub(crate) seed_bucket: bool,
}

/// A name of its own, or clap takes each of them for a value of its own.
type Expectations = Vec<Expected>;

/// Where the drill plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum On {
    Embedded,
    Minio,
}

impl On {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Minio => "minio",
        }
    }
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
        if self.proxying && self.on != On::Minio {
            return Err("--proxying: it is MinIO that asks other clusters; add --on minio".into());
        }
        let seconds = self.length().as_secs();
        if self.defaults && seconds < LEAST_SECONDS_WITH_DEFAULTS {
            return Err(format!(
                "--seconds {seconds}: with --defaults a region is left alone for 30 to 60 s at a time; use --seconds {LEAST_SECONDS_WITH_DEFAULTS} or more, or leave out --defaults"
            ));
        }
        self.check_for(self.regions())?;
        if seconds < LEAST_SECONDS {
            return Err(format!(
                "--seconds {seconds}: circuits need time to open and to close again; use --seconds {LEAST_SECONDS} or more"
            ));
        }
        Ok(())
    }

    /// Whether what is asked can be played on so many regions; with `--config` that is known once the file was read.
    pub(crate) fn check_for(&self, regions: usize) -> Result<(), String> {
        let seconds = self.length().as_secs();
        let full = self.scenarios().iter().any(|scenario| scenario.name == FULL);
        if regions == 2 && full && seconds < LEAST_SECONDS_WITH_TWO_REGIONS {
            return Err(format!(
                "--seconds {seconds}: with two regions the first must be in use again before the second hangs; use --seconds {LEAST_SECONDS_WITH_TWO_REGIONS} or more"
            ));
        }
        Ok(())
    }

    /// What is to be played, in order. Empty with `--config` alone.
    pub(crate) fn scenarios(&self) -> Vec<&'static Scenario> {
        if self.scenario.is_empty() && self.config.is_none() {
            return Scenario::named(FULL).into_iter().collect();
        }
        if self.scenario.iter().any(|name| name == ALL) {
            return SCENARIOS.iter().filter(|scenario| scenario.name != FULL).collect();
        }
        self.scenario.iter().filter_map(|name| Scenario::named(name)).collect()
    }

    /// Whom to put to the test.
    pub(crate) fn clients(&self) -> Vec<Kind> {
        if self.compare { Kind::ALL.into_iter().filter(|kind| kind.check().is_ok()).collect() } else { self.client.clone() }
    }

    /// Whether the regions are to be looked at before anything is broken.
    pub(crate) fn preflight(&self) -> bool {
        self.scenario.iter().any(|name| name == PREFLIGHT)
    }

    pub(crate) fn length(&self) -> Duration {
        let usual = match (&self.config, self.defaults) {
            (Some(_), _) if self.scenario.is_empty() => SECONDS_WITH_CONFIG,
            (_, true) => SECONDS_WITH_DEFAULTS,
            _ if self.scenarios().len() > 1 => SECONDS_OF_MANY,
            _ => SECONDS,
        };
        Duration::from_secs(self.seconds.unwrap_or(usual))
    }

    pub(crate) fn expected(&self) -> Vec<Expected> {
        self.expect.clone().unwrap_or_default()
    }

    pub(crate) fn regions(&self) -> usize {
        self.regions.into()
    }

    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency.into()
    }
}

fn names() -> clap::builder::PossibleValuesParser {
    let names = SCENARIOS.iter().map(|scenario| scenario.name);
    clap::builder::PossibleValuesParser::new(names.chain([ALL, PREFLIGHT]))
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
