//! The runs as plain data: the tables print it, `--json`, `--junit` and `--html` write it.

mod comparison;
mod html;
mod junit;
pub(crate) mod output;
mod rows;
mod summary;
pub(crate) mod table;

use serde::Serialize;

pub(crate) use comparison::print as print_comparison;
pub(crate) use rows::{CircuitRow, FaultRow, PhaseRow, circuits, faults, phases};
pub(crate) use summary::print as print_summary;

use crate::args::Args;
use crate::clock::calendar;
use crate::play::timeline::Timeline;
use crate::preflight::Preflight;
use crate::tuning::Settings;
use crate::verdict::{Judged, Outcome};

/// Everything that was run by one command.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) version: &'static str,
    /// The ground: embedded, minio, config.
    pub(crate) on: &'static str,
    pub(crate) client: String,
    pub(crate) seed: u64,
    /// Calendar time, RFC 3339.
    pub(crate) started: String,
    /// None where nobody asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preflight: Option<Preflight>,
    /// Somebody ended it, during a run or in between.
    pub(crate) interrupted: bool,
    pub(crate) runs: Vec<RunReport>,
}

/// One scenario, played or not.
#[derive(Debug, Serialize)]
pub(crate) struct RunReport {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) outcome: Outcome,
    pub(crate) skipped_because: Option<String>,
    pub(crate) phases: Vec<PhaseRow>,
    pub(crate) faults: Vec<FaultRow>,
    pub(crate) circuits: Vec<CircuitRow>,
    pub(crate) measures: Vec<Judged>,
    /// The first reads that broke a promise, with the whole line of their error.
    pub(crate) broken_by: Vec<String>,
    /// The first of the failed reads that met a total outage.
    pub(crate) excused: Vec<String>,
    /// What the readers read, or what left the regions if that is known and more.
    pub(crate) bytes_read: u64,
    /// `--max-bytes` was read before the last phase had come to its end.
    pub(crate) ended_early: bool,
    pub(crate) timeline: Timeline,
}

/// What was run: printed first.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Head {
    /// Its name, and behind a `/` whose it is, where it is another client's.
    pub(crate) scenario: String,
    pub(crate) client: &'static str,
    /// The program and its version, where it is another client.
    pub(crate) program: Option<String>,
    pub(crate) does: String,
    pub(crate) expects: &'static str,
    pub(crate) seed: u64,
    pub(crate) seconds: f64,
    pub(crate) regions: Vec<String>,
    pub(crate) concurrency: usize,
    pub(crate) objects: usize,
    pub(crate) object_bytes: u64,
    /// What may be read, where the regions are not ours.
    pub(crate) max_bytes: Option<u64>,
    /// Not known where the settings are in a file of the user's.
    pub(crate) settings: Option<Settings>,
}

impl Report {
    /// Of runs that are about to begin.
    pub(crate) fn new(args: &Args, seed: u64) -> Self {
        let on = if args.config.is_some() { "config" } else { args.on.name() };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            on,
            client: args.clients().iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "),
            seed,
            started: calendar(),
            preflight: None,
            interrupted: false,
            runs: Vec::new(),
        }
    }
}

impl RunReport {
    /// One that was not played.
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

    /// The measured figure of this name, as it is shown.
    pub(crate) fn measured(&self, name: &str) -> &str {
        self.measures.iter().find(|judged| judged.name == name && judged.value.is_some()).map_or("-", |judged| &judged.measured)
    }
}

/// A span of time with its unit.
pub(crate) fn time(ms: f64) -> String {
    match ms {
        ms if ms >= 1000.0 && ms % 1000.0 == 0.0 => format!("{:.0} s", ms / 1000.0),
        ms if ms >= 1000.0 => format!("{:.2} s", ms / 1000.0),
        ms if ms >= 10.0 => format!("{ms:.0} ms"),
        ms => format!("{ms:.1} ms"),
    }
}
