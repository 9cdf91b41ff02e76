//! The cost of each client without faults: real HTTP on loopback, each client alternating with
//! plain `object_store`.
//!
//! `cargo bench -p failover-bench --bench http` takes about 23 min; `-- --only 1KiB:16` measures
//! one load, `-- --quick` tests that the bench runs. Prints whether each target is met. The exit
//! code is 1 only if a read failed or something could not be started.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "a panic fails the bench"
)]

mod args;
mod report;
mod rounds;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use failover_bench::clients::{Candidate, Client, Settings};
use failover_bench::regions::Regions;
use failover_drill::interrupt::interrupted;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::{Args, Cell, Scale};
use crate::report::Row;
use crate::rounds::Rounds;

/// The first measures noise: direct against direct.
const ROWS: [Candidate; 6] = [
    Candidate::Direct,
    Candidate::InTurn,
    Candidate::Failover,
    Candidate::Hedged,
    Candidate::Haproxy,
    Candidate::Nginx,
];

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match args.serving.serve() {
        Some(served) => served.map(|()| true).map_err(|error| error.to_string()),
        None => measure_all(&args),
    };
    match result {
        Ok(all_read) => ExitCode::from(u8::from(!all_read)),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn measure_all(args: &Args) -> Result<bool, String> {
    tokio::select! {
        result = measure(args) => result,
        () = interrupted() => Err("interrupted".to_owned()),
    }
}

async fn measure(args: &Args) -> Result<bool, String> {
    let candidates = installed(&args.candidates());
    let regions = Regions::together().await?;
    report::explain(args);
    let steps: usize = args
        .cells()
        .iter()
        .map(|cell| candidates.len() * args.scale(*cell).rounds)
        .sum();
    let bar = ProgressBar::new(steps as u64);
    bar.set_style(
        ProgressStyle::with_template("{wide_bar} {pos}/{len} rounds, {eta} left, {msg}").unwrap(),
    );
    let mut rows = Vec::new();
    for cell in args.cells() {
        bar.suspend(|| report::head(cell));
        for candidate in &candidates {
            bar.set_message(format!("{cell} {}", candidate.name()));
            let rounds = row(&regions, cell, *candidate, args.scale(cell), &bar).await?;
            let row = Row {
                cell,
                candidate: *candidate,
                rounds,
            };
            bar.suspend(|| row.print());
            rows.push(row);
        }
    }
    bar.finish_and_clear();
    report::targets(&rows);
    if let Some(file) = &args.json {
        std::fs::write(file, report::json(&rows))
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(rows.iter().all(|row| row.rounds.failed() == 0))
}

/// The clients whose program is installed.
fn installed(candidates: &[Candidate]) -> Vec<Candidate> {
    let is_installed = |candidate: &&Candidate| {
        candidate
            .check()
            .map_err(|why| println!("skipped: {why}"))
            .is_ok()
    };
    candidates.iter().filter(is_installed).copied().collect()
}

async fn row(
    regions: &Regions,
    cell: Cell,
    candidate: Candidate,
    scale: Scale,
    bar: &ProgressBar,
) -> Result<Rounds, String> {
    let shared = regions.shared();
    let settings = Settings::defaults();
    let direct = Arc::new(Client::start(Candidate::Direct, &shared, &settings).await?);
    let other = Arc::new(Client::start(candidate, &shared, &settings).await?);
    Ok(Rounds::measure(&direct, &other, cell, scale, || bar.inc(1)).await)
}
