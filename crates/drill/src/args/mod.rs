//! The command line, and the checks that clap cannot express.

mod help;

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};

use crate::clients::ClientKind;
use crate::evaluation::expect::{self, Expected};
use crate::scenario::{PREFLIGHT, SCENARIOS, Scenario};

/// Shorter runs leave no time for a circuit to open, close and ramp up again.
const LEAST_SECONDS: u64 = 8;
/// With two regions, the first must be in use again before the second hangs; last-resort attempts
/// are made once a second.
const LEAST_SECONDS_WITH_TWO_REGIONS: u64 = 20;
/// With the defaults a circuit stays open for up to 60 s.
const LEAST_SECONDS_WITH_DEFAULTS: u64 = 200;
const SECONDS: u64 = 32;
/// Per scenario, where several run.
const SECONDS_OF_MANY: u64 = 14;
pub(crate) const SECONDS_WITH_DEFAULTS: u64 = 240;
const SECONDS_WITH_CONFIG: u64 = 120;
/// Every scenario except `full`.
const ALL: &str = "all";
/// The default scenario.
pub(crate) const FULL: &str = "full";

/// Injects faults into S3 regions while reading through a FailoverStore, and evaluates the reads.
///
/// Starts S3 servers in this process (real HTTP and signatures, on 127.0.0.1, on ports that the
/// system chooses), fills them with the same objects of 1 KiB to 8 MiB, reads these as fast as
/// possible while regions are killed, hang and return, and prints a table per phase and a verdict.
/// Needs no Docker, no account and no network.
#[derive(Debug, Clone, Parser)]
#[command(name = "failover-drill", version, after_long_help = help::after())]
pub struct Args {
    /// Scenarios, separated by commas, or `all`, or `preflight`; see below [default: full; with
    /// --config none: faults are injected manually]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = names())]
    scenario: Vec<String>,

    /// The environment: S3 servers in this process, or MinIO clusters started on this machine
    #[arg(long, value_enum, default_value_t = On::Embedded, conflicts_with = "config")]
    pub(crate) on: On,

    /// Clients under test, one after the other: `--client failover,haproxy,nginx`
    #[arg(
        long,
        value_name = "NAMES",
        value_enum,
        value_delimiter = ',',
        default_value = "failover",
        conflicts_with = "config"
    )]
    client: Vec<ClientKind>,

    /// Compares all installed clients; the store runs with `[hedge]` and `silence`
    #[arg(long, conflicts_with_all = ["config", "client"])]
    compare: bool,

    /// Size of the largest object, such as 1MiB [default: 8MiB; with --on minio 2MiB]
    #[arg(long, value_name = "SIZE", value_parser = size, conflicts_with = "config")]
    pub(crate) largest: Option<u64>,

    /// With --on minio: clusters fetch missing keys from each other, which hides replication lag
    #[arg(long)]
    pub(crate) proxying: bool,

    /// Duration of each scenario in seconds [default: 32; 14 for several scenarios; 240 with
    /// --defaults; 120 with --config and no scenario]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// Number of regions to start, 2 to 16
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        value_parser = clap::value_parser!(u16).range(1..=16),
        conflicts_with = "config"
    )]
    regions: u16,

    /// Number of concurrent readers
    #[arg(
        long,
        value_name = "N",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..=1024)
    )]
    concurrency: u16,

    /// Repeats the choice of objects and keys of the run that printed this seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Uses the store's default settings, or those of the --config file, without scaling them to
    /// the duration; takes about 4 min a scenario
    #[arg(long)]
    pub(crate) defaults: bool,

    /// Bounds that replace or extend those of the scenario: `failed=0,rto<2s,extra_load<1.3`; see
    /// below
    #[arg(long, value_name = "LIST", value_parser = expect::parse)]
    expect: Option<Expectations>,

    /// Writes the whole report to FILE as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Writes the verdicts to FILE as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// Writes the report with charts to FILE, one HTML page without external resources
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// Reads from the regions of this TOML file (read-only); faults are injected manually, or by
    /// --scenario on the client's side of the network
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// With --config: the most bytes to read in total, such as 500MiB or 2GiB
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "1GiB",
        value_parser = size,
        requires = "config"
    )]
    pub(crate) max_bytes: u64,

    /// With --config: writes 100 objects of 1 KiB to 1 MiB below object-store-failover-drill/SEED/
    /// to each region, and deletes them at the end
    #[arg(long, requires = "config")]
    pub(crate) seed_bucket: bool,
}

