//! A read-heavy service over a `FailoverStore`, to be looked at, broken and copied from.
//!
//! `cargo run --release --example service`; `-- --help` says what else it can do. What matters to a copy: the objects are in objects.rs,
//! the probes of an orchestrator in health.rs, Prometheus in metrics.rs, the operator's hand in operator.rs and guard.rs.

mod args;
mod clock;
mod events;
mod guard;
mod health;
mod instances;
mod journal;
mod metrics;
mod objects;
mod operator;
mod page;
mod readers;
mod refusal;
#[path = "../../tests/support/s3/mod.rs"]
mod s3;
mod server;
mod service;
mod stage;
mod wanted;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use object_store_failover::FailoverConfig;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::args::Args;
use crate::guard::{Token, fragment, unguessable};
use crate::instances::{Fleet, Orders};
use crate::journal::Journal;
use crate::server::Stop;
use crate::service::Service;
use crate::stage::Stage;

const BAD_USAGE: u8 = 2;

fn main() -> ExitCode {
    let args = Args::read();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(BAD_USAGE)
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let servers = stage::servers_runtime().map_err(|error| format!("no threads for the servers: {error}"))?;
    let runtime = Runtime::new().map_err(|error| format!("no threads for the service: {error}"))?;
    let ended = runtime.block_on(async {
        let (ask, stop) = Stop::new();
        let (orders, stage) = prepare(args, &servers, &ask).await?;
        // First of all, or the first instance would be the only one to say that its port is taken.
        let listener = listen(args.address_of(1)).await?;
        let mut fleet = Fleet::start(args, &orders).await?;
        let done = serve(args, listener, orders, stage, (ask, stop), &mut fleet).await;
        fleet.end().await;
        done
    });
    runtime.shutdown_timeout(stage::SERVERS_END);
    servers.shutdown_timeout(stage::SERVERS_END);
    ended
}

/// Where the regions are, and what the token is: from the first instance, from a file, or from servers that are started.
async fn prepare(args: &Args, servers: &Runtime, ask: &watch::Sender<bool>) -> Result<(Orders, Option<Stage>), String> {
    if args.instance.is_some() {
        let orders = Orders::receive()?;
        instances::end_with_the_first(ask.clone());
        return Ok((orders, None));
    }
    let token = args.token.clone().unwrap_or_else(unguessable);
    match &args.config {
        Some(path) => {
            let document = std::fs::read_to_string(path).map_err(|error| format!("--config {}: {error}", path.display()))?;
            Ok((Orders { document, token }, None))
        }
        None => {
            let stage = Stage::build(servers).await?;
            Ok((Orders { document: stage.document(), token }, Some(stage)))
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("--listen {address}: {error}"))
}

/// Serves until somebody wants it to end.
async fn serve(
    args: &Args,
    listener: TcpListener,
    orders: Orders,
    stage: Option<Stage>,
    (ask, stop): (watch::Sender<bool>, Stop),
    fleet: &mut Fleet,
) -> Result<(), String> {
    let metrics = metrics::install().map_err(|error| error.to_string())?;
    let config: FailoverConfig = toml::from_str(&orders.document).map_err(|error| format!("the regions: {}", error.message()))?;
    let store = config.build().map_err(|error| format!("the regions: {error}"))?;
    let instance = args.instance.unwrap_or(1);
    // Without a canary in the document there is nothing to probe.
    let _probes = config.probe.as_ref().map(|_| store.start_probes());
    let _readers = readers::start(&store, args.readers());
    let (events, token) = (store.subscribe(), Token::new(&orders.token));
    let service = Arc::new(Service { store, journal: Journal::new(), metrics, token, stage, instance, stop });
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("instance {instance}: http://{address}/#{}", fragment(&orders.token));
    tokio::select! {
        served = server::serve(listener, Arc::clone(&service)) => served.map_err(|error| error.to_string()),
        error = end(ask) => Err(error),
        () = journal::keep(Arc::clone(&service), events) => Ok(()),
        () = metrics::keep(service.metrics.clone()) => Ok(()),
        () = instances::watch(fleet) => Ok(()),
    }
}

/// Asks to stop when a person or an orchestrator does; `serve` ends by itself then.
async fn end(ask: watch::Sender<bool>) -> String {
    if let Err(error) = server::interrupted().await {
        return format!("Ctrl-C cannot be heard: {error}");
    }
    let _ = ask.send(true);
    std::future::pending().await
}
