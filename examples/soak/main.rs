//! A soak: callers at full load for minutes, on S3 regions that come and go. Nothing may fail while a region lives, and nothing may grow.
//!
//!     cargo run --release --example soak
//!
//! Ten minutes; `-- --seconds 60` for a first impression, `-- --help` for the rest. Ctrl-C ends it with the report so far.

mod args;
mod callers;
mod clock;
mod content;
#[path = "../drill/interrupt.rs"]
mod interrupt;
#[path = "../../tests/support/proxy/mod.rs"]
mod proxy;
mod regions;
mod report;
#[path = "../../tests/support/s3/mod.rs"]
mod s3;
mod sample;

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use object_store_failover::FailoverStore;
use tokio::runtime::{Handle, Runtime};

use crate::args::Args;
use crate::callers::Load;
use crate::clock::{now, pause};
use crate::regions::Regions;
use crate::report::{Left, Report};
use crate::sample::Sample;

const COULD_NOT_START: u8 = 2;
/// As a shell tells of a process that SIGINT ended.
const INTERRUPTED: u8 = 130;
/// A call's whole limit, and a bit.
const CALLS_END: Duration = Duration::from_secs(25);
/// What runs on after its caller (a trial, connections that nobody uses any more) ends in this time.
const LEFTOVERS_END: Duration = Duration::from_secs(5);
const EVERY: Duration = Duration::from_secs(1);

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
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("s3-server").enable_all().build();
    let servers = servers.map_err(|error| format!("no threads for the servers: {error}"))?;
    let callers = Runtime::new().map_err(|error| format!("no threads for the callers: {error}"))?;
    let code = callers.block_on(run(args, servers.handle()));
    servers.shutdown_timeout(EVERY);
    code
}

async fn run(args: &Args, servers: &Handle) -> Result<ExitCode, String> {
    let seed = args.seed.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()) & 0xffff_ffff);
    println!("seed {seed}: {} callers on {} regions for {} s", args.concurrency, args.regions, args.seconds);
    let regions = Regions::start(servers, args.regions).await?;
    let store = regions.store()?;
    let (mut samples, began) = (Vec::with_capacity(args.seconds as usize), now());
    let load = Arc::new(Load::new(store.clone()));
    let callers = load.start(args.concurrency, seed);
    let interrupted = tokio::select! {
        () = regions.flap(&store, seed) => false,
        () = watch(&mut samples, &store, servers, &load, args.seconds) => false,
        () = interrupt::interrupted() => true,
    };
    let took = began.elapsed();
    regions.mend();
    let ended = load.stop(callers, CALLS_END).await;
    let in_flight = settled(|| store.health().regions.iter().map(|region| u64::from(region.in_flight)).sum()).await;
    let (opened, closed) = (store.health().totals.opens, store.health().totals.closes);
    let load = Arc::into_inner(load).ok_or("a caller is left")?;
    let tally = load.end();
    drop(store);
    let tasks = settled(|| Handle::current().metrics().num_alive_tasks() as u64).await;
    let left = Left { ended, in_flight, tasks, opened, closed };
    let wrong = Report { took, tally: &tally, samples: &samples, regions: &regions, left }.print();
    Ok(match wrong.is_empty() {
        _ if interrupted => ExitCode::from(INTERRUPTED),
        true => {
            println!("nothing failed, and nothing grew");
            ExitCode::SUCCESS
        }
        false => ExitCode::FAILURE,
    })
}

/// What is left of a number that should come down to nothing.
async fn settled(count: impl Fn() -> u64) -> u64 {
    let until = now() + LEFTOVERS_END;
    while count() > 0 && now() < until {
        pause(EVERY / 10).await;
    }
    count()
}

/// Looks at everything every second.
async fn watch(samples: &mut Vec<Sample>, store: &FailoverStore, servers: &Handle, load: &Load, seconds: u64) {
    let style = ProgressStyle::with_template("{elapsed} of {len} s {wide_bar} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(seconds).with_style(style);
    let mut due = now();
    for _ in 0..seconds {
        due += EVERY;
        tokio::time::sleep_until(due).await;
        load.tally.on_late(due.elapsed());
        samples.push(Sample::take(store, servers));
        let [reads, failed] = [&load.tally.reads, &load.tally.failed_reads].map(|count| count.load(Ordering::Relaxed));
        bar.set_message(format!("{reads} reads, {failed} failed, circuits opened {} times", store.health().totals.opens));
        bar.inc(1);
    }
    bar.finish_and_clear();
}
