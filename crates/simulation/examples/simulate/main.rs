//! Runs simulations of stores over simulated regions.
//!
//!     cargo run --release -p object_store_failover_simulation --example simulate -- \
//!         --long --operations 5000000 --seed 1
//!
//! Each run has a seed of its own, counted up from the first. A violation is printed with its seed;
//! `--operations 250 --seed n` repeats that run. Ctrl-C ends the program after the runs in
//! progress, with the summary so far. The exit code is 1 after a violation.

mod args;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use args::Args;
use clap::Parser;
use object_store_failover_simulation::{Invariant, Report, Simulation};

/// Sums over all runs so far.
#[derive(Debug, Default)]
struct Sums {
    runs: u64,
    operations: u64,
    attempts: u64,
    failed: u64,
    cancelled: u64,
    hedges: u64,
    transitions: u64,
    seconds: u64,
    /// Seeds of the runs with violations, by the first violated invariant.
    violated: BTreeMap<Invariant, Vec<u64>>,
}

impl Sums {
    fn add(&mut self, report: &Report) {
        self.runs += 1;
        self.operations += report.operations;
        self.attempts += report.attempts;
        self.failed += report.failed;
        self.cancelled += report.cancelled;
        self.hedges += report.hedges;
        self.transitions += report.transitions;
        self.seconds += report.seconds;
        if let Some(first) = report.violations.first() {
            self.violated
                .entry(first.invariant)
                .or_default()
                .push(report.seed);
        }
    }

    fn print(&self, elapsed: Duration) {
        let Self {
            runs,
            operations,
            attempts,
            failed,
            cancelled,
            hedges,
            transitions,
            seconds,
            violated,
        } = self;
        let days = *seconds as f64 / 86_400.0;
        println!(
            "{runs} runs, {operations} operations ({failed} failed, {cancelled} cancelled), \
             {attempts} attempts, {hedges} hedges, {transitions} circuit transitions, \
             {days:.1} simulated days in {:.0} s",
            elapsed.as_secs_f64()
        );
        for (invariant, seeds) in violated {
            let first: Vec<_> = seeds.iter().take(12).map(u64::to_string).collect();
            println!(
                "VIOLATED {invariant:?}: {} runs, seeds {}",
                seeds.len(),
                first.join(" ")
            );
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let first = args.seed.unwrap_or_else(drawn_seed);
    println!("seed {first}");
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_ctrl_c(Arc::clone(&stop))?;
    let reports = spawn_runs(&args, first, &stop);
    let (started_at, mut sums, mut printed_at) = (Instant::now(), Sums::default(), Duration::ZERO);
    for report in reports {
        sums.add(&report);
        let is_new = report
            .violations
            .first()
            .is_some_and(|first| sums.violated[&first.invariant].len() == 1);
        if is_new {
            println!("{report}");
        }
        if !args.keep_going && !sums.violated.is_empty() {
            stop.store(true, Ordering::Relaxed);
        }
        if args.long && started_at.elapsed() - printed_at >= Duration::from_secs(5) {
            printed_at = started_at.elapsed();
            println!(
                "{} of {} operations, {} runs with violations",
                sums.operations,
                args.operations,
                sums.violated.values().flatten().count()
            );
        }
    }
    println!("runs from seed {first}:");
    sums.print(started_at.elapsed());
    if sums.violated.is_empty() {
        Ok(())
    } else {
        Err("invariants were violated".into())
    }
}

/// Starts the threads that run the simulations. The channel closes after the last report.
fn spawn_runs(args: &Args, first: u64, stop: &Arc<AtomicBool>) -> Receiver<Report> {
    let next = Arc::new(AtomicU64::new(first));
    let (sender, reports) = mpsc::sync_channel(64);
    let (runs, each) = (args.runs(), args.each);
    for _ in 0..args.jobs.max(1) {
        let (stop, next, sender) = (Arc::clone(stop), Arc::clone(&next), sender.clone());
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed - first >= runs {
                    return;
                }
                let report = Simulation::of(seed).operations(each).run();
                if sender.send(report).is_err() {
                    return;
                }
            }
        });
    }
    reports
}

fn drawn_seed() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |since| since.as_millis() as u64)
}

fn stop_on_ctrl_c(stop: Arc<AtomicBool>) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    std::thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            stop.store(true, Ordering::Relaxed);
        }
    });
    Ok(())
}
