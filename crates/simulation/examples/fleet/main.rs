//! A thousand clients with one store each and eight regions, one of which fails and recovers.
//!
//!     cargo run --release -p object_store_failover_simulation --example fleet
//!
//! The stores are real, on a paused clock. A region is modelled as a latency and a capacity. Each
//! run counts the requests at the regions by the second: one with all defaults, and one without
//! each mechanism that limits a load peak. The results are written to `docs/images/fleet.csv` and
//! `docs/images/fleet.svg`.

mod args;
mod draw;
mod region;
mod run;
mod variant;

use std::error::Error;
use std::fmt::Write as _;
use std::ops::Range;
use std::time::Instant;

use args::Args;
use clap::Parser;
use run::Counts;
use variant::Variant;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    println!(
        "seed {}, {} clients, {} reads per second in total",
        args.seed, args.clients, args.per_second
    );
    let ample = run_all(&args, &Variant::AMPLE, args.capacity)?;
    let scarce = run_all(&args, &Variant::SCARCE, args.scarce_capacity)?;
    std::fs::create_dir_all(&args.to)?;
    std::fs::write(
        args.to.join("fleet.csv"),
        csv(&[(args.capacity, &ample), (args.scarce_capacity, &scarce)]),
    )?;
    std::fs::write(args.to.join("fleet.svg"), draw::svg(&args, &ample, &scarce))?;
    Ok(())
}

fn run_all(
    args: &Args,
    variants: &[Variant],
    capacity: f64,
) -> Result<Vec<(Variant, Counts)>, Box<dyn Error>> {
    println!("capacity {capacity} times the share:");
    let mut all = Vec::new();
    for variant in variants {
        let started_at = Instant::now();
        let counts = run::run(args, *variant, capacity)?;
        println!(
            "{} ({:.0} s)",
            summary(args, *variant, &counts),
            started_at.elapsed().as_secs_f64()
        );
        all.push((*variant, counts));
    }
    Ok(all)
}

/// The key figures of one run, in one line.
fn summary(args: &Args, variant: Variant, counts: &Counts) -> String {
    let share = args.share();
    let (from, until) = (args.down_from as usize, args.down_until() as usize);
    let busiest = |range: Range<usize>| {
        counts.at_region[range]
            .iter()
            .copied()
            .max()
            .unwrap_or_default()
    };
    let sum = |counts: &[u64]| counts[from..until].iter().sum::<u64>() as f64;
    let load = sum(&counts.attempts) / sum(&counts.reads);
    let failed = sum(&counts.failed) / sum(&counts.reads) * 100.0;
    let restored = (until..counts.at_region.len())
        .find(|second| counts.at_region[*second] as f64 >= 0.9 * share)
        .map_or_else(
            || "never".to_owned(),
            |second| format!("{} s", second - until),
        );
    format!(
        "  {:<18} after recovery: {} requests in the first second, {} in the busiest (share \
         {share:.0}), 90 % of the share after {restored}; while down: {} in the busiest second, \
         requests / reads {load:.3}, {failed:.2} % of reads failed",
        variant.name(),
        counts.at_region[until],
        busiest(until..args.seconds as usize),
        // The first two seconds belong to the opening of the circuits.
        busiest(from + 2..until),
    )
}

fn csv(all: &[(f64, &[(Variant, Counts)])]) -> String {
    let mut text = "capacity,variant,second,reads,failed,attempts,attempts_at_region\n".to_owned();
    for (capacity, variants) in all {
        for (variant, counts) in *variants {
            for second in 0..counts.reads.len() {
                let _ = writeln!(
                    text,
                    "{capacity},{},{second},{},{},{},{}",
                    variant.name(),
                    counts.reads[second],
                    counts.failed[second],
                    counts.attempts[second],
                    counts.at_region[second],
                );
            }
        }
    }
    text
}
