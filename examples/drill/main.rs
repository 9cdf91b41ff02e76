//! A drill: S3 servers are broken while a `FailoverStore` is read, and the reads must not notice.
//!
//! `cargo run --release --example drill`; `-- --help` says what else it can do. It is what a newcomer runs first, to see a region
//! die without a failed read, and what an operator keeps, to see the same on their own clusters (`--config`).

mod args;
mod board;
mod clock;
mod corpus;
mod director;
mod external;
mod faults;
mod progress;
#[path = "../../tests/support/proxy/mod.rs"]
mod proxy;
mod reader;
mod report;
#[path = "../../tests/support/s3/mod.rs"]
mod s3;
mod scenario;
mod stage;
mod table;
mod tally;
mod tuning;
mod verdict;

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::sync::Arc;

use object_store::memory::InMemory;

use crate::args::Args;
use crate::board::Board;
use crate::corpus::Corpus;
use crate::director::Ending;
use crate::progress::Progress;
use crate::reader::{Allowance, Load};
use crate::report::{Head, Report};
use crate::scenario::Scenario;
use crate::stage::Stage;
use crate::tuning::Tuning;

const BAD_USAGE: u8 = 2;
/// As a shell tells of a process that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// A run, ready to begin.
struct Run {
    scenario: &'static Scenario,
    stage: Stage,
    corpus: Corpus,
    tuning: Tuning,
    head: Head,
    /// What the readers may read.
    max_bytes: u64,
}

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
    // Before the run, not after it: a path that cannot be written should not cost half a minute.
    let json = args.json.as_ref().map(|path| std::fs::File::create(path).map_err(|error| format!("--json {}: {error}", path.display())));
    let json = json.transpose()?;
    let servers = stage::servers_runtime().map_err(|error| format!("no thread for the servers: {error}"))?;
    let readers = tokio::runtime::Runtime::new().map_err(|error| format!("no threads for the readers: {error}"))?;
    let done = readers.block_on(async {
        let run = match &args.config {
            Some(path) => external::prepare(args, path, seed(args)).await?,
            None => prepare(args, &servers, seed(args)).await?,
        };
        table::print_head(&run.head);
        Ok::<_, String>(perform(args, run).await)
    });
    servers.shutdown_timeout(stage::SERVERS_END);
    let report = done?;
    table::print(&report);
    if let Some(file) = json {
        serde_json::to_writer_pretty(file, &report).map_err(|error| format!("the JSON file could not be written: {error}"))?;
    }
    Ok(match (report.interrupted, report.verdict.holds) {
        (true, _) => ExitCode::from(INTERRUPTED),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}

/// Starts our own servers and fills them.
async fn prepare(args: &Args, servers: &tokio::runtime::Runtime, seed: u64) -> Result<Run, String> {
    let scenario = Scenario::named(&args.scenario).ok_or("the command line has let an unknown scenario through")?;
    let tuning = if args.defaults { Tuning::shipped() } else { Tuning::scaled_to(args.length(), args.regions()) };
    let objects = Arc::new(InMemory::new());
    let corpus = Corpus::fill(&objects, seed).await.map_err(|error| format!("the servers could not be filled: {error}"))?;
    let stage = Stage::build(servers, &objects, args.regions(), &tuning, seed, scenario.needs_a_line()).await?;
    let settings = Some(tuning.settings(!args.defaults));
    let head = head(args, scenario, &stage, &corpus, seed, settings);
    Ok(Run { scenario, stage, corpus, tuning, head, max_bytes: u64::MAX })
}

fn head(args: &Args, scenario: &Scenario, stage: &Stage, corpus: &Corpus, seed: u64, settings: Option<tuning::Settings>) -> Head {
    Head {
        scenario: scenario.name,
        seed,
        seconds: args.length().as_secs(),
        regions: stage.names.iter().map(ToString::to_string).collect(),
        concurrency: args.concurrency(),
        objects: corpus.len(),
        object_bytes: corpus.bytes(),
        max_bytes: args.config.as_ref().map(|_| args.max_bytes),
        settings,
    }
}

async fn perform(args: &Args, run: Run) -> Report {
    let Run { scenario, stage, corpus, tuning, head, max_bytes } = run;
    let stage = Arc::new(stage);
    let board = Arc::new(Board::new(scenario.phases.len(), stage.len()));
    let allowance = Allowance::new(max_bytes, args.length());
    let load = Arc::new(Load::new(Arc::clone(&stage), corpus, Arc::clone(&board), allowance));
    let watching = tokio::spawn(director::watch_circuits(stage.store.subscribe(), Arc::clone(&stage), Arc::clone(&board)));
    let progress = Progress::start(args.length(), &stage);
    let mut readers = load.start(args.concurrency(), head.seed);
    let ending = tokio::select! {
        ending = director::play(scenario, args.length(), &load, &progress) => ending,
        () = progress.keep_moving(Arc::clone(&stage), Arc::clone(&board)) => Ending::Interrupted,
    };
    progress.end();
    let interrupted = ending == Ending::Interrupted;
    if interrupted {
        readers.shutdown().await;
    } else {
        load.stop(readers, (tuning.total + tuning.stall) * 2).await;
    }
    watching.abort();
    let marks = board.marks();
    Report {
        head,
        interrupted,
        phases: report::phases(scenario, &marks),
        faults: report::faults(scenario, &marks, &stage),
        circuits: report::circuits(&marks, &stage),
        verdict: verdict::judge(&marks, &stage, &tuning, args.concurrency()),
    }
}

/// The seed that was asked for, or one that the system's own hash keys decide; short enough to be typed again.
fn seed(args: &Args) -> u64 {
    args.seed.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()) & 0xffff_ffff)
}
