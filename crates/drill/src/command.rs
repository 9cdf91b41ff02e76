//! The command: every scenario of the arguments, one after the other, and the exit code.

use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::args::Args;
use crate::clients::ClientKind;
use crate::environment::existing::ExistingRegions;
use crate::evaluation::{Outcome, not_found};
use crate::interrupt::interrupted;
use crate::preflight;
use crate::prepare::{self, Skipped};
use crate::report::output::Outputs;
use crate::report::{Report, RunReport, print_comparison, print_summary, table};
use crate::run::Run;
use crate::scenario::Scenario;

const BAD_USAGE: u8 = 2;
/// The exit code of a shell for a process that SIGINT ended.
const INTERRUPTED: u8 = 130;
/// Limit for the tasks of the embedded servers to end; the readers have ended before.
const SERVER_SHUTDOWN: Duration = Duration::from_millis(200);

/// Runs the drill and prints its report. Exit codes: 0 all bounds hold, 1 a bound does not hold,
/// 2 bad usage or nothing to read, 130 interrupted.
pub fn run(args: &Args) -> ExitCode {
    match drill(args) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(BAD_USAGE)
        }
    }
}

fn drill(args: &Args) -> Result<ExitCode, String> {
    // Opened before the runs: an unwritable path fails at once instead of after minutes.
    let outputs = Outputs::open(args)?;
    not_found::install_recorder()?;
    let servers = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("s3-server")
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the threads of the servers: {error}"))?;
    let readers = Runtime::new()
        .map_err(|error| format!("cannot start the threads of the readers: {error}"))?;
    let mut report = Report::new(args, seed(args));
    let result = readers.block_on(run_all(args, &servers, &mut report));
    servers.shutdown_timeout(SERVER_SHUTDOWN);
    if report.runs.len() > 1 {
        print_summary(&report);
    }
    if args.clients().len() > 1 {
        print_comparison(&report);
    }
    // The runs before an error are reported too.
    outputs.write(&report)?;
    result?;
    Ok(exit_code(&report))
}

/// Runs the preflight, if requested, and every scenario, until interrupted.
async fn run_all(args: &Args, servers: &Runtime, report: &mut Report) -> Result<(), String> {
    if args.preflight() {
        let result = prepare::preflight(args, servers.handle(), report.seed).await?;
        preflight::print(&result);
        if !report.preflight.insert(result).passes() {
            return Ok(());
        }
    }
    let clients = args.clients();
    clients.iter().try_for_each(|kind| kind.check())?;
    let scenarios = prepare::scenarios(args);
    let mut existing = match &args.config {
        Some(file) if !scenarios.is_empty() => Some(
            ExistingRegions::open(args, file, &scenarios, servers.handle(), report.seed).await?,
        ),
        _ => None,
    };
    let with_clients = |scenario| clients.iter().map(move |kind| (scenario, *kind));
    let all: Vec<_> = scenarios.into_iter().flat_map(with_clients).collect();
    let result = run_scenarios(args, &all, existing.as_mut(), servers, report).await;
    // Seeded objects are deleted even if a run failed or was interrupted.
    let cleanup = match existing {
        Some(existing) => existing.clean_up().await,
        None => Ok(()),
    };
    result.and(cleanup)
}

async fn run_scenarios(
    args: &Args,
    all: &[(&'static Scenario, ClientKind)],
    mut existing: Option<&mut ExistingRegions>,
    servers: &Runtime,
    report: &mut Report,
) -> Result<(), String> {
    let mut interrupt = pin!(interrupted());
    if let Some(existing) = existing.as_deref_mut() {
        tokio::select! {
            prepared = existing.prepare(args, report.seed) => prepared?,
            () = &mut interrupt => report.interrupted = true,
        }
    }
    for (scenario, kind) in all {
        if report.interrupted {
            break;
        }
        let regions = existing.as_deref();
        // Dropping the future ends the servers that it was starting.
        let run = tokio::select! {
            run = prepare::run(args, scenario, *kind, regions, servers.handle(), report.seed) => {
                run?
            }
            () = &mut interrupt => {
                report.interrupted = true;
                break;
            }
        };
        let run = perform(run).await;
        print_outcome(&run, *kind, all.len());
        if let Some(existing) = existing
            .as_deref_mut()
            .filter(|_| run.outcome != Outcome::Skipped)
        {
            existing.on_completed(run.bytes_read);
        }
        report.interrupted = run.outcome == Outcome::Interrupted;
        report.runs.push(run);
    }
    Ok(())
}

async fn perform(run: Result<Run, Skipped>) -> RunReport {
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

/// One line for a run that holds among several; the full tables for all others.
fn print_outcome(run: &RunReport, kind: ClientKind, runs: usize) {
    match run.outcome {
        Outcome::Skipped => {}
        _ if kind != ClientKind::Failover => println!("{}: completed\n", run.head.scenario),
        Outcome::Holds if runs > 1 => println!("{}: the verdict HOLDS\n", run.head.scenario),
        _ => table::print(run),
    }
}

fn exit_code(report: &Report) -> ExitCode {
    // Other clients are only measured. They decide the exit code if the store did not run.
    let is_peer = |run: &RunReport| run.head.client != ClientKind::Failover.name();
    let all_peers = report.runs.iter().all(is_peer);
    let evaluated: Vec<_> = report
        .runs
        .iter()
        .filter(|run| all_peers || !is_peer(run))
        .collect();
    let any = |outcome: Outcome| evaluated.iter().any(|run| run.outcome == outcome);
    let nothing_ran =
        report.preflight.is_none() && evaluated.iter().all(|run| run.outcome == Outcome::Skipped);
    let preflight_failed = report
        .preflight
        .as_ref()
        .is_some_and(|found| !found.passes());
    if report.interrupted {
        ExitCode::from(INTERRUPTED)
    } else if any(Outcome::Broken) || any(Outcome::NotProven) || nothing_ran || preflight_failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// `--seed`, or a random one of at most 32 bits, short enough to type.
fn seed(args: &Args) -> u64 {
    args.seed
        .unwrap_or_else(|| RandomState::new().hash_one(std::process::id()) & 0xffff_ffff)
}
