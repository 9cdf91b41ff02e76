//! What a dying and a hanging region cost the readers of each client: real HTTP on loopback, regions as processes that are killed and
//! stopped under load.
//!
//! `cargo bench --bench outage` takes about 19 minutes; `-- --only killed --clients failover,nginx` runs a part, `-- --quick` only looks
//! whether it runs. Targets are printed, met or missed; the exit code is 1 only where something could not be started.

#![allow(clippy::allow_attributes, clippy::unwrap_used, reason = "a bench that panics has failed")]

mod args;
#[allow(dead_code, reason = "the drill uses all of it")]
#[path = "../../examples/drill/clients/mod.rs"]
mod clients;
#[allow(dead_code, reason = "the drill uses all of it")]
#[path = "../../examples/drill/clock.rs"]
mod clock;
mod figures;
#[path = "../../examples/drill/interrupt.rs"]
mod interrupt;
mod report;
#[allow(dead_code, reason = "the two benches use a part of it each")]
#[path = "../rig/mod.rs"]
mod rig;
mod scenario;

use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Args;
use crate::figures::Figures;
use crate::report::Row;
use crate::rig::clients::Way;
use crate::scenario::{Scenario, Times};

const ROWS: [Way; 6] = [Way::Failover, Way::Hedged, Way::Direct, Way::DirectTight, Way::Haproxy, Way::Nginx];

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.serving.serve() {
        Some(served) => served.map_err(|error| error.to_string()),
        None => measure_all(&args),
    };
    match done {
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
        done = measure(args) => done,
        () = interrupt::interrupted() => Err("interrupted".to_owned()),
    }
}

async fn measure(args: &Args) -> Result<(), String> {
    let there = |way: &Way| way.check().map_err(|why| println!("skipped: {why}")).is_ok();
    let ways: Vec<_> = args.ways().into_iter().filter(there).collect();
    let (times, scenarios) = (args.times(), args.scenarios());
    report::explain(args, &times);
    let bar = ProgressBar::new(times.whole.as_secs() * (ways.len() * (scenarios.len() + 1)) as u64);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} s, {msg}").unwrap());
    let mut rows = Vec::new();
    for way in ways {
        rows.extend(client(way, &scenarios, &times, &bar).await?);
    }
    bar.finish_and_clear();
    report::targets(&rows);
    match &args.json {
        Some(file) => std::fs::write(file, report::json(&rows)).map_err(|error| format!("{}: {error}", file.display())),
        None => Ok(()),
    }
}

/// One client: a healthy time first, then each scenario, all with regions and connections of their own.
async fn client(way: Way, scenarios: &[Scenario], times: &Times, bar: &ProgressBar) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for scenario in [Scenario::Healthy].iter().chain(scenarios) {
        bar.set_message(format!("{} {}", way.name(), scenario.name()));
        let (seen, hedges) = scenario::play(way, *scenario, times, bar).await?;
        let healthy = rows.first().map(|row| &row.figures);
        let figures = Figures::of(&seen.reads, seen.lasted, healthy);
        let back = u32::try_from(times.until.as_micros()).unwrap_or(u32::MAX);
        let after: Vec<_> = seen.reads.iter().filter(|read| read.began >= back).copied().collect();
        let after = (*scenario != Scenario::Healthy).then(|| Figures::of(&after, seen.lasted - times.until, healthy));
        let row = Row {
            way,
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