/// An alias, because clap would parse a plain `Vec` as one value per element.
type Expectations = Vec<Expected>;

/// The environment of `--on`.
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
    /// Parses the arguments of this process. On an error it prints one line to stderr and ends the
    /// process with exit code 2.
    pub fn read() -> Self {
        let args = Self::parse();
        if let Err(why) = args.check() {
            Self::command()
                .error(ErrorKind::ValueValidation, why)
                .exit();
        }
        args
    }

    fn check(&self) -> Result<(), String> {
        if self.regions < 2 {
            return Err("--regions 1: failover needs two regions; use --regions 2 or more".into());
        }
        if self.proxying && self.on != On::Minio {
            return Err(
                "--proxying: only MinIO fetches keys from other clusters; add --on minio".into(),
            );
        }
        let seconds = self.length().as_secs();
        if self.defaults && seconds < LEAST_SECONDS_WITH_DEFAULTS {
            return Err(format!(
                "--seconds {seconds}: with --defaults a circuit stays open for 30 to 60 s; use \
                 --seconds {LEAST_SECONDS_WITH_DEFAULTS} or more, or omit --defaults"
            ));
        }
        self.check_for(self.regions())?;
        if seconds < LEAST_SECONDS {
            return Err(format!(
                "--seconds {seconds}: circuits need time to open and to close; use --seconds \
                 {LEAST_SECONDS} or more"
            ));
        }
        Ok(())
    }

    /// Checks the duration against the number of regions, which `--config` determines only after
    /// the file is read.
    pub(crate) fn check_for(&self, regions: usize) -> Result<(), String> {
        let seconds = self.length().as_secs();
        let full = self
            .scenarios()
            .iter()
            .any(|scenario| scenario.name == FULL);
        if regions == 2 && full && seconds < LEAST_SECONDS_WITH_TWO_REGIONS {
            return Err(format!(
                "--seconds {seconds}: with two regions the first must be in use again before the \
                 second hangs; use --seconds {LEAST_SECONDS_WITH_TWO_REGIONS} or more"
            ));
        }
        Ok(())
    }

    /// The scenarios in order. Empty with `--config` alone.
    pub(crate) fn scenarios(&self) -> Vec<&'static Scenario> {
        if self.scenario.is_empty() && self.config.is_none() {
            return Scenario::named(FULL).into_iter().collect();
        }
        if self.scenario.iter().any(|name| name == ALL) {
            return SCENARIOS
                .iter()
                .filter(|scenario| scenario.name != FULL)
                .collect();
        }
        self.scenario
            .iter()
            .filter_map(|name| Scenario::named(name))
            .collect()
    }

    /// The clients under test.
    pub(crate) fn clients(&self) -> Vec<ClientKind> {
        if self.compare {
            ClientKind::ALL
                .into_iter()
                .filter(|kind| kind.check().is_ok())
                .collect()
        } else {
            self.client.clone()
        }
    }

    /// Whether to check the regions before the first fault.
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

/// Parses a number of bytes, with or without a unit.
fn size(text: &str) -> Result<u64, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
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
        _ => return Err("expected a number and a unit: 500MiB, 2GiB, 1000000".into()),
    };
    let bytes = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "expected a number above 0 and a unit: 500MiB, 2GiB".into())
}
