//! A drill: S3 regions are broken while a `FailoverStore` is read, and the reads must not notice.
//!
//! `cargo run --release --example drill`; `-- --help` says what else it can do. It is what a newcomer runs first, to see a region
//! die without a failed read, and what an operator keeps, to see the same on MinIO (`--on minio`) and on their own clusters
//! (`--config`).

mod args;
mod clients;
mod clock;
mod ground;
mod interrupt;
mod load;
mod minio;
mod play;
mod preflight;
mod prepare;
#[path = "../../tests/support/proxy/mod.rs"]
mod proxy;
mod report;
mod run;
#[path = "../../tests/support/s3/mod.rs"]
mod s3;
mod scenario;
mod tuning;
mod verdict;

use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::args::Args;
use crate::clients::Kind;
use crate::ground::theirs::Theirs;
use crate::interrupt::interrupted;
use crate::prepare::Skipped;
use crate::report::output::Outputs;
use crate::report::{Report, RunReport, print_comparison, print_summary, table};
use crate::run::Run;
use crate::scenario::Scenario;
use crate::verdict::Outcome;

const BAD_USAGE: u8 = 2;
/// As a shell tells of a process that SIGINT ended.
const INTERRUPTED: u8 = 130;
/// How long the servers' tasks may take to end: nothing of them is needed any more.
const SERVERS_END: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let args = Args::read();
    match drill(&args) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(BAD_USAGE)
        }
    }
}

fn drill(args: &Args) -> Result<ExitCode, String> {
    // Before the runs, not after them: a path that cannot be written should not cost minutes.
    let outputs = Outputs::open(args)?;
    verdict::missing::record()?;
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("s3-server").enable_all().build();
    let servers = servers.map_err(|error| format!("no threads for the servers: {error}"))?;
    let readers = Runtime::new().map_err(|error| format!("no threads for the readers: {error}"))?;
    let mut report = Report::new(args, seed(args));
    let done = readers.block_on(runs(args, &servers, &mut report));
    servers.shutdown_timeout(SERVERS_END);
    if report.runs.len() > 1 {
        print_summary(&report);
    }
    if args.clients().len() > 1 {
        print_comparison(&report);
    }
    // What was played before something went wrong is not lost with it.
    outputs.write(&report)?;
    done?;
    Ok(code(&report))
}

/// Looks at the regions, if that was asked for, and plays every scenario, until somebody interrupts it.
async fn runs(args: &Args, servers: &Runtime, report: &mut Report) -> Result<(), String> {
    if args.preflight() {
        let look = prepare::preflight(args, servers.handle(), report.seed).await?;
        preflight::print(&look);
        if !report.preflight.insert(look).passes() {
            return Ok(());
        }
    }
    let clients = args.clients();
    clients.iter().try_for_each(|kind| kind.check())?;
    let scenarios = prepare::scenarios(args);
    let mut theirs = match &args.config {
        Some(file) if !scenarios.is_empty() => Some(Theirs::open(args, file, &scenarios, servers.handle(), report.seed).await?),
        _ => None,
    };
    let of_each = |scenario| clients.iter().map(move |kind| (scenario, *kind));
    let all: Vec<_> = scenarios.into_iter().flat_map(of_each).collect();
    let played = play_all(args, &all, theirs.as_mut(), servers, report).await;
    let ended = match theirs {
        Some(theirs) => theirs.end().await,
        None => Ok(()),
    };
    played.and(ended)
}

async fn play_all(
    args: &Args,
    all: &[(&'static Scenario, Kind)],
    mut theirs: Option<&mut Theirs>,
    servers: &Runtime,
    report: &mut Report,
) -> Result<(), String> {
    let mut interrupt = pin!(interrupted());
    if let Some(theirs) = theirs.as_deref_mut() {
        tokio::select! {
            prepared = theirs.prepare(args, report.seed) => prepared?,
            () = &mut interrupt => report.interrupted = true,
        }
    }
    for (scenario, kind) in all {
        if report.interrupted {
            break;
        }
        // What was being started ends with its future.
        let run = tokio::select! {
            run = prepare::run(args, scenario, *kind, theirs.as_deref(), servers.handle(), report.seed) => run?,
            () = &mut interrupt => {
                report.interrupted = true;
                break;
            }
        };
        let run = play(run).await;
        // Of many, those tell everything that went wrong.
        match run.outcome {
            Outcome::Skipped => {}
            _ if *kind != Kind::Failover => println!("{}: played\n", run.head.scenario),
            Outcome::Holds if all.len() > 1 => println!("{}: the verdict HOLDS\n", run.head.scenario),
            _ => table::print(&run),
        }
        if let Some(theirs) = theirs.as_deref_mut().filter(|_| run.outcome != Outcome::Skipped) {
            theirs.on_played(run.bytes_read);
        }
        report.interrupted = run.outcome == Outcome::Interrupted;
        report.runs.push(run);
    }
    Ok(())
}

async fn play(run: Result<Run, Skipped>) -> RunReport {
    match run {
        Ok(run) => {
            table::print_head(&run.head);
            run.perform().await
        }
        Err((head, why)) => {
            println!("{}: skipped: {why}", head.scenario);
            RunReport::skipped(*head, why)
        }
    }
}

fn code(report: &Report) -> ExitCode {
    // Other clients are measured; the verdict is about the store, if it was there.
    let is_peer = |run: &RunReport| run.head.client != Kind::Failover.name();
    let all_peers = report.runs.iter().all(is_peer);
    let judged: Vec<_> = report.runs.iter().filter(|run| all_peers || !is_peer(run)).collect();
    let any = |outcome: Outcome| judged.iter().any(|run| run.outcome == outcome);
    let nothing_played = report.preflight.is_none() && judged.iter().all(|run| run.outcome == Outcome::Skipped);
    let unfit = report.preflight.as_ref().is_some_and(|look| !look.passes());
    if report.interrupted {
        ExitCode::from(INTERRUPTED)
    } else if any(Outcome::Broken) || any(Outcome::NotProven) || nothing_played || unfit {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The seed that was asked for, or one that the system's own hash keys decide; short enough to be typed again.
fn seed(args: &Args) -> u64 {
    args.seed.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()) & 0xffff_ffff)
}
