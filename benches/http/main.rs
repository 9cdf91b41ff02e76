//! What a client costs on a healthy day: real HTTP on loopback, each client against plain object_store in the same minutes.
//!
//! `cargo bench --bench http` takes about 23 minutes; `-- --only 1KiB:16` measures one load, `-- --quick` only looks whether it runs.
//! Targets are printed, met or missed; the exit code is 1 only where a read has failed or something could not be started.

#![allow(clippy::allow_attributes, clippy::unwrap_used, reason = "a bench that panics has failed")]

mod args;
#[allow(dead_code, reason = "the drill uses all of it")]
#[path = "../../examples/drill/clients/mod.rs"]
mod clients;
#[allow(dead_code, reason = "the drill uses all of it")]
#[path = "../../examples/drill/clock.rs"]
mod clock;
#[path = "../../examples/drill/interrupt.rs"]
mod interrupt;
mod report;
#[allow(dead_code, reason = "the two benches use a part of it each")]
#[path = "../rig/mod.rs"]
mod rig;
mod rounds;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::{Args, Cell, Scale};
use crate::report::Row;
use crate::rig::clients::{Client, Settings, Way};
use crate::rig::regions::Regions;
use crate::rounds::Rounds;

/// The first is the A/A row.
const ROWS: [Way; 6] = [Way::Direct, Way::InTurn, Way::Failover, Way::Hedged, Way::Haproxy, Way::Nginx];

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.serving.serve() {
        Some(served) => served.map(|()| true).map_err(|error| error.to_string()),
        None => measure_all(&args),
    };
    match done {
        Ok(well) => ExitCode::from(u8::from(!well)),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn measure_all(args: &Args) -> Result<bool, String> {
    tokio::select! {
        done = measure(args) => done,
        () = interrupt::interrupted() => Err("interrupted".to_owned()),
    }
}

async fn measure(args: &Args) -> Result<bool, String> {
    let ways = present(&args.ways());
    let regions = Regions::together().await?;
    report::explain(args);
    let steps: usize = args.cells().iter().map(|cell| ways.len() * args.scale(*cell).rounds).sum();
    let bar = ProgressBar::new(steps as u64);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} rounds, {eta} left, {msg}").unwrap());
    let mut rows = Vec::new();
    for cell in args.cells() {
        bar.suspend(|| report::head(cell));
        for way in &ways {
            bar.set_message(format!("{cell} {}", way.name()));
            let rounds = row(&regions, cell, *way, args.scale(cell), &bar).await?;
            let row = Row { cell, way: *way, rounds };
            bar.suspend(|| row.print());
            rows.push(row);
        }
    }
    bar.finish_and_clear();
    report::targets(&rows);
    if let Some(file) = &args.json {
        std::fs::write(file, report::json(&rows)).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(rows.iter().all(|row| row.rounds.failed() == 0))
}

/// Those of them whose program is there.
fn present(ways: &[Way]) -> Vec<Way> {
    let there = |way: &&Way| way.check().map_err(|why| println!("skipped: {why}")).is_ok();
    ways.iter().filter(there).copied().collect()
}

async fn row(regions: &Regions, cell: Cell, way: Way, scale: Scale, bar: &ProgressBar) -> Result<Rounds, String> {
    let shared = regions.shared();
    let settings = Settings::shipped();
    let direct = Arc::new(Client::start(Way::Direct, &shared, &settings).await?);
    let other = Arc::new(Client::start(way, &shared, &settings).await?);
    Ok(Rounds::play(&direct, &other, cell, scale, || bar.inc(1)).await)
}
