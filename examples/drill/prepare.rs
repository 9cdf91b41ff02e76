//! From the command line to a run that is ready to begin.

use tokio::runtime::Handle;

use crate::args::{Args, On};
use crate::clients::{Kind, Peer};
use crate::ground::embedded::Embedded;
use crate::ground::minio::Minio;
use crate::ground::theirs::{self, Theirs};
use crate::ground::{Ground, Stage, name};
use crate::load::corpus::{Corpus, Size};
use crate::preflight::{self, Preflight};
use crate::report::Head;
use crate::run::{Run, store_name};
use crate::scenario::{Scenario, WATCH, Wants};
use crate::tuning::Tuning;
use crate::verdict::expect;

/// Why a scenario is not played, with what would have been.
pub(crate) type Skipped = (Box<Head>, String);

/// What is to be played, in order.
pub(crate) fn scenarios(args: &Args) -> Vec<&'static Scenario> {
    let named = args.scenarios();
    if named.is_empty() && !args.preflight() { vec![&WATCH] } else { named }
}

/// A scenario on the regions of `--config`, or on ones that are started for it.
pub(crate) async fn run(
    args: &Args,
    scenario: &'static Scenario,
    kind: Kind,
    theirs: Option<&Theirs>,
    servers: &Handle,
    seed: u64,
) -> Result<Result<Run, Skipped>, String> {
    if let Some(theirs) = theirs {
        return theirs.run(args, scenario, seed).await;
    }
    let tuning = if args.defaults { Tuning::shipped() } else { Tuning::scaled_to(args.length(), args.regions()) };
    let ground = ground(args, scenario, servers).await?;
    let head = head(args, scenario, kind, seed, &tuning);
    if let Some(why) = scenario.acts().find_map(|act| ground.why_not(act)) {
        return Ok(Err((Box::new(head), why.into())));
    }
    let corpus = Corpus::fill(&*ground, size(args), seed).await?;
    let stage = match peer(&*ground, kind, &tuning).await? {
        Some(peer) => Stage::through(ground, peer),
        None => Stage::build(ground, &tuning.document(&store_name(scenario), wants(args, scenario), &name(0)))?,
    };
    let program = stage.program().map(str::to_owned);
    let head = Head { program, objects: corpus.objects().len(), object_bytes: corpus.bytes(), ..head };
    let mut expected = expect::of_run(scenario, &stage, wants(args, scenario).hedging, &args.expected())?;
    // What a region lacks it fetches from another.
    expected.retain(|one| !(one.name == "lagging" && args.proxying));
    Ok(Ok(Run { scenario, stage, corpus, tuning, head, length: args.length(), max_bytes: u64::MAX, expected }))
}

/// Looks at the regions one by one; nothing is broken.
pub(crate) async fn preflight(args: &Args, servers: &Handle, seed: u64) -> Result<Preflight, String> {
    if let Some(file) = &args.config {
        return preflight::look(theirs::read(file)?).await;
    }
    let ground = ground(args, &WATCH, servers).await?;
    Corpus::fill(&*ground, size(args), seed).await?;
    let config = toml::from_str(&ground.document()).map_err(|error| format!("the drill's own settings: {error}"))?;
    preflight::look(config).await
}

/// Regions that are started for a scenario.
async fn ground(args: &Args, scenario: &Scenario, servers: &Handle) -> Result<Box<dyn Ground>, String> {
    Ok(match args.on {
        On::Embedded => Box::new(Embedded::start(servers, args.regions(), scenario).await?),
        On::Minio => Box::new(Minio::start(servers, args.regions(), scenario, args.proxying).await?),
    })
}

/// Another client than the store itself, if one was asked for.
async fn peer(ground: &dyn Ground, kind: Kind, tuning: &Tuning) -> Result<Option<Peer>, String> {
    let of_its_own = || format!("--client {}: here each region has a key of its own, and a proxy cannot sign", kind.name());
    match (kind, ground.shared()) {
        (Kind::Failover, _) => Ok(None),
        (_, None) => Err(of_its_own()),
        (_, Some(shared)) => Peer::start(kind, &shared, &tuning.limits()).await,
    }
}

/// Beside others the store shows what it can: they have all that their manuals offer.
fn wants(args: &Args, scenario: &Scenario) -> Wants {
    if args.clients().len() > 1 { scenario.store.at_its_best() } else { scenario.store }
}

fn title(scenario: &Scenario, kind: Kind) -> String {
    match kind {
        Kind::Failover => scenario.name.to_owned(),
        other => format!("{}/{}", scenario.name, other.name()),
    }
}

/// Real clusters write to real disks.
fn size(args: &Args) -> Size {
    let (objects, largest) = match args.on {
        On::Embedded => (300, 8 << 20),
        On::Minio => (100, 2 << 20),
    };
    Size { objects, largest: args.largest.unwrap_or(largest) as f64 }
}

pub(crate) fn head(args: &Args, scenario: &Scenario, kind: Kind, seed: u64, tuning: &Tuning) -> Head {
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
