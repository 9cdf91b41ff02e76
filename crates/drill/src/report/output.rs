//! The files of `--json`, `--junit` and `--html`.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use super::junit::{Case, junit};
use super::{Report, RunReport, html};
use crate::args::Args;
use crate::evaluation::{Held, Outcome};
use crate::preflight::Preflight;
use crate::scenario::PREFLIGHT;

/// Opened before the first run, written after the last.
pub(crate) struct Outputs {
    json: Option<(PathBuf, File)>,
    junit: Option<(PathBuf, File)>,
    html: Option<(PathBuf, File)>,
}

impl Outputs {
    pub(crate) fn open(args: &Args) -> Result<Self, String> {
        let (json, junit) = (
            open("--json", args.json.as_ref())?,
            open("--junit", args.junit.as_ref())?,
        );
        Ok(Self {
            json,
            junit,
            html: open("--html", args.html.as_ref())?,
        })
    }

    pub(crate) fn write(self, report: &Report) -> Result<(), String> {
        if let Some(output) = self.json {
            let text = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
            write(output, &text)?;
        }
        if let Some(output) = self.junit {
            write(output, &junit_document(report))?;
        }
        if let Some(output) = self.html {
            write(
                output,
                &html::html(report).map_err(|error| error.to_string())?,
            )?;
        }
        Ok(())
    }
}

fn junit_document(report: &Report) -> String {
    let reasons: Vec<_> = report.runs.iter().map(reasons).collect();
    let fails: Vec<_> = report.preflight.iter().flat_map(Preflight::fails).collect();
    let outcome = if fails.is_empty() {
        Outcome::Holds
    } else {
        Outcome::Broken
    };
    let preflight = report.preflight.iter().map(|_| Case {
        name: PREFLIGHT,
        seconds: 0.0,
        outcome,
        reasons: &fails,
    });
    let case = |(run, reasons)| {
        let RunReport { head, outcome, .. }: &RunReport = run;
        let reasons: &Vec<String> = reasons;
        Case {
            name: &head.scenario,
            seconds: head.seconds,
            outcome: *outcome,
            reasons,
        }
    };
    let cases: Vec<_> = preflight
        .chain(report.runs.iter().zip(&reasons).map(case))
        .collect();
    junit(&report.started, &cases)
}

/// The broken bounds, and the reads that broke them.
fn reasons(run: &RunReport) -> Vec<String> {
    let broken = run
        .measures
        .iter()
        .filter(|evaluated| matches!(evaluated.held, Some(Held::Failed | Held::NotProven)));
    let broken = broken.map(|evaluated| {
        format!(
            "{}: {}, expected {}",
            evaluated.name,
            evaluated.measured,
            evaluated.expected.as_deref().unwrap_or("")
        )
    });
    let early = run
        .ended_early
        .then(|| "ended early: --max-bytes is used up".to_owned());
    run.skipped_because
        .iter()
        .cloned()
        .chain(early)
        .chain(broken)
        .chain(run.broken_by.iter().cloned())
        .collect()
}

fn open(option: &str, path: Option<&PathBuf>) -> Result<Option<(PathBuf, File)>, String> {
    let open = |path: &PathBuf| {
        let file =
            File::create(path).map_err(|error| format!("{option} {}: {error}", path.display()))?;
        Ok((path.clone(), file))
    };
    path.map(open).transpose()
}

fn write((path, mut file): (PathBuf, File), text: &str) -> Result<(), String> {
    file.write_all(text.as_bytes())
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}
