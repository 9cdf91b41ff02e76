//! The command line: what may be asked, and what is refused with a line that says how to ask it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

/// Enough for the page to show life, and for a dead region to be noticed at once.
const READERS: u16 = 4;
/// Where a token is looked for that should not be seen in the list of processes.
const TOKEN_VARIABLE: &str = "SERVICE_TOKEN";

/// A read-heavy service over a FailoverStore: objects, metrics, a page of the regions, an operator's hand.
///
/// Without arguments it starts three S3 servers in this process (127.0.0.1 only, ports chosen by the system), puts some objects there,
/// and prints the address of its page: break the servers there, and see what becomes of it. Needs no Docker, no account, no network.
#[derive(Debug, Clone, Parser)]
#[command(name = "service", version, after_long_help = HELP)]
pub(crate) struct Args {
    /// Reads from the regions of this TOML file instead
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where to listen; port 0 is one that the system chooses; the n-th instance takes the n-th port from there
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// So many instances of the service, each a process with its own metrics, over the same regions
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub(crate) instances: u16,

    /// What operators must show [default: $SERVICE_TOKEN, or one that is made at the start]
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,

    /// So many tasks in each instance that read objects all the time [default: 4; with --config 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
    readers: Option<u16>,

    /// Which instance this process is: set by the one that starts it, which also writes to its standard input
    #[arg(long, hide = true)]
    pub(crate) instance: Option<u16>,
}

impl Args {
    /// The arguments of this process; on bad ones the process ends with a line on stderr and exit code 2.
    pub(crate) fn read() -> Self {
        let mut args = Self::parse();
        args.token = args.token.or_else(|| std::env::var(TOKEN_VARIABLE).ok());
        if let Err(why) = args.check() {
            Self::command().error(ErrorKind::ValueValidation, why).exit();
        }
        args
    }

    /// What clap cannot know.
    pub(crate) fn check(&self) -> Result<(), String> {
        let token = self.token.as_deref();
        if token.is_some_and(|token| token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err("--token: use letters, digits and signs, and no spaces: it travels in a header".into());
        }
        // Whoever reaches the port could drain regions: those on this machine have to read the terminal for the token, others must
        // be given one on purpose. An instance is given its token by the process that has checked this.
        if !self.listen.ip().is_loopback() && token.is_none() && self.instance.is_none() {
            return Err(format!("--listen {}: others than this machine could reach it; set --token, or listen on 127.0.0.1", self.listen));
        }
        let last = u32::from(self.listen.port()) + u32::from(self.instances) - 1;
        if last > u32::from(u16::MAX) {
            return Err(format!("--listen {}: no {} ports from there; use a lower one", self.listen, self.instances));
        }
        Ok(())
    }

    /// Where the n-th instance listens, counted from 1.
    pub(crate) fn address_of(&self, instance: u16) -> SocketAddr {
        match self.listen.port() {
            0 => self.listen,
            first => SocketAddr::new(self.listen.ip(), first + (instance - 1)),
        }
    }

    /// Reading other people's buckets all the time costs them money: there it must be asked for.
    pub(crate) fn readers(&self) -> u16 {
        self.readers.unwrap_or_else(|| if self.config.is_some() { 0 } else { READERS })
    }
}

const HELP: &str = "Endpoints:
  GET  /                            the page: regions live, events, the operator's buttons
  GET  /objects/{key}               an object; HEAD, Range, If-Match, If-None-Match, If-Modified-Since and the like
  GET  /metrics                     for Prometheus
  GET  /live                        200 while the process runs: the only one for liveness probes
  GET  /health                      the regions as JSON; 503 when no region is in use
  GET  /ready                       the same; 503 when no region is in use and none is due for a trial either
                                    Neither is for liveness: an outage of the regions would restart every process, and heal nothing
  GET  /events                      what happened, as server-sent events
  POST /regions/{name}/{action}     drain, undrain, reset, force_open, force_closed, metrics_only (these with
                                    ?for=10m or for good); over the servers of this process also kill, hang, revive

Exit codes: 0 ended by Ctrl-C or SIGTERM, 2 bad usage or it could not start

Examples:
  cargo run --release --example service
  cargo run --release --example service -- --instances 3 --listen 127.0.0.1:9400
  cargo run --release --example service -- --config regions.toml --readers 2
  curl -X POST -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:9400/regions/us-east-1/drain";
