//! The builder, the only place where the components are connected.

mod region;

use std::collections::BTreeSet;
use std::sync::Arc;

use object_store::path::Path;

use self::region::{Shared, log_region};
use crate::event::Events;
use crate::event::config::EventsConfig;
use crate::failover::Engine;
use crate::failover::budget::RetryBudget;
use crate::failover::config::{NotFoundPolicy, ReadConfig, RetryConfig, WritePolicy, WriteRule};
use crate::failover::hedge::{HedgeConfig, Hedger};
use crate::health::Peers;
use crate::health::config::BreakerConfig;
use crate::metrics::Metrics;
use crate::plan::{Rotation, RotationConfig};
use crate::probe::Probes;
use crate::probe::config::ProbeConfig;
use crate::region::{Region, RegionSet, Regions};
use crate::runtime::clock;
use crate::runtime::rng::SeededRng;
use crate::settings::ConfigError;
use crate::store::FailoverStore;
use crate::throttle::config::ThrottleConfig;
use crate::timeouts::{CallTimeouts, RegionTimeouts, TimeoutConfig};
use crate::types::Operation;

/// Builds a [`FailoverStore`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct FailoverStoreBuilder {
    name: String,
    regions: Vec<Region>,
    rotation: RotationConfig,
    breaker: BreakerConfig,
    retry: RetryConfig,
    timeouts: TimeoutConfig,
    hedge: Option<HedgeConfig>,
    reads: ReadConfig,
    writes: WritePolicy,
    throttle: Option<ThrottleConfig>,
    events: EventsConfig,
    probe: Option<ProbeConfig>,
    seed: Option<u64>,
}

impl FailoverStore {
    /// A builder with default settings and no region yet.
    pub fn builder() -> FailoverStoreBuilder {
        FailoverStoreBuilder {
            name: "default".into(),
            regions: Vec::new(),
            rotation: RotationConfig::default(),
            breaker: BreakerConfig::default(),
            retry: RetryConfig::default(),
            timeouts: TimeoutConfig::default(),
            hedge: None,
            reads: ReadConfig::default(),
            writes: WritePolicy::default(),
            throttle: None,
            events: EventsConfig::default(),
            probe: None,
            seed: None,
        }
    }
}

impl FailoverStoreBuilder {
    /// The name of the store in logs, metrics and `Display` (default `"default"`). Two stores of
    /// one name in a process share their metrics.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds a region. Their order matters only to `nearest`.
    pub fn region(mut self, region: Region) -> Self {
        self.regions.push(region);
        self
    }

    /// How requests are spread over the regions.
    pub fn rotation(mut self, config: RotationConfig) -> Self {
        self.rotation = config;
        self
    }

    /// When a circuit opens, and when it closes again.
    pub fn breaker(mut self, config: BreakerConfig) -> Self {
        self.breaker = config;
        self
    }

    /// Further rounds, after every region has failed once.
    pub fn retry(mut self, config: RetryConfig) -> Self {
        self.retry = config;
        self
    }

    /// Time limits.
    pub fn timeouts(mut self, config: TimeoutConfig) -> Self {
        self.timeouts = config;
        self
    }

    /// Second attempts beside slow ones (default none).
    pub fn hedge(mut self, config: HedgeConfig) -> Self {
        self.hedge = Some(config);
        self
    }

    /// When an object counts as missing. A later call of [`reads`](Self::reads) replaces it.
    pub fn not_found(mut self, policy: NotFoundPolicy) -> Self {
        self.reads.not_found = policy;
        self
    }

    /// All settings of reads, including [`not_found`](Self::not_found).
    pub fn reads(mut self, config: ReadConfig) -> Self {
        self.reads = config;
        self
    }

    /// Where writes go, and which region is home.
    pub fn writes(mut self, policy: WritePolicy) -> Self {
        self.writes = policy;
        self
    }

    /// Rate and concurrency limits per region (default none).
    pub fn throttle(mut self, config: ThrottleConfig) -> Self {
        self.throttle = Some(config);
        self
    }

    /// Levels of log lines, and the threshold of alerts.
    pub fn events(mut self, config: EventsConfig) -> Self {
        self.events = config;
        self
    }

    /// The canary and the interval of background probes (default none). They run only after
    /// [`start_probes`](FailoverStore::start_probes).
    pub fn probe(mut self, config: ProbeConfig) -> Self {
        self.probe = Some(config);
        self
    }

