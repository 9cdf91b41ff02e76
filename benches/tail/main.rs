//! What a sick region costs the slowest reads: real HTTP on loopback, faults on the wire, each figure beside the healthy one of the
//! same run.
//!
//! `cargo bench --bench tail` runs everything in about four minutes; `cargo bench --bench tail -- gray throttle` runs only these;
//! `-- --quick` runs each for a few seconds. The exit code is 1 where a promise was not kept.

#![allow(clippy::allow_attributes, clippy::disallowed_methods, clippy::unwrap_used, reason = "a bench that panics has failed")]

mod bodies;
mod callers;
mod gray;
mod load;
mod rig;
#[path = "../../tests/support/mod.rs"]
mod support;
mod swallow;
mod throttle;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

/// What a sick region costs the slowest reads.
#[derive(Parser)]
struct Args {
    /// Only these: gray, bodies, swallow, throttle, callers.
    only: Vec<String>,
    /// A few seconds each: to see that it runs, not to measure.
    #[arg(long)]
    quick: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How long things last.
#[derive(Clone, Copy)]
struct Scale {
    quick: bool,
}

impl Scale {
    fn secs(self, whole: u64) -> Duration {
        Duration::from_secs(if self.quick { (whole / 6).max(2) } else { whole })
    }

    fn count(self, whole: usize) -> usize {
        if self.quick { whole / 20 } else { whole }
    }
}

/// One line of the verdict.
fn promise(kept: bool, text: String) -> bool {
    println!("{} {text}", if kept { "OK        " } else { "NOT KEPT  " });
    kept
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let scale = Scale { quick: args.quick };
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let mut kept = true;
    if wanted("gray") {
        kept &= gray::run(scale).await;
    }
    if wanted("bodies") {
        kept &= bodies::run(scale).await;
    }
    if wanted("swallow") {
        kept &= swallow::run(scale).await;
    }
    if wanted("throttle") {
        kept &= throttle::run(scale).await;
    }
    if wanted("callers") {
        kept &= callers::run(scale).await;
    }
    println!("\n{}", if kept { "every promise was kept" } else { "NOT every promise was kept" });
    ExitCode::from(u8::from(!kept))
}
