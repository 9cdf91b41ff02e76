//! `--config`: the same load on clusters that somebody already has, broken by people or on our side of the wire, and never harmed.
//!
//! They are only read, unless `--seed-bucket` lets the drill put objects of its own there. The truth about an object is the digest on which
//! all regions agree before anything is broken; it is found once for all scenarios of a command, which share what may be read.

mod choice;
mod connector;
mod endpoint;
mod file;
mod flow;
mod ground;
mod lines;
mod seeding;
mod told;
mod truth;

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, RegionConfig};
use tokio::runtime::Handle;

pub(crate) use file::read;
pub(crate) use told::told;

use super::Stage;
use crate::args::Args;
use crate::clients::Kind;
use crate::clock::{now, within};
use crate::load::corpus::Corpus;
use crate::load::entry::Entry;
use crate::prepare::{Skipped, head};
use crate::report::Head;
use crate::run::Run;
use crate::scenario::{Act, Scenario, Spoil};
use crate::verdict::expect;
use choice::{Limits, choose, listing};
use endpoint::Endpoint;
use ground::{Wired, why_not};
use lines::{Line, without_a_wire};
use seeding::Seeded;
use told::one_line;
use truth::Truth;

type Regions = Vec<(String, Arc<dyn ObjectStore>)>;

const MIB: f64 = 1024.0 * 1024.0;
/// What is cut, stalled or trickles in mid-body needs bodies longer than this.
const MID_BODY: u64 = 128 * 1024;
/// One read through a line that was just laid.
const PATIENCE: Duration = Duration::from_secs(10);

/// The regions of a file, for all scenarios of a command.
pub(crate) struct Theirs {
    file: String,
    config: FailoverConfig,
    regions: Regions,
    truth: Truth,
    /// Where a proxy can stand before each region.
    endpoints: Vec<Option<Endpoint>>,
    seeded: Option<Seeded>,
    servers: Handle,
    /// What may still be read, and how many scenarios share it.
    bytes: u64,
    scenarios: u32,
}

impl Theirs {
    /// For these scenarios. Nothing is read or written yet, but for a look at where `--seed-bucket` would write.
    pub(crate) async fn open(args: &Args, file: &FilePath, scenarios: &[&Scenario], servers: &Handle, seed: u64) -> Result<Self, String> {
        let config = read(file)?;
        args.check_for(config.regions.len())?;
        let file = file.display().to_string();
        let regions = config.region_stores().map_err(|error| format!("--config {file}: {error}"))?;
        let played = scenarios.iter().filter(|scenario| scenario.acts().find_map(why_not).is_none()).count();
        let scenarios = u32::try_from(played).unwrap_or(u32::MAX).max(1);
        let seeded = if args.seed_bucket { Some(Seeded::claim(&regions, seed).await?) } else { None };
        let (truth, endpoints) = (Vec::new(), Vec::new());
        Ok(Self { file, config, regions, truth, endpoints, seeded, servers: servers.clone(), bytes: args.max_bytes, scenarios })
    }

    /// Seeds, if that was asked for, and finds the truth.
    pub(crate) async fn prepare(&mut self, args: &Args, seed: u64) -> Result<(), String> {
        if let Some(seeded) = &self.seeded {
            seeded.write(&self.regions, seed).await?;
        }
        let keys = listing(&self.regions, self.seeded.as_ref().map(|seeded| &seeded.prefix)).await?;
        let keys = self.choose(keys, args, seed);
        if let Some(first) = keys.first() {
            truth::reach(&self.regions, &first.location).await?;
        }
        let cost = keys.iter().map(|meta| meta.size).sum::<u64>() * self.regions.len() as u64;
        println!(
            "reads {:.1} MiB to find the truth ({} keys, whole, from each of {} regions), then {:.0} MiB at most in {} (--max-bytes)",
            cost as f64 / MIB,
            keys.len(),
            self.regions.len(),
            (self.bytes - cost) as f64 / MIB,
            if self.scenarios == 1 { "one run".into() } else { format!("{} runs", self.scenarios) }
        );
        self.truth = truth::find(&self.regions, keys).await?;
        self.bytes -= cost;
        if !args.scenarios().is_empty() {
            self.find_endpoints().await;
        }
        Ok(())
    }

    /// Keys that are read from home alone stay out of it: where home is broken, that they fail is what the file wants.
    fn choose(&self, mut keys: Vec<ObjectMeta>, args: &Args, seed: u64) -> Vec<ObjectMeta> {
        let faults = !args.scenarios().is_empty();
        let homes = &self.config.reads.home_prefixes;
        keys.retain(|meta| !faults || !homes.iter().any(|home| meta.location.as_ref().starts_with(home.as_str())));
        let length = faults.then(|| args.length() * self.scenarios);
        choose(keys, Limits { regions: self.regions.len() as u64, bytes: self.bytes, length }, seed)
    }

