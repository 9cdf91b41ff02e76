//! From the command line to a run that is ready to start.

use object_store_failover::FailoverConfig;
use tokio::runtime::Handle;

use crate::args::{Args, On};
use crate::clients::{ClientKind, Peer};
use crate::environment::embedded::Embedded;
use crate::environment::existing::{self, ExistingRegions};
use crate::environment::minio::Minio;
use crate::environment::{Deployment, Environment, name};
use crate::evaluation::expect;
use crate::load::corpus::{Corpus, Size};
use crate::preflight::{self, Preflight};
use crate::report::Head;
use crate::run::{Run, store_name};
use crate::scenario::{Scenario, StoreFeatures, WATCH};
use crate::tuning::Tuning;

/// The head of a scenario that does not run, and the reason.
pub(crate) type Skipped = (Box<Head>, String);

/// The scenarios to run, in order.
pub(crate) fn scenarios(args: &Args) -> Vec<&'static Scenario> {
    let named = args.scenarios();
    if named.is_empty() && !args.preflight() {
        vec![&WATCH]
    } else {
        named
    }
}

/// A run on the regions of `--config`, or on regions that are started for it.
pub(crate) async fn run(
    args: &Args,
    scenario: &'static Scenario,
    kind: ClientKind,
    existing: Option<&ExistingRegions>,
    servers: &Handle,
    seed: u64,
) -> Result<Result<Run, Skipped>, String> {
    if let Some(existing) = existing {
        return existing.run(args, scenario, seed).await;
    }
    let tuning = if args.defaults {
        Tuning::defaults()
    } else {
        Tuning::scaled_to(args.length(), args.regions())
    };
    let environment = environment(args, scenario, servers).await?;
    let head = head(args, scenario, kind, seed, &tuning);
    if let Some(why) = scenario
        .actions()
        .find_map(|action| environment.unsupported(action))
    {
        return Ok(Err((Box::new(head), why.into())));
    }
    let corpus = Corpus::fill(&*environment, size(args), seed).await?;
    let deployment = match peer(&*environment, kind, &tuning).await? {
        Some(peer) => Deployment::through(environment, peer),
        None => Deployment::build(
            environment,
            &tuning.document(&store_name(scenario), features(args, scenario), &name(0)),
        )?,
    };
    let program = deployment.program().map(str::to_owned);
    let head = Head {
        program,
        objects: corpus.objects().len(),
        object_bytes: corpus.bytes(),
        ..head
    };
    let mut expected = expect::of_run(
        scenario,
        &deployment,
        features(args, scenario).hedging,
        &args.expected(),
    )?;
    // With proxying a region fetches missing keys from another, so no read is lagging.
    expected.retain(|one| !(one.name == "lagging" && args.proxying));
    Ok(Ok(Run {
        scenario,
        deployment,
        corpus,
        tuning,
        head,
        length: args.length(),
        max_bytes: u64::MAX,
        expected,
    }))
}

/// Checks each region. No fault is injected.
pub(crate) async fn preflight(
    args: &Args,
    servers: &Handle,
    seed: u64,
) -> Result<Preflight, String> {
    if let Some(file) = &args.config {
        return preflight::check(existing::read(file)?).await;
    }
    let environment = environment(args, &WATCH, servers).await?;
    Corpus::fill(&*environment, size(args), seed).await?;
    let config = FailoverConfig::from_toml(&environment.document())
        .map_err(|error| format!("the drill's own settings: {error}"))?;
    preflight::check(config).await
}

/// Starts the regions of a scenario.
async fn environment(
    args: &Args,
    scenario: &Scenario,
    servers: &Handle,
) -> Result<Box<dyn Environment>, String> {
    Ok(match args.on {
        On::Embedded => Box::new(Embedded::start(servers, args.regions(), scenario).await?),
        On::Minio => {
            Box::new(Minio::start(servers, args.regions(), scenario, args.proxying).await?)
        }
    })
}

/// The client that `--client` selects, unless it is the store itself.
async fn peer(
    environment: &dyn Environment,
    kind: ClientKind,
    tuning: &Tuning,
) -> Result<Option<Peer>, String> {
    let separate_keys = || {
        format!(
            "--client {}: each region has its own key here, and a proxy cannot sign requests",
            kind.name()
        )
    };
    match (kind, environment.shared()) {
        (ClientKind::Failover, _) => Ok(None),
        (_, None) => Err(separate_keys()),
        (_, Some(shared)) => Peer::start(kind, &shared, &tuning.limits()).await,
    }
}

/// In a comparison the store uses its optional features, because the peers are tuned as far as
/// their manuals allow.
fn features(args: &Args, scenario: &Scenario) -> StoreFeatures {
    if args.clients().len() > 1 {
        scenario.store.for_comparison()
    } else {
        scenario.store
    }
}

fn title(scenario: &Scenario, kind: ClientKind) -> String {
    match kind {
        ClientKind::Failover => scenario.name.to_owned(),
        other => format!("{}/{}", scenario.name, other.name()),
    }
}

/// Smaller for MinIO, which writes to disk.
fn size(args: &Args) -> Size {
    let (objects, largest) = match args.on {
        On::Embedded => (300, 8 << 20),
        On::Minio => (100, 2 << 20),
    };
    Size {
        objects,
        largest: args.largest.unwrap_or(largest) as f64,
    }
}

pub(crate) fn head(
    args: &Args,
    scenario: &Scenario,
    kind: ClientKind,
    seed: u64,
    tuning: &Tuning,
) -> Head {
    Head {
        scenario: title(scenario, kind),
        client: kind.name(),
        program: None,
        does: scenario.does.into(),
        expects: scenario.expects,
        seed,
        seconds: args.length().as_secs_f64(),
        regions: (0..args.regions()).map(name).collect(),
        concurrency: args.concurrency(),
        objects: 0,
        object_bytes: 0,
        max_bytes: args.config.as_ref().map(|_| args.max_bytes),
        settings: Some(tuning.settings(!args.defaults)),
    }
}
