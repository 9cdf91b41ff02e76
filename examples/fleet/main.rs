//! A fleet on paper: a thousand clients with a store each, eight regions, one of which dies and comes back.
//!
//!     cargo run --release --example fleet
//!
//! The stores are real, on a paused clock; only the regions are made of nothing but a latency and a capacity. What each region sees is
//! counted by the second, once with everything on and once more without each of the things that keep a herd away. It writes
//! `docs/images/fleet.csv` and `docs/images/fleet.svg`.

mod args;
mod clock;
mod draw;
mod region;
mod run;
mod variant;

use std::error::Error;
use std::fmt::Write as _;

use args::Args;
use clap::Parser;
use run::Seen;
use variant::Variant;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    println!("seed {}, {} clients, {} reads a second in all", args.seed, args.clients, args.per_second);
    let with_room = lives(&args, &Variant::WITH_ROOM, args.room)?;
    let without_room = lives(&args, &Variant::WITHOUT_ROOM, args.no_room)?;
    std::fs::create_dir_all(&args.to)?;
    std::fs::write(args.to.join("fleet.csv"), csv(&[(args.room, &with_room), (args.no_room, &without_room)]))?;
    std::fs::write(args.to.join("fleet.svg"), draw::svg(&args, &with_room, &without_room))?;
    Ok(())
}

/// One run for each of `variants`.
fn lives(args: &Args, variants: &[Variant], room: f64) -> Result<Vec<(Variant, Seen)>, Box<dyn Error>> {
    println!("regions that can serve {room} times their share:");
    let mut all = Vec::new();
    for variant in variants {
        let began = clock::now();
        let seen = run::live(args, *variant, room)?;
        println!("{} ({:.0} s)", told(args, *variant, &seen), began.elapsed().as_secs_f64());
        all.push((*variant, seen));
    }
    Ok(all)
}

/// What matters of one run, in one line.
fn told(args: &Args, variant: Variant, seen: &Seen) -> String {
    let share = args.per_second as f64 / args.regions as f64;
    let (dies, back) = (args.dies as usize, args.back() as usize);
    let most = |range: std::ops::Range<usize>| seen.at_region[range].iter().copied().max().unwrap_or_default();
    let first = seen.at_region[back];
    let peak = most(back..args.seconds as usize);
    let sum = |counts: &[u64], range: std::ops::Range<usize>| counts[range].iter().sum::<u64>() as f64;
    let load = sum(&seen.attempts, dies..back) / sum(&seen.asked, dies..back);
    let failed = sum(&seen.failed, dies..back) / sum(&seen.asked, dies..back) * 100.0;
    let whole = (back..seen.at_region.len()).find(|second| seen.at_region[*second] as f64 >= 0.9 * share);
    let whole = whole.map_or_else(|| "never".to_owned(), |second| format!("{} s", second - back));
    format!(
        "  {:<18} at its return {first} requests in the first second, {peak} in the worst one since (its share is {share:.0}); nine tenths of \
         its share after {whole}; while it was out {} in its worst second, total load / logical load {load:.3}, {failed:.2} % of reads failed",
        variant.name(),
        most(dies + 2..back),
    )
}

fn csv(all: &[(f64, &[(Variant, Seen)])]) -> String {
    let mut text = "room,variant,second,reads,failed,attempts,attempts_at_region\n".to_owned();
    for (room, variants) in all {
        for (variant, seen) in *variants {
            for second in 0..seen.asked.len() {
                let (asked, failed, attempts, at) =
                    (seen.asked[second], seen.failed[second], seen.attempts[second], seen.at_region[second]);
                let _ = writeln!(text, "{room},{},{second},{asked},{failed},{attempts},{at}", variant.name());
            }
        }
    }
    text
}
