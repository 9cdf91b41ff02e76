//! `--config`: the load on existing clusters, while faults are injected manually or on the client's
//! side of the network.
//!
//! The clusters are only read, unless `--seed-bucket` allows the drill to write objects of its own.
//! The expected content of an object is the digest on which all regions agree before the first
//! fault. It is determined once per command; all scenarios share `--max-bytes`.

mod baseline;
pub mod connector;
pub mod endpoint;
mod environment;
mod faulty_body;
mod file;
mod links;
mod one_line;
mod sampling;
mod seed_bucket;

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, RegionConfig};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

pub(crate) use file::read;
pub(crate) use one_line::describe;

use super::Deployment;
use crate::args::Args;
use crate::clients::ClientKind;
use crate::evaluation::expect;
use crate::load::corpus::Corpus;
use crate::load::entry::Entry;
use crate::prepare::{Skipped, head};
use crate::report::Head;
use crate::run::Run;
use crate::scenario::{Action, NetworkFault, Scenario};

use baseline::Baseline;
use endpoint::Endpoint;
use environment::{ExistingEnvironment, unsupported};
use links::{Link, without_network};
use one_line::one_line;
use sampling::{SampleLimits, choose, listing};
use seed_bucket::SeededObjects;

type Regions = Vec<(String, Arc<dyn ObjectStore>)>;

const MIB: f64 = 1024.0 * 1024.0;
/// Faults within a body need bodies longer than this.
const MID_BODY: u64 = 128 * 1024;
const SHORT_BODIES: &str = "no chosen object is larger than 128 KiB, and the faults of this \
    scenario occur later in a body: raise --max-bytes";
/// Limit of the read that tests a new link.
const PATIENCE: Duration = Duration::from_secs(10);

/// The regions of a file, for all scenarios of a command.
pub(crate) struct ExistingRegions {
    file: String,
    config: FailoverConfig,
    regions: Regions,
    baseline: Baseline,
    /// The plain endpoint of each region, if it has one.
    endpoints: Vec<Option<Endpoint>>,
    seeded: Option<SeededObjects>,
    servers: Handle,
    /// Bytes that may still be read, and the scenarios that share them.
    bytes: u64,
    scenarios: u32,
}

impl ExistingRegions {
    /// Opens the regions for these scenarios. Reads and writes no object; with `--seed-bucket` it
    /// lists the prefix.
    pub(crate) async fn open(
        args: &Args,
        file: &FilePath,
        scenarios: &[&Scenario],
        servers: &Handle,
        seed: u64,
    ) -> Result<Self, String> {
        let config = read(file)?;
        args.check_for(config.regions.len())?;
        let file = file.display().to_string();
        let regions = config
            .region_stores()
            .map_err(|error| format!("--config {file}: {error}"))?;
        let supported = scenarios
            .iter()
            .filter(|scenario| scenario.actions().find_map(unsupported).is_none())
            .count();
        let scenarios = u32::try_from(supported).unwrap_or(u32::MAX).max(1);
        let seeded = if args.seed_bucket {
            Some(SeededObjects::claim(&regions, seed).await?)
        } else {
            None
        };
        let (baseline, endpoints) = (Vec::new(), Vec::new());
        Ok(Self {
            file,
            config,
            regions,
            baseline,
            endpoints,
            seeded,
            servers: servers.clone(),
            bytes: args.max_bytes,
            scenarios,
        })
    }

    /// Writes the objects of `--seed-bucket`, and reads the baseline.
    pub(crate) async fn prepare(&mut self, args: &Args, seed: u64) -> Result<(), String> {
        if let Some(seeded) = &self.seeded {
            seeded.write(&self.regions, seed).await?;
        }
        let keys = listing(
            &self.regions,
            self.seeded.as_ref().map(|seeded| &seeded.prefix),
        )
        .await?;
        let keys = self.choose(keys, args, seed);
        if let Some(first) = keys.first() {
            baseline::reach(&self.regions, &first.location).await?;
        }
        let cost = keys.iter().map(|meta| meta.size).sum::<u64>() * self.regions.len() as u64;
        println!(
            "reads {:.1} MiB for the baseline ({} keys, whole, from each of {} regions), then at \
             most {:.0} MiB in {} (--max-bytes)",
            cost as f64 / MIB,
            keys.len(),
            self.regions.len(),
            (self.bytes - cost) as f64 / MIB,
            if self.scenarios == 1 {
                "one run".into()
            } else {
                format!("{} runs", self.scenarios)
            }
        );
        self.baseline = baseline::find(&self.regions, keys).await?;
        self.bytes -= cost;
        if !args.scenarios().is_empty() {
            self.find_endpoints().await;
        }
        Ok(())
    }

    /// Excludes keys under `home_prefixes` if faults are injected: they are read only from home, so
    /// their reads fail by configuration while home fails.
    fn choose(&self, mut keys: Vec<ObjectMeta>, args: &Args, seed: u64) -> Vec<ObjectMeta> {
        let faults = !args.scenarios().is_empty();
        let homes = &self.config.reads.home_prefixes;
        keys.retain(|meta| {
            !faults
                || !homes
                    .iter()
                    .any(|home| meta.location.as_ref().starts_with(home.as_str()))
        });
        let length = faults.then(|| args.length() * self.scenarios);
        choose(
            keys,
            SampleLimits {
                regions: self.regions.len() as u64,
                bytes: self.bytes,
                length,
            },
            seed,
        )
    }

