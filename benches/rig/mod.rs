//! What both benches over HTTP stand on: regions that are processes of their own, the clients over them, a load, and its statistics.
//!
//! The regions are the bench's own program, started again with `--region`: what they cost is not counted to the client, and they can be
//! killed and stopped like any server.

pub(crate) mod answers;
pub(crate) mod clients;
pub(crate) mod cpu;
pub(crate) mod load;
pub(crate) mod regions;
pub(crate) mod statistics;

use std::net::SocketAddr;

use clap::Args;

/// What makes the program a server. Each bench takes it among its arguments.
#[derive(Args)]
pub(crate) struct Serving {
    /// Answer on these addresses instead of measuring.
    #[arg(long, hide = true)]
    region: Vec<SocketAddr>,
    /// End with this process.
    #[arg(long, hide = true, requires = "region")]
    parent: Option<i32>,
}

impl Serving {
    /// Serves until it is ended, if that is what the program was started for. Returns at once if not.
    pub(crate) fn serve(&self) -> Option<std::io::Result<()>> {
        let parent = self.parent?;
        Some(answers::serve(&self.region, parent))
    }
}

/// `text` with a verdict before it.
pub(crate) fn verdict(met: bool, text: &str) {
    println!("{} {text}", if met { "OK     " } else { "MISSED " });
}
