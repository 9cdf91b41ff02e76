//! Binary of the example service: `cargo run --release -p failover-service -- --help`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use failover_service::args::Args;
use failover_service::auth::{Token, random_id, url_fragment};
use failover_service::demo_servers::{self, DemoServers};
use failover_service::event_log::{self, EventLog};
use failover_service::instances::{self, InstanceSettings, Instances};
use failover_service::server::{self, StopSignal};
use failover_service::service::Service;
use failover_service::{metrics, readers};
use object_store_failover::FailoverConfig;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// Exit code for bad usage and for a failed start.
const START_FAILED: u8 = 2;

fn main() -> ExitCode {
    let args = Args::read();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(START_FAILED)
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    // The demo servers have their own runtime: a blocked service must not slow them down.
    let server_runtime = demo_servers::runtime()
        .map_err(|error| format!("cannot start the runtime of the demo servers: {error}"))?;
    let runtime =
        Runtime::new().map_err(|error| format!("cannot start the service's runtime: {error}"))?;
    let result = runtime.block_on(async {
        let (stop_sender, stop) = StopSignal::new();
        let (settings, demo) = prepare(args, &server_runtime, &stop_sender).await?;
        // Bind before starting the other instances, so that a port in use fails the whole start.
        let listener = listen(args.address_of(1)).await?;
        let mut instances = Instances::start(args, &settings).await?;
        let stop = (stop_sender, stop);
        let result = serve(args, listener, settings, demo, stop, &mut instances).await;
        instances.stop().await;
        result
    });
    runtime.shutdown_timeout(demo_servers::SHUTDOWN_TIMEOUT);
    server_runtime.shutdown_timeout(demo_servers::SHUTDOWN_TIMEOUT);
    result
}

/// Regions and token: from the first instance, from `--config`, or of new demo servers.
async fn prepare(
    args: &Args,
    server_runtime: &Runtime,
    stop_sender: &watch::Sender<bool>,
) -> Result<(InstanceSettings, Option<DemoServers>), String> {
    if args.instance.is_some() {
        let settings = InstanceSettings::receive()?;
        instances::stop_with_first_instance(stop_sender.clone());
        return Ok((settings, None));
    }
    let token = args.token.clone().unwrap_or_else(random_id);
    match &args.config {
        Some(path) => {
            let document = std::fs::read_to_string(path)
                .map_err(|error| format!("--config {}: {error}", path.display()))?;
            Ok((InstanceSettings { document, token }, None))
        }
        None => {
            let demo = DemoServers::start(server_runtime).await?;
            let document = demo.document();
            Ok((InstanceSettings { document, token }, Some(demo)))
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address)
        .await
        .map_err(|error| format!("--listen {address}: {error}"))
}

/// Serves until Ctrl-C, SIGTERM, or the end of the first instance.
async fn serve(
    args: &Args,
    listener: TcpListener,
    settings: InstanceSettings,
    demo: Option<DemoServers>,
    (stop_sender, stop): (watch::Sender<bool>, StopSignal),
    instances: &mut Instances,
) -> Result<(), String> {
    // Install the recorder before building the store: the store resolves its metrics once.
    let metrics = metrics::install().map_err(|error| error.to_string())?;
    let config = FailoverConfig::from_toml(&settings.document)
        .map_err(|error| format!("configuration: {error}"))?;
    let store = config
        .build()
        .map_err(|error| format!("configuration: {error}"))?;
    let instance = args.instance.unwrap_or(1);
    // `[probe]` is optional; without it there is no canary to read.
    let _probes = config.probe.as_ref().map(|_| store.start_probes());
    let _readers = readers::start(&store, args.readers());
    let events = store.subscribe();
    let service = Arc::new(Service {
        store,
        event_log: EventLog::new(),
        metrics,
        token: Token::new(&settings.token),
        demo,
        instance,
        stop,
    });
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let fragment = url_fragment(&settings.token);
    println!("instance {instance}: http://{address}/#{fragment}");
    tokio::select! {
        result = server::serve(listener, Arc::clone(&service)) => {
            result.map_err(|error| error.to_string())
        }
        error = forward_shutdown_signal(stop_sender) => Err(error),
        () = event_log::record_events(Arc::clone(&service), events) => Ok(()),
        () = metrics::run_upkeep(service.metrics.clone()) => Ok(()),
        () = instances::report_exits(instances) => Ok(()),
    }
}

/// Requests the stop after Ctrl-C or SIGTERM. Returns only if no signal handler can be installed.
async fn forward_shutdown_signal(stop_sender: watch::Sender<bool>) -> String {
    if let Err(error) = server::shutdown_signal().await {
        return format!("cannot install the signal handler: {error}");
    }
    let _ = stop_sender.send(true);
    // `server::serve` ends the select when the open requests are done.
    std::future::pending().await
}
