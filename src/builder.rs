//! The builder: the only place where the rooms are joined.

use std::collections::BTreeSet;
use std::sync::Arc;

use object_store::path::Path;

use crate::event::Events;
use crate::failover::Core;
use crate::failover::budget::Budget;
use crate::failover::config::{NotFoundPolicy, ReadConfig, RetryConfig, WritePolicy};
use crate::failover::hedge::{HedgeConfig, Hedging};
use crate::failover::scope::WriteRule;
use crate::health::config::BreakerConfig;
use crate::health::{Fleet, Health, Watch};
use crate::limits::{CallLimits, RegionLimits, TimeoutConfig};
use crate::operation::Operation;
use crate::pace::Pace;
use crate::pace::config::ThrottleConfig;
use crate::plan::{Rotation, RotationConfig};
use crate::region::{BreakerOverride, Region, RegionSet, RegionState, Regions};
use crate::settings::ConfigError;
use crate::store::FailoverStore;
use crate::time::{self, Dice};

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
            seed: None,
        }
    }
}

impl FailoverStoreBuilder {
    /// The name that tells this store from others in one process, in logs and metrics (default `"default"`).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// One more region. Their order matters to `nearest` only.
    pub fn region(mut self, region: Region) -> Self {
        self.regions.push(region);
        self
    }

    /// How requests are spread over the regions.
    pub fn rotation(mut self, config: RotationConfig) -> Self {
        self.rotation = config;
        self
    }

    /// When a region is left alone, and what brings it back.
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

    /// What it takes to say that an object does not exist.
    pub fn not_found(mut self, policy: NotFoundPolicy) -> Self {
        self.reads.not_found = policy;
        self
    }

    /// Everything about reads, [`not_found`](Self::not_found) included.
    pub fn reads(mut self, config: ReadConfig) -> Self {
        self.reads = config;
        self
    }

    /// Where writes go, and which region is home.
    pub fn writes(mut self, policy: WritePolicy) -> Self {
        self.writes = policy;
        self
    }

    /// How much of each region is asked for at most (by default there is no limit).
    pub fn throttle(mut self, config: ThrottleConfig) -> Self {
        self.throttle = Some(config);
        self
    }

    /// Makes everything that chance decides replay: for tests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The store.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the key that cannot be meant, and why.
    pub fn build(self) -> Result<FailoverStore, ConfigError> {
        self.validate()?;
        let home = self.home()?;
        let authority = home.filter(|_| self.writes.rule() != WriteRule::Anywhere || self.reads.not_found == NotFoundPolicy::Home);
        let now = time::now();
        let dice = Dice::new(self.seed);
        let fleet = Arc::new(Fleet::new(self.regions.len(), now));
        let name: Arc<str> = self.name.as_str().into();
        let events = Events::new(Arc::clone(&name));
        let watch: Arc<dyn Watch> = Arc::new(events.clone());
        let states: Vec<_> = self
            .regions
            .iter()
            .enumerate()
            .map(|(index, region)| {
                let limits = RegionLimits::new(&region.timeouts, &self.timeouts);
                let mut breaker = region.breaker_over(&self.breaker);
                // A trial must be able to take as long as any attempt that may be one.
                let longest =
                    [Operation::Get, Operation::Head, Operation::List].map(|operation| limits.attempt(operation)).into_iter().max();
                breaker.half_open_timeout = breaker.half_open_timeout.max(longest.unwrap_or_default());
                let region_name: Arc<str> = region.name.as_str().into();
                let watch = region.connections.as_ref().map_or_else(|| Arc::clone(&watch), |own| own.renewed_by(&watch));
                let health = Health::new(Arc::clone(&region_name), index, &Arc::new(breaker), &fleet, watch, &dice, now);
                RegionState {
                    name: region_name,
                    store: Arc::clone(&region.store),
                    health: Arc::new(health),
                    pace: Arc::new(Pace::new(self.throttle.as_ref(), now)),
                    ordered: region.ordered,
                    flavor: region.flavor,
                    limits,
                    signer: region.signer.clone(),
                    reports: region.connections.is_some(),
                }
            })
            .collect();
        let core = Core {
            rotation: Rotation::new(self.rotation, self.regions.iter().map(|region| region.weight).collect(), &dice),
            regions: Regions::new(states, fleet),
            limits: CallLimits::new(&self.timeouts),
            budget: Budget::new(self.retry.budget, now),
            hedging: Hedging::new(self.hedge, now),
            retry: self.retry,
            not_found: self.reads.not_found,
            home,
            write_rule: self.writes.rule(),
            home_prefixes: self.reads.home_prefixes.iter().map(|prefix| Path::from(prefix.as_str())).collect(),
            home_out: self.reads.home_out,
            authority,
            circuits_can_open: self.regions.iter().all(|region| region.breaker_over(&self.breaker).enabled),
            patience: self.breaker.early_probe_interval,
            events,
            dice,
        };
        Ok(FailoverStore::new(name, self.reads.resume, core))
    }

