//! A soak test: callers at full load for minutes, on S3 regions that fail and recover. No call may
//! fail while a region serves, and no resource may grow.
//!
//!     cargo run --release -p failover-soak
//!
//! Takes 10 min; `-- --seconds 60` for a short run. Ctrl-C ends it with the report until then.

mod args;
mod callers;
mod content;
mod regions;
mod report;
mod sample;

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Parser;
use failover_drill::interrupt::interrupted;
use indicatif::{ProgressBar, ProgressStyle};
use object_store_failover::FailoverStore;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{Instant, sleep, sleep_until};

use crate::args::Args;
use crate::callers::Load;
use crate::regions::Regions;
use crate::report::{Leftovers, Report};
use crate::sample::Sample;

const COULD_NOT_START: u8 = 2;
/// The exit code of a shell for a process that SIGINT ended.
const INTERRUPTED: u8 = 130;
/// Longer than the deadline of a call.
const CALLS_END: Duration = Duration::from_secs(25);
/// Limit for what outlives its call, such as a trial or idle connections.
const LEFTOVERS_END: Duration = Duration::from_secs(5);
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let args = Args::parse();
    match soak(&args) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(COULD_NOT_START)
        }
    }
}

fn soak(args: &Args) -> Result<ExitCode, String> {
    let servers = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("s3-server")
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the threads of the servers: {error}"))?;
    let callers = Runtime::new()
        .map_err(|error| format!("cannot start the threads of the callers: {error}"))?;
    let code = callers.block_on(run(args, servers.handle()));
    servers.shutdown_timeout(SAMPLE_INTERVAL);
    code
}

async fn run(args: &Args, servers: &Handle) -> Result<ExitCode, String> {
    let random_seed = || RandomState::new().hash_one(std::process::id()) & 0xffff_ffff;
    let seed = args.seed.unwrap_or_else(random_seed);
    println!(
        "seed {seed}: {} callers on {} regions for {} s",
        args.concurrency, args.regions, args.seconds
    );
    let regions = Regions::start(servers, args.regions).await?;
    let store = regions.store()?;
    let mut samples = Vec::with_capacity(args.seconds as usize);
    let started_at = Instant::now();
    let load = Arc::new(Load::new(store.clone()));
    let callers = load.start(args.concurrency, seed);
    let interrupted = tokio::select! {
        () = regions.inject_faults(&store, seed) => false,
        () = take_samples(&mut samples, &store, servers, &load, args.seconds) => false,
        () = interrupted() => true,
    };
    let duration = started_at.elapsed();
    regions.restore();
    let calls_ended = load.stop(callers, CALLS_END).await;
    let in_flight = await_zero(|| {
        let regions = store.health().regions;
        regions
            .iter()
            .map(|region| u64::from(region.in_flight))
            .sum()
    })
    .await;
    let (opened, closed) = (store.health().totals.opens, store.health().totals.closes);
    let tally = Arc::into_inner(load)
        .ok_or("a caller is still running")?
        .into_tally();
    drop(store);
    let tasks = await_zero(|| Handle::current().metrics().num_alive_tasks() as u64).await;
    let leftovers = Leftovers {
        calls_ended,
        in_flight,
        tasks,
        opened,
        closed,
    };
    let report = Report {
        duration,
        tally: &tally,
        samples: &samples,
        regions: &regions,
        leftovers,
    };
    let problems = report.print();
    Ok(match problems.is_empty() {
        _ if interrupted => ExitCode::from(INTERRUPTED),
        true => {
            println!("no failure and no growth");
            ExitCode::SUCCESS
        }
        false => ExitCode::FAILURE,
    })
}

/// Waits until a count is zero, or returns what is left.
async fn await_zero(count: impl Fn() -> u64) -> u64 {
    let until = Instant::now() + LEFTOVERS_END;
    while count() > 0 && Instant::now() < until {
        sleep(SAMPLE_INTERVAL / 10).await;
    }
    count()
}

/// Takes a sample every second.
async fn take_samples(
    samples: &mut Vec<Sample>,
    store: &FailoverStore,
    servers: &Handle,
    load: &Load,
    seconds: u64,
) {
    let style = ProgressStyle::with_template("{elapsed} of {len} s {wide_bar} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(seconds).with_style(style);
    let mut due = Instant::now();
    for _ in 0..seconds {
        due += SAMPLE_INTERVAL;
        sleep_until(due).await;
        load.tally.on_late_timer(due.elapsed());
        samples.push(Sample::take(store, servers));
        let [reads, failed] = [&load.tally.reads, &load.tally.failed_reads]
            .map(|count| count.load(Ordering::Relaxed));
        let opens = store.health().totals.opens;
        bar.set_message(format!(
            "{reads} reads, {failed} failed, circuits opened {opens} times"
        ));
        bar.inc(1);
    }
    bar.finish_and_clear();
}
