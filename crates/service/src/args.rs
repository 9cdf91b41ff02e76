//! Command line arguments and their validation.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

/// Default of `--readers` over the demo servers: enough load to detect a dead region at once.
const READERS: u16 = 4;
/// Environment variable for the token: unlike an argument, it is not in the list of processes.
const TOKEN_VARIABLE: &str = "SERVICE_TOKEN";

/// Example HTTP service over a FailoverStore: objects, metrics, health, overrides, a live page.
///
/// Without arguments it starts three S3 servers in this process (127.0.0.1 only, ports chosen by
/// the system), writes some objects, and prints the address of its page. The page can kill, hang
/// and revive the servers. Needs no Docker, no account and no network.
#[derive(Debug, Clone, Parser)]
#[command(name = "failover-service", version, after_long_help = HELP)]
pub struct Args {
    /// TOML file with the regions to read from, instead of the demo servers
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Address to listen on; port 0 lets the system choose; instance n uses the n-th port from here
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Number of instances: processes with their own circuits and metrics over the same regions
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=16)
    )]
    pub instances: u16,

    /// Operator token [default: $SERVICE_TOKEN, or a random token]
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,

    /// Number of tasks per instance that read objects in a loop [default: 4; with --config 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
    readers: Option<u16>,

    /// Number of this instance: set by the first instance, which sends its settings on stdin
    #[arg(long, hide = true)]
    pub instance: Option<u16>,
}

impl Args {
    /// Parses the arguments of this process. On bad usage the process exits with code 2.
    pub fn read() -> Self {
        let mut args = Self::parse();
        args.token = args.token.or_else(|| std::env::var(TOKEN_VARIABLE).ok());
        if let Err(error) = args.check() {
            Self::command()
                .error(ErrorKind::ValueValidation, error)
                .exit();
        }
        args
    }

    /// Checks what clap cannot: the token's characters, exposure without a token, the port range.
    pub fn check(&self) -> Result<(), String> {
        let token = self.token.as_deref();
        let is_valid =
            |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.is_some_and(|token| !is_valid(token)) {
            return Err(
                "--token: must be printable ASCII without spaces, because it is sent in a header"
                    .into(),
            );
        }
        // On loopback a random token is enough: it is printed on the terminal. Other instances get
        // the token from the first one, which has passed this check.
        if !self.listen.ip().is_loopback() && token.is_none() && self.instance.is_none() {
            return Err(format!(
                "--listen {}: reachable from other machines; set --token, or listen on 127.0.0.1",
                self.listen
            ));
        }
        let last = u32::from(self.listen.port()) + u32::from(self.instances) - 1;
        if last > u32::from(u16::MAX) {
            return Err(format!(
                "--listen {}: not enough ports for {} instances; use a lower port",
                self.listen, self.instances
            ));
        }
        Ok(())
    }

    /// Listen address of an instance, counted from 1.
    pub fn address_of(&self, instance: u16) -> SocketAddr {
        match self.listen.port() {
            0 => self.listen,
            first => SocketAddr::new(self.listen.ip(), first + (instance - 1)),
        }
    }

    /// Number of reader tasks. 0 by default with `--config`: reads of real buckets cost money.
    pub fn readers(&self) -> u16 {
        self.readers
            .unwrap_or_else(|| if self.config.is_some() { 0 } else { READERS })
    }
}

const HELP: &str = "Endpoints:
  GET  /                            page with the live regions, the events and the operator actions
  GET  /objects/{key}               an object; also HEAD, Range and the conditional headers
  GET  /metrics                     Prometheus metrics
  GET  /live                        200 while the process runs; the only one for liveness checks
  GET  /health                      health snapshot as JSON; 503 when no region is in use
  GET  /ready                       the same; 503 when no region is in use and none is due for a
                                    trial. Do not use /health or /ready for liveness: an outage of
                                    the regions would restart every process and repair nothing
  GET  /events                      events of the store, as server-sent events
  POST /regions/{name}/{action}     drain, undrain, reset; force_open, force_closed, metrics_only
                                    (with an optional override duration, ?for=10m); for the demo
                                    servers also kill, hang, revive

Exit codes: 0 stopped by Ctrl-C or SIGTERM, 2 bad usage or failed start

Examples:
  cargo run --release -p failover-service
  cargo run --release -p failover-service -- --instances 3 --listen 127.0.0.1:9400
  cargo run --release -p failover-service -- --config regions.toml --readers 2
  curl -X POST -H \"Authorization: Bearer $TOKEN\" \\
    http://127.0.0.1:9400/regions/us-east-1/drain";
