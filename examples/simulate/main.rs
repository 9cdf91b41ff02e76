//! Lives of stores over simulated regions, for as long as you like.
//!
//!     cargo run --release --features simulation --example simulate -- --long --operations 5000000 --seed 1
//!
//! Each life has a seed of its own, counted up from the first; whatever a life does wrong is shown with its seed, and `--operations 250
//! --seed n` (one life) shows it again. Ctrl-C ends after the lives under way and says what was done.

mod args;
mod clock;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use args::Args;
use clap::Parser;
use object_store_failover::simulation::{Invariant, Report, Simulation};

/// What was done so far.
#[derive(Debug, Default)]
struct Sums {
    lives: u64,
    operations: u64,
    attempts: u64,
    failed: u64,
    cancelled: u64,
    hedges: u64,
    transitions: u64,
    seconds: u64,
    /// Lives that broke a promise, by the promise that each broke first.
    broken: BTreeMap<Invariant, Vec<u64>>,
}

impl Sums {
    fn add(&mut self, report: &Report) {
        self.lives += 1;
        self.operations += report.operations;
        self.attempts += report.attempts;
        self.failed += report.failed;
        self.cancelled += report.cancelled;
        self.hedges += report.hedges;
        self.transitions += report.transitions;
        self.seconds += report.seconds;
        if let Some(first) = report.violations.first() {
            self.broken.entry(first.invariant).or_default().push(report.seed);
        }
    }

    fn show(&self, took: Duration) {
        let Self { lives, operations, attempts, failed, cancelled, hedges, transitions, seconds, broken } = self;
        let days = *seconds as f64 / 86_400.0;
        println!(
            "{lives} lives, {operations} operations ({failed} failed, {cancelled} cancelled), {attempts} attempts, {hedges} hedges, \
             {transitions} transitions of circuits, {days:.1} days in {:.0} s",
            took.as_secs_f64()
        );
        for (invariant, seeds) in broken {
            let first: Vec<_> = seeds.iter().take(12).map(u64::to_string).collect();
            println!("BROKEN {invariant:?}: {} lives, seeds {}", seeds.len(), first.join(" "));
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let first = args.seed.unwrap_or_else(clock::now_as_seed);
    println!("seed {first}");
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(first)));
    listen(Arc::clone(&stop))?;
    let (sender, reports) = mpsc::sync_channel(64);
    let lives = args.lives();
    for _ in 0..args.jobs.max(1) {
        let (stop, next, sender, each) = (Arc::clone(&stop), Arc::clone(&next), sender.clone(), args.each);
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed - first >= lives || sender.send(Simulation::of(seed).operations(each).run()).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let (began, mut sums, mut shown) = (clock::now(), Sums::default(), Duration::ZERO);
    for report in reports {
        sums.add(&report);
        let is_new = report.violations.first().is_some_and(|broken| sums.broken[&broken.invariant].len() == 1);
        if is_new {
            println!("{report}");
        }
        if !args.keep_going && !sums.broken.is_empty() {
            stop.store(true, Ordering::Relaxed);
        }
        if args.long && began.elapsed() - shown >= Duration::from_secs(5) {
            shown = began.elapsed();
            println!(
                "{} of {} operations, {} lives broke a promise",
                sums.operations,
                args.operations,
                sums.broken.values().flatten().count()
            );
        }
    }
    println!("lives from seed {first} on:");
    sums.show(began.elapsed());
    if sums.broken.is_empty() { Ok(()) } else { Err("promises were broken".into()) }
}

/// Ctrl-C asks for the end.
fn listen(stop: Arc<AtomicBool>) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    std::thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            stop.store(true, Ordering::Relaxed);
        }
    });
    Ok(())
}