    /// A proxy changes the `Host` that a region is asked by, and is not everywhere let through: where a read fails by it, faults are made in
    /// the HTTP client instead.
    async fn find_endpoints(&mut self) {
        for region in &self.config.regions {
            let mut found = Endpoint::of(region).await;
            if let Some(endpoint) = &found
                && !self.is_let_through(region, endpoint).await
            {
                found = None;
            }
            let at = if found.is_some() { "by a proxy before it" } else { "in the HTTP client" };
            println!("faults of {} are made {at}", region.name);
            self.endpoints.push(found);
        }
    }

    async fn is_let_through(&self, region: &RegionConfig, endpoint: &Endpoint) -> bool {
        let mut laid = FailoverConfig { regions: vec![region.clone()], ..self.config.clone() };
        let _line = Line::lay(&mut laid.regions[0], Some(endpoint), None, &self.servers);
        let store = laid.region_stores().ok().and_then(|mut stores| stores.pop());
        let (Some((_, store)), Some((path, _))) = (store, self.truth.first()) else {
            return false;
        };
        matches!(within(PATIENCE, store.head(path)).await, Some(Ok(_)))
    }

    /// A scenario on these regions, or why it is skipped.
    pub(crate) async fn run(&self, args: &Args, scenario: &'static Scenario, seed: u64) -> Result<Result<Run, Skipped>, String> {
        let mut config = self.config.clone();
        let breaks = !scenario.acts().all(|act| act == Act::Revive);
        let tuning = if breaks { file::settle(&mut config, args, scenario) } else { file::tuning(&config) };
        let names: Vec<_> = self.regions.iter().map(|(name, _)| name.clone()).collect();
        let objects = self.truth.iter().map(|(path, content)| Entry::new(path.clone(), *content, now())).collect();
        let (corpus, share) = (Corpus::new(objects, seed), self.bytes / u64::from(self.scenarios));
        let head = Head {
            regions: names.clone(),
            settings: breaks.then(|| tuning.settings(!args.defaults)),
            objects: corpus.objects().len(),
            object_bytes: corpus.bytes(),
            max_bytes: Some(share),
            does: deeds(scenario),
            ..head(args, scenario, Kind::Failover, seed, &tuning)
        };
        if let Some(why) = self.why_not(scenario) {
            return Ok(Err((Box::new(head), why)));
        }
        let endpoints = if breaks { &*self.endpoints } else { &[] };
        let connect = config.timeouts.connect;
        let regions = config.regions.iter_mut().zip(endpoints);
        let lines = regions.map(|(region, endpoint)| Line::lay(region, endpoint.as_ref(), connect, &self.servers)).collect();
        let store = config.build().map_err(|error| format!("--config {}: {}", self.file, one_line(&error.to_string())))?;
        let stage = Stage::over(Box::new(Wired { names, lines }), store);
        let expected = expect::of_run(scenario, &stage, config.hedge.is_some(), &args.expected())?;
        Ok(Ok(Run { scenario, stage, corpus, tuning, head, length: args.length(), max_bytes: share, expected }))
    }

    fn why_not(&self, scenario: &Scenario) -> Option<String> {
        scenario.acts().next()?;
        let short = || self.truth.iter().all(|(_, (_, size))| *size < MID_BODY);
        let in_mid_body = |act| matches!(act, Act::Spoil(Spoil::Reset | Spoil::Stall | Spoil::Truncate | Spoil::Trickle));
        if let Some(why) = scenario.acts().find_map(why_not) {
            Some(why.into())
        } else if scenario.acts().any(in_mid_body) && short() {
            Some("no chosen object is larger than 128 KiB, and nothing breaks in so short a body: raise --max-bytes".into())
        } else {
            without_a_wire(&self.config)
        }
    }

    /// A scenario that was played is over, and has read so many bytes.
    pub(crate) fn on_played(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.scenarios = (self.scenarios - 1).max(1);
    }

    /// Deletes what the drill has written.
    pub(crate) async fn end(self) -> Result<(), String> {
        match self.seeded {
            Some(seeded) => seeded.delete(&self.regions).await,
            None => Ok(()),
        }
    }
}

/// What the scenario does, and what stands for the deeds that would need a server.
fn deeds(scenario: &Scenario) -> String {
    let in_place_of = [
        (Act::Kill, "killed: connections are refused and reset"),
        (Act::Hang, "hanging: nothing is answered"),
        (Act::DisableKey, "key disabled: 403 InvalidAccessKeyId"),
    ];
    let done = in_place_of.iter().filter(|(act, _)| scenario.acts().any(|done| done == *act)).map(|(_, how)| *how);
    let done: Vec<_> = done.collect();
    if done.is_empty() { scenario.does.into() } else { format!("{} (on our side of the wire; {})", scenario.does, done.join("; ")) }
}
