//! The report as plain data, for the tables, `--json`, `--junit` and `--html`.

mod comparison;
pub mod html;
mod junit;
pub(crate) mod output;
mod rows;
mod summary;
pub(crate) mod table;

use std::time::SystemTime;

use serde::Serialize;

pub(crate) use comparison::print as print_comparison;
pub(crate) use rows::{CircuitRow, FaultRow, PhaseRow, circuits, faults, phases};
pub(crate) use summary::print as print_summary;

use crate::args::Args;
use crate::evaluation::{Evaluated, Outcome};
use crate::preflight::Preflight;
use crate::runner::timeline::Timeline;
use crate::tuning::Settings;

/// The report of one command.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) version: &'static str,
    /// The environment: `embedded`, `minio` or `config`.
    pub(crate) on: &'static str,
    pub(crate) client: String,
    pub(crate) seed: u64,
    /// Calendar time as RFC 3339.
    pub(crate) started: String,
    /// Only with `--scenario preflight`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preflight: Option<Preflight>,
    /// Whether the command was interrupted.
    pub(crate) interrupted: bool,
    pub(crate) runs: Vec<RunReport>,
}

/// One scenario, run or skipped.
#[derive(Debug, Serialize)]
pub(crate) struct RunReport {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) outcome: Outcome,
    pub(crate) skipped_because: Option<String>,
    pub(crate) phases: Vec<PhaseRow>,
    pub(crate) faults: Vec<FaultRow>,
    pub(crate) circuits: Vec<CircuitRow>,
    pub(crate) measures: Vec<Evaluated>,
    /// The first reads that broke a bound, with the line of their error.
    pub(crate) broken_by: Vec<String>,
    /// The first failed reads of a total outage.
    pub(crate) excused: Vec<String>,
    /// Bytes that the readers read, or that left the regions if this is known and more.
    pub(crate) bytes_read: u64,
    /// Whether `--max-bytes` was used up before the end of the last phase.
    pub(crate) ended_early: bool,
    pub(crate) timeline: Timeline,
}

/// The parameters of a run, printed first.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Head {
    /// The name, with `/CLIENT` for another client than the store.
    pub(crate) scenario: String,
    pub(crate) client: &'static str,
    /// Name and version of another client.
    pub(crate) program: Option<String>,
    pub(crate) does: String,
    pub(crate) expects: &'static str,
    pub(crate) seed: u64,
    pub(crate) seconds: f64,
    pub(crate) regions: Vec<String>,
    pub(crate) concurrency: usize,
    pub(crate) objects: usize,
    pub(crate) object_bytes: u64,
    /// Only with `--config`.
    pub(crate) max_bytes: Option<u64>,
    /// `None` if the settings of the file apply.
    pub(crate) settings: Option<Settings>,
}

impl Report {
    /// A report without runs.
    pub(crate) fn new(args: &Args, seed: u64) -> Self {
        let on = if args.config.is_some() {
            "config"
        } else {
            args.on.name()
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            on,
            client: args
                .clients()
                .iter()
                .map(|kind| kind.name())
                .collect::<Vec<_>>()
                .join(", "),
            seed,
            started: now_rfc3339(),
            preflight: None,
            interrupted: false,
            runs: Vec::new(),
        }
    }
}

impl RunReport {
    /// A scenario that was skipped.
    pub(crate) fn skipped(head: Head, why: String) -> Self {
        let (phases, faults, circuits, measures) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self {
            head,
            outcome: Outcome::Skipped,
            skipped_because: Some(why),
            phases,
            faults,
            circuits,
            measures,
            broken_by: Vec::new(),
            excused: Vec::new(),
            bytes_read: 0,
            ended_early: false,
            timeline: Timeline::default(),
        }
    }

    /// A measure as text; `-` without a value.
    pub(crate) fn measured(&self, name: &str) -> &str {
        self.measures
            .iter()
            .find(|evaluated| evaluated.name == name && evaluated.value.is_some())
            .map_or("-", |evaluated| &evaluated.measured)
    }
}

fn now_rfc3339() -> String {
    let now = chrono::DateTime::<chrono::Utc>::from(SystemTime::now());
    now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