    /// Seeds all random decisions, for reproducible tests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Builds the store.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the invalid key and the reason.
    pub fn build(self) -> Result<FailoverStore, ConfigError> {
        self.validate()?;
        let home = self.home()?;
        let probes = Probes::new(self.probe.as_ref())?;
        let now = clock::now();
        let rng = SeededRng::new(self.seed);
        let peers = Arc::new(Peers::new(self.regions.len(), now));
        let name: Arc<str> = self.name.as_str().into();
        let names: Vec<Arc<str>> = self
            .regions
            .iter()
            .map(|region| region.name.as_str().into())
            .collect();
        let metrics = Arc::new(Metrics::new(
            Arc::clone(&name),
            names.clone(),
            self.writes.rule() != WriteRule::Nowhere,
        ));
        let events = Events::new(Arc::clone(&name), names.clone(), self.events.clone());
        let shared = Shared {
            builder: &self,
            peers: &peers,
            metrics: &metrics,
            observer: Arc::new(events.clone()),
            rng: &rng,
            now,
        };
        let states: Vec<_> = names
            .into_iter()
            .enumerate()
            .map(|(index, name)| shared.state(index, name))
            .collect();
        states
            .iter()
            .zip(&self.regions)
            .for_each(|(state, region)| log_region(&name, state, region));
        let authority = self.authority(home);
        let engine = Engine {
            rotation: Rotation::new(
                self.rotation,
                self.regions.iter().map(|region| region.weight).collect(),
                &rng,
            ),
            regions: Regions::new(states, peers),
            timeouts: CallTimeouts::new(&self.timeouts),
            budget: RetryBudget::new(self.retry.budget, now),
            hedger: Hedger::new(self.hedge, now),
            retry: self.retry,
            not_found: self.reads.not_found,
            home,
            write_rule: self.writes.rule(),
            home_prefixes: self
                .reads
                .home_prefixes
                .iter()
                .map(|prefix| Path::from(prefix.as_str()))
                .collect(),
            home_out: self.reads.home_out,
            authority,
            have_circuits: self
                .regions
                .iter()
                .all(|region| region.breaker_over(&self.breaker).enabled),
            last_resort_wait: self.breaker.early_probe_interval,
            metrics,
            events,
            rng,
        };
        Ok(FailoverStore::new(name, self.reads.resume, engine, probes))
    }

    fn validate(&self) -> Result<(), ConfigError> {
        if self.regions.is_empty() {
            return Err(ConfigError::NoRegions);
        }
        if self.regions.len() > RegionSet::CAPACITY {
            return Err(ConfigError::TooManyRegions(
                self.regions.len(),
                RegionSet::CAPACITY,
            ));
        }
        if self.regions.iter().all(|region| region.weight == 0) {
            return Err(ConfigError::invalid(
                "regions.weight",
                "all are 0: no region would receive requests",
            ));
        }
        self.breaker.validate("breaker")?;
        self.retry.validate()?;
        self.hedge.iter().try_for_each(HedgeConfig::validate)?;
        self.throttle
            .as_ref()
            .map_or(Ok(()), |throttle| throttle.validate("throttle"))?;
        self.events.validate("events")?;
        self.probe.as_ref().map_or(Ok(()), ProbeConfig::validate)?;
        self.timeouts.validate("timeouts")?;
        self.timeouts
            .validate_against_total("timeouts", &self.timeouts)?;
        let mut names = BTreeSet::new();
        for (index, region) in self.regions.iter().enumerate() {
            let at = format!("regions[{index}]");
            if region.name.trim().is_empty() {
                return Err(ConfigError::invalid(
                    format!("{at}.name"),
                    "must not be empty",
                ));
            }
            if !names.insert(&region.name) {
                return Err(ConfigError::DuplicateRegion(region.name.clone()));
            }
            region
                .breaker_over(&self.breaker)
                .validate(&format!("{at}.breaker"))?;
            region.timeouts.validate(&format!("{at}.timeouts"))?;
            region
                .timeouts
                .validate_for_region(&format!("{at}.timeouts"))?;
            region
                .timeouts
                .validate_against_total(&format!("{at}.timeouts"), &self.timeouts)?;
        }
        self.warn();
        Ok(())
    }

    /// Warns about valid settings that weaken failover.
    fn warn(&self) {
        if self.regions.len() == 1 && self.rotation.uses_canary() {
            tracing::warn!("rotation.canary has no effect: there is only one region");
        }
        let total = CallTimeouts::new(&self.timeouts).total(Operation::Get, self.regions.len());
        let attempt =
            RegionTimeouts::new(&TimeoutConfig::default(), &self.timeouts).attempt(Operation::Get);
        let needed = attempt * self.regions.len() as u32;
        if self.regions.len() > 1 && total < needed {
            tracing::warn!(
                ?total,
                ?attempt,
                ?needed,
                "timeouts.total is shorter than one attempt per region: attempts are truncated, \
                 and a truncated attempt does not charge a hanging region"
            );
        }
    }

    /// The region whose 404 is final: home, unless other regions accept writes too.
    fn authority(&self, home: Option<usize>) -> Option<usize> {
        home.filter(|_| {
            self.writes.rule() != WriteRule::Anywhere
                || self.reads.not_found == NotFoundPolicy::Home
        })
    }

    /// The index of the home region, if one is named.
    fn home(&self) -> Result<Option<usize>, ConfigError> {
        let Some(home) = self.writes.home() else {
            let detail = "needs a home region: name it in writes.home";
            return match (self.reads.not_found, self.reads.home_prefixes.is_empty()) {
                (NotFoundPolicy::Home, _) => Err(ConfigError::invalid(
                    "reads.not_found",
                    format!("\"home\" {detail}"),
                )),
                (_, false) => Err(ConfigError::invalid("reads.home_prefixes", detail)),
                _ => Ok(None),
            };
        };
        let index = self.regions.iter().position(|region| region.name == home);
        let index = index.ok_or_else(|| ConfigError::UnknownRegion {
            key: "writes.home".into(),
            region: home.into(),
        })?;
        if self.regions[index].weight == 0 && self.writes.rule() != WriteRule::Nowhere {
            return Err(ConfigError::invalid(
                "writes.home",
                format!(
                    "\"{home}\" has weight 0: writes would go to a region that is kept out of use"
                ),
            ));
        }
        Ok(Some(index))
    }
}
