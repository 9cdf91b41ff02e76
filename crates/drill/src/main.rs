//! `cargo run --release -p failover-drill`; `-- --help` lists options, scenarios and measures.

use std::process::ExitCode;

fn main() -> ExitCode {
    failover_drill::run(&failover_drill::Args::read())
}
