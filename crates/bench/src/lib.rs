//! What the benches `http` and `outage` share: regions as processes, the clients over them, a load,
//! and its statistics.
//!
//! A region is the program of the bench, started again with `--region`: its CPU time does not count
//! for the client, and it can be killed and stopped like any server.

#![expect(
    missing_debug_implementations,
    reason = "clients and servers of a bench are not printed"
)]

pub mod clients;
pub mod cpu;
pub mod load;
pub mod regions;
pub mod server;
pub mod statistics;

use std::net::SocketAddr;

use clap::Args;

/// The hidden arguments that make the program a region.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Serve on these addresses instead of measuring.
    #[arg(long, hide = true)]
    region: Vec<SocketAddr>,
    /// End with this process.
    #[arg(long, hide = true, requires = "region")]
    parent: Option<i32>,
}

impl ServeArgs {
    /// Serves until the process is killed, if it was started as a region; otherwise returns `None`.
    pub fn serve(&self) -> Option<std::io::Result<()>> {
        let parent = self.parent?;
        Some(server::serve(&self.region, parent))
    }
}

/// Prints a target with its verdict.
pub fn print_verdict(met: bool, text: &str) {
    println!("{} {text}", if met { "OK     " } else { "MISSED " });
}
