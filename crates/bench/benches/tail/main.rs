//! The cost of a failing region for the slowest reads: real HTTP on loopback, faults on the
//! network, each figure compared with the healthy one of the same run.
//!
//! `cargo bench -p failover-bench --bench tail` takes about 4 min; `-- gray throttle` runs only
//! these; `-- --quick` takes a few seconds each. The exit code is 1 if a target is missed.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "a panic fails the bench"
)]

mod bodies;
mod callers;
mod fixture;
mod gray;
mod load;
mod swallow;
mod throttle;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

/// The cost of a failing region for the slowest reads.
#[derive(Parser)]
struct Args {
    /// Measurements to run: gray, bodies, swallow, throttle, callers.
    only: Vec<String>,
    /// Takes a few seconds each: a test that the bench runs, without meaningful figures.
    #[arg(long)]
    quick: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Durations and counts, reduced by `--quick`.
#[derive(Clone, Copy)]
struct Scale {
    quick: bool,
}

impl Scale {
    fn secs(self, whole: u64) -> Duration {
        Duration::from_secs(if self.quick {
            (whole / 6).max(2)
        } else {
            whole
        })
    }

    fn count(self, whole: usize) -> usize {
        if self.quick { whole / 20 } else { whole }
    }
}

/// Prints a target with its verdict.
fn target(met: bool, text: String) -> bool {
    println!("{} {text}", if met { "OK      " } else { "MISSED  " });
    met
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let scale = Scale { quick: args.quick };
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let mut met = true;
    if wanted("gray") {
        met &= gray::run(scale).await;
    }
    if wanted("bodies") {
        met &= bodies::run(scale).await;
    }
    if wanted("swallow") {
        met &= swallow::run(scale).await;
    }
    if wanted("throttle") {
        met &= throttle::run(scale).await;
    }
    if wanted("callers") {
        met &= callers::run(scale).await;
    }
    println!(
        "\n{}",
        if met {
            "all targets are met"
        } else {
            "a target is MISSED"
        }
    );
    ExitCode::from(u8::from(!met))
}