    /// Chooses where to inject the faults of each region. A proxy changes the `Host` header, which
    /// not every server accepts; if a read through the proxy fails, the HTTP client injects them.
    async fn find_endpoints(&mut self) {
        for region in &self.config.regions {
            let mut found = Endpoint::of(region).await;
            if let Some(endpoint) = &found
                && !self.accepts_proxy(region, endpoint).await
            {
                found = None;
            }
            let at = if found.is_some() {
                "a proxy"
            } else {
                "the HTTP client"
            };
            println!("faults of {} are injected by {at}", region.name);
            self.endpoints.push(found);
        }
    }

    async fn accepts_proxy(&self, region: &RegionConfig, endpoint: &Endpoint) -> bool {
        let mut config = FailoverConfig {
            regions: vec![region.clone()],
            ..self.config.clone()
        };
        let _link = Link::install(&mut config.regions[0], Some(endpoint), None, &self.servers);
        let store = config
            .region_stores()
            .ok()
            .and_then(|mut stores| stores.pop());
        let (Some((_, store)), Some((path, _))) = (store, self.baseline.first()) else {
            return false;
        };
        matches!(timeout(PATIENCE, store.head(path)).await, Ok(Ok(_)))
    }

    /// A run of the scenario on these regions, or why it is skipped.
    pub(crate) async fn run(
        &self,
        args: &Args,
        scenario: &'static Scenario,
        seed: u64,
    ) -> Result<Result<Run, Skipped>, String> {
        let mut config = self.config.clone();
        let injects = !scenario.actions().all(|action| action == Action::Restore);
        let tuning = if injects {
            file::settle(&mut config, args, scenario)
        } else {
            file::tuning(&config)
        };
        let names: Vec<_> = self.regions.iter().map(|(name, _)| name.clone()).collect();
        let objects = self
            .baseline
            .iter()
            .map(|(path, content)| Entry::new(path.clone(), *content, Instant::now()))
            .collect();
        let (corpus, share) = (
            Corpus::new(objects, seed),
            self.bytes / u64::from(self.scenarios),
        );
        let head = Head {
            regions: names.clone(),
            settings: injects.then(|| tuning.settings(!args.defaults)),
            objects: corpus.objects().len(),
            object_bytes: corpus.bytes(),
            max_bytes: Some(share),
            does: description(scenario),
            ..head(args, scenario, ClientKind::Failover, seed, &tuning)
        };
        if let Some(why) = self.unsupported(scenario) {
            return Ok(Err((Box::new(head), why)));
        }
        let endpoints = if injects { &*self.endpoints } else { &[] };
        let connect = config.timeouts.connect;
        let regions = config.regions.iter_mut().zip(endpoints);
        let links = regions
            .map(|(region, endpoint)| {
                Link::install(region, endpoint.as_ref(), connect, &self.servers)
            })
            .collect();
        let store = config
            .build()
            .map_err(|error| format!("--config {}: {}", self.file, one_line(&error.to_string())))?;
        let deployment = Deployment::over(Box::new(ExistingEnvironment { names, links }), store);
        let expected = expect::of_run(
            scenario,
            &deployment,
            config.hedge.is_some(),
            &args.expected(),
        )?;
        Ok(Ok(Run {
            scenario,
            deployment,
            corpus,
            tuning,
            head,
            length: args.length(),
            max_bytes: share,
            expected,
        }))
    }

    fn unsupported(&self, scenario: &Scenario) -> Option<String> {
        scenario.actions().next()?;
        let short = || self.baseline.iter().all(|(_, (_, size))| *size < MID_BODY);
        let within_body = |action| {
            matches!(
                action,
                Action::Network(
                    NetworkFault::Reset
                        | NetworkFault::Stall
                        | NetworkFault::Truncate
                        | NetworkFault::Trickle
                )
            )
        };
        if let Some(why) = scenario.actions().find_map(unsupported) {
            Some(why.into())
        } else if scenario.actions().any(within_body) && short() {
            Some(SHORT_BODIES.into())
        } else {
            without_network(&self.config)
        }
    }

    /// Deducts the bytes of a completed scenario.
    pub(crate) fn on_completed(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.scenarios = (self.scenarios - 1).max(1);
    }

    /// Deletes the objects that the drill wrote.
    pub(crate) async fn clean_up(self) -> Result<(), String> {
        match self.seeded {
            Some(seeded) => seeded.delete(&self.regions).await,
            None => Ok(()),
        }
    }
}

/// The description of the scenario, with the network faults that replace its actions.
fn description(scenario: &Scenario) -> String {
    let replacements = [
        (Action::Kill, "killed: connections are refused and reset"),
        (Action::Hang, "hanging: no response"),
        (Action::DisableKey, "key disabled: 403 InvalidAccessKeyId"),
    ];
    let done = replacements
        .iter()
        .filter(|(action, _)| scenario.actions().any(|done| done == *action))
        .map(|(_, how)| *how);
    let done: Vec<_> = done.collect();
    if done.is_empty() {
        scenario.does.into()
    } else {
        format!(
            "{} (on the client's side of the network; {})",
            scenario.does,
            done.join("; ")
        )
    }
}
