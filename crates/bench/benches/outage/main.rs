//! The cost of a killed and a hanging region for each client: real HTTP on loopback, regions as
//! processes that are killed and stopped under load.
//!
//! `cargo bench -p failover-bench --bench outage` takes about 19 min; `-- --only killed --clients
//! failover,nginx` measures a part, `-- --quick` tests that the bench runs. Prints whether each
//! target is met. The exit code is 1 only if something could not be started.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "a panic fails the bench"
)]

mod args;
mod figures;
mod report;
mod scenario;

use std::process::ExitCode;

use clap::Parser;
use failover_bench::clients::Candidate;
use failover_drill::interrupt::interrupted;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Args;
use crate::figures::Figures;
use crate::report::Row;
use crate::scenario::{Scenario, Times};

const ROWS: [Candidate; 6] = [
    Candidate::Failover,
    Candidate::Hedged,
    Candidate::Direct,
    Candidate::DirectTight,
    Candidate::Haproxy,
    Candidate::Nginx,
];

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match args.serving.serve() {
        Some(served) => served.map_err(|error| error.to_string()),
        None => measure_all(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn measure_all(args: &Args) -> Result<(), String> {
    tokio::select! {
        result = measure(args) => result,
        () = interrupted() => Err("interrupted".to_owned()),
    }
}

async fn measure(args: &Args) -> Result<(), String> {
    let is_installed = |candidate: &Candidate| {
        candidate
            .check()
            .map_err(|why| println!("skipped: {why}"))
            .is_ok()
    };
    let candidates: Vec<_> = args.candidates().into_iter().filter(is_installed).collect();
    let (times, scenarios) = (args.times(), args.scenarios());
    report::explain(args, &times);
    let bar =
        ProgressBar::new(times.whole.as_secs() * (candidates.len() * (scenarios.len() + 1)) as u64);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} s, {msg}").unwrap());
    let mut rows = Vec::new();
    for candidate in candidates {
        rows.extend(measure_client(candidate, &scenarios, &times, &bar).await?);
    }
    bar.finish_and_clear();
    report::targets(&rows);
    match &args.json {
        Some(file) => std::fs::write(file, report::json(&rows))
            .map_err(|error| format!("{}: {error}", file.display())),
        None => Ok(()),
    }
}

/// One client: a healthy period, then each scenario, all with new regions and connections.
async fn measure_client(
    candidate: Candidate,
    scenarios: &[Scenario],
    times: &Times,
    bar: &ProgressBar,
) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for scenario in [Scenario::Healthy].iter().chain(scenarios) {
        bar.set_message(format!("{} {}", candidate.name(), scenario.name()));
        let (seen, hedges) = scenario::run(candidate, *scenario, times, bar).await?;
        let healthy = rows.first().map(|row| &row.figures);
        let figures = Figures::of(&seen.reads, seen.lasted, healthy);
        let back = u32::try_from(times.until.as_micros()).unwrap_or(u32::MAX);
        let after: Vec<_> = seen
            .reads
            .iter()
            .filter(|read| read.started_at >= back)
            .copied()
            .collect();
        let after = (*scenario != Scenario::Healthy)
            .then(|| Figures::of(&after, seen.lasted - times.until, healthy));
        let row = Row {
            candidate,
            scenario: *scenario,
            figures,
            after,
            by_second: figures::by_second(&seen.reads),
            hedges,
            first_error: seen.first_error,
        };
        bar.suspend(|| row.print());
        rows.push(row);
    }
    Ok(rows)
}