    fn validate(&self) -> Result<(), ConfigError> {
        if self.regions.is_empty() {
            return Err(ConfigError::NoRegions);
        }
        if self.regions.len() > RegionSet::CAPACITY {
            return Err(ConfigError::TooManyRegions(self.regions.len(), RegionSet::CAPACITY));
        }
        if self.regions.iter().all(|region| region.weight == 0) {
            return Err(ConfigError::invalid("regions.weight", "all are 0: no region would ever be asked"));
        }
        self.breaker.validate("breaker")?;
        self.retry.validate()?;
        self.hedge.iter().try_for_each(HedgeConfig::validate)?;
        self.throttle.as_ref().map_or(Ok(()), |throttle| throttle.validate("throttle"))?;
        self.timeouts.validate("timeouts")?;
        self.timeouts.validate_against_total("timeouts", &self.timeouts)?;
        let mut names = BTreeSet::new();
        for (index, region) in self.regions.iter().enumerate() {
            let at = format!("regions[{index}]");
            if region.name.trim().is_empty() {
                return Err(ConfigError::invalid(format!("{at}.name"), "must not be empty"));
            }
            if !names.insert(&region.name) {
                return Err(ConfigError::DuplicateRegion(region.name.clone()));
            }
            region.breaker_over(&self.breaker).validate(&format!("{at}.breaker"))?;
            region.timeouts.validate(&format!("{at}.timeouts"))?;
            region.timeouts.validate_for_region(&format!("{at}.timeouts"))?;
            region.timeouts.validate_against_total(&format!("{at}.timeouts"), &self.timeouts)?;
        }
        self.warn();
        Ok(())
    }

    /// What may be meant, but defeats failover.
    fn warn(&self) {
        if self.regions.len() == 1 && self.rotation.canary_matters() {
            tracing::warn!("rotation.canary has no effect: there is only one region");
        }
        let total = CallLimits::new(&self.timeouts).total(Operation::Get, self.regions.len());
        let attempt = RegionLimits::new(&TimeoutConfig::default(), &self.timeouts).attempt(Operation::Get);
        let wanted = attempt * self.regions.len() as u32;
        if self.regions.len() > 1 && total < wanted {
            tracing::warn!(
                ?total,
                ?attempt,
                "a call over all regions would need {wanted:?}: attempts are cut short, and a region that hangs is not charged for those; \
                 raise timeouts.total or lower timeouts.attempt"
            );
        }
    }

    /// The index of the home region, if one is named.
    fn home(&self) -> Result<Option<usize>, ConfigError> {
        let Some(home) = self.writes.home() else {
            let why = "needs a home region: name it in writes.home";
            return match (self.reads.not_found, self.reads.home_prefixes.is_empty()) {
                (NotFoundPolicy::Home, _) => Err(ConfigError::invalid("reads.not_found", format!("\"home\" {why}"))),
                (_, false) => Err(ConfigError::invalid("reads.home_prefixes", why)),
                _ => Ok(None),
            };
        };
        let index = self.regions.iter().position(|region| region.name == home);
        let index = index.ok_or_else(|| ConfigError::UnknownRegion { key: "writes.home".into(), region: home.into() })?;
        if self.regions[index].weight == 0 && self.writes.rule() != WriteRule::Nowhere {
            return Err(ConfigError::invalid(
                "writes.home",
                format!("\"{home}\" has weight 0: writes would go to a region that is kept out of use"),
            ));
        }
        Ok(Some(index))
    }
}

impl Region {
    /// This region's circuit settings, where `store` are those of the store.
    fn breaker_over(&self, store: &BreakerConfig) -> BreakerConfig {
        match &self.breaker {
            BreakerOverride::Keys(keys) => keys.over(store),
            BreakerOverride::Whole(config) => config.clone(),
        }
    }
}
