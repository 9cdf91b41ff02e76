//! The settings of a simulated store: given, or drawn.

use std::time::Duration;

use super::dice::Dice;
use crate::builder::FailoverStoreBuilder;
use crate::failover::budget::BudgetConfig;
use crate::failover::config::{HomeOut, NotFoundPolicy, ReadConfig, RetryConfig, Rounds, WritePolicy};
use crate::failover::hedge::{HedgeAfter, HedgeConfig};
use crate::health::config::{AllOpen, BreakerConfig};
use crate::limits::TimeoutConfig;
use crate::pace::config::ThrottleConfig;
use crate::plan::{RotationConfig, RotationPolicy};
use crate::probe::config::ProbeConfig;
use crate::settings::Ratio;
use crate::store::FailoverStore;

/// Everything that a store is built from but the stores of its regions, which are simulated.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names and weights of the regions: 2 to 8 of them make sense.
    pub regions: Vec<(String, u32)>,
    /// How requests are spread over them.
    pub rotation: RotationConfig,
    /// Circuits.
    pub breaker: BreakerConfig,
    /// Further rounds.
    pub retry: RetryConfig,
    /// Time limits.
    pub timeouts: TimeoutConfig,
    /// Hedges.
    pub hedge: Option<HedgeConfig>,
    /// Missing keys, broken bodies, keys of home.
    pub reads: ReadConfig,
    /// Where writes go.
    pub writes: WritePolicy,
    /// How much of each region is asked for.
    pub throttle: Option<ThrottleConfig>,
    /// Probes.
    pub probe: Option<ProbeConfig>,
}

impl Default for Settings {
    /// Three regions and every default.
    fn default() -> Self {
        Self {
            regions: names(3).into_iter().map(|name| (name, 1)).collect(),
            rotation: RotationConfig::default(),
            breaker: BreakerConfig::default(),
            retry: RetryConfig::default(),
            timeouts: TimeoutConfig::default(),
            hedge: None,
            reads: ReadConfig::default(),
            writes: WritePolicy::default(),
            throttle: None,
            probe: None,
        }
    }
}

/// The settings of a document; of its regions only names and weights count, and what single regions override is left out.
#[cfg(feature = "config")]
impl From<&crate::config::FailoverConfig> for Settings {
    fn from(config: &crate::config::FailoverConfig) -> Self {
        Self {
            regions: config.regions.iter().map(|region| (region.name.clone(), region.weight)).collect(),
            rotation: config.rotation.clone(),
            breaker: config.breaker.clone(),
            retry: config.retry.clone(),
            timeouts: config.timeouts.clone(),
            hedge: config.hedge,
            reads: config.reads.clone(),
            writes: config.writes.clone(),
            throttle: config.throttle.clone(),
            probe: config.probe.clone(),
        }
    }
}

impl Settings {
    pub(super) fn builder(&self) -> FailoverStoreBuilder {
        let mut builder = FailoverStore::builder()
            .rotation(self.rotation.clone())
            .breaker(self.breaker.clone())
            .retry(self.retry.clone())
            .timeouts(self.timeouts.clone())
            .reads(self.reads.clone())
            .writes(self.writes.clone());
        if let Some(hedge) = self.hedge {
            builder = builder.hedge(hedge);
        }
        if let Some(throttle) = &self.throttle {
            builder = builder.throttle(throttle.clone());
        }
        if let Some(probe) = &self.probe {
            builder = builder.probe(probe.clone());
        }
        builder
    }

    /// Settings that somebody may have, wild ones among them.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let count = dice.between(2, 8) as usize;
        let mut regions: Vec<_> = names(count).into_iter().map(|name| (name, dice.pick(&[1, 1, 1, 1, 2, 3, 0]))).collect();
        regions[0].1 = regions[0].1.max(1);
        let home = || regions[0].0.clone();
        let writes = match dice.between(0, 5) {
            0 => WritePolicy::None { home: None },
            1 => WritePolicy::None { home: Some(home()) },
            2 | 3 => WritePolicy::Home { home: home() },
            4 => WritePolicy::Any { home: None },
            _ => WritePolicy::Any { home: Some(home()) },
        };
        let has_home = writes.home().is_some();
        let mut policies = vec![NotFoundPolicy::Unanimous, NotFoundPolicy::Unanimous, NotFoundPolicy::Reachable, NotFoundPolicy::First];
        if has_home {
            policies.push(NotFoundPolicy::Home);
        }
        let reads = ReadConfig {
            not_found: dice.pick(&policies),
            resume: dice.chance(0.9),
            home_prefixes: if has_home && dice.chance(0.5) { vec!["home".to_owned()] } else { Vec::new() },
            home_out: dice.pick(&[HomeOut::Fail, HomeOut::ServeStale]),
        };
        let policy = dice.pick(&[RotationPolicy::RoundRobin, RotationPolicy::RoundRobin, RotationPolicy::Random, RotationPolicy::Nearest]);
        Self {
            rotation: RotationConfig { policy, canary: share(dice, &[0.0, 0.01, 0.2]) },
            breaker: breaker(dice),
            retry: retry(dice),
            timeouts: timeouts(dice, count),
            hedge: dice.chance(0.5).then(|| hedge(dice)),
            reads,
            writes,
            throttle: dice.chance(0.3).then(|| throttle(dice)),
            probe: dice.chance(0.2).then(|| ProbeConfig { interval: millis(dice, 500, 5000), ..ProbeConfig::default() }),
            regions,
        }
    }
}

fn breaker(dice: &mut Dice) -> BreakerConfig {
    let open_for = millis(dice, 500, 20_000);
    BreakerConfig {
        enabled: dice.chance(0.95),
        failure_threshold: dice.between(1, 6) as u32,
        failure_rate: share(dice, &[0.2, 0.5, 0.9]),
        window: millis(dice, 1000, 20_000),
        minimum_calls: dice.between(3, 30) as u32,
        silence: millis(dice, 100, 2000),
        open_for,
        open_for_max: open_for * dice.between(1, 3) as u32,
        jitter: share(dice, &[0.0, 0.1, 0.5]),
        half_open_max_calls: dice.pick(&[1, 1, 1, 2, 3]),
        success_threshold: dice.between(1, 3) as u32,
        half_open_timeout: millis(dice, 500, 30_000),
        trial_patience: millis(dice, 5, 400),
        ramp: dice.pick(&[Duration::ZERO, Duration::from_secs(10)]),
        all_open: dice.pick(&[AllOpen::Probe, AllOpen::Probe, AllOpen::FailFast]),
        early_probe_interval: millis(dice, 100, 2000),
    }
}

fn retry(dice: &mut Dice) -> RetryConfig {
    let fixed = std::num::NonZeroU32::new(dice.between(1, 4) as u32).map_or(Rounds::Auto, Rounds::Fixed);
    RetryConfig {
        enabled: dice.chance(0.9),
        rounds: dice.pick(&[Rounds::Auto, fixed]),
        base_delay: millis(dice, 5, 1000),
        budget: BudgetConfig { ratio: dice.pick(&[0.0, 0.1, 0.2]), min_per_second: dice.pick(&[0, 1, 10]) },
        ..RetryConfig::default()
    }
}

fn timeouts(dice: &mut Dice, regions: usize) -> TimeoutConfig {
    let attempt = millis(dice, 200, 5000);
    TimeoutConfig {
        attempt: Some(attempt),
        total: Some(attempt.mul_f64(1.0 + dice.unit() * regions as f64)),
        stall: Some(millis(dice, 100, 10_000)),
        ..TimeoutConfig::default()
    }
}

fn hedge(dice: &mut Dice) -> HedgeConfig {
    let fixed = HedgeAfter::Fixed(millis(dice, 2, 80));
    let after = dice.pick(&[HedgeAfter::P95, fixed]);
    HedgeConfig { after, max_extra: share(dice, &[0.0, 0.05, 0.3]) }
}

fn throttle(dice: &mut Dice) -> ThrottleConfig {
    ThrottleConfig {
        reads_per_second: dice.pick(&[2, 20, 5000]),
        writes_per_second: dice.pick(&[1, 20, 3000]),
        adaptive: dice.chance(0.7),
        max_in_flight: dice.pick(&[None, Some(1), Some(4)]),
    }
}

fn share(dice: &mut Dice, among: &[f64]) -> Ratio {
    Ratio::literal(dice.pick(among))
}

fn millis(dice: &mut Dice, low: u64, high: u64) -> Duration {
    Duration::from_millis(dice.between(low, high))
}

fn names(count: usize) -> Vec<String> {
    ["us-east-1", "eu-west-1", "ap-south-1", "sa-east-1", "us-west-2", "eu-north-1", "ca-west-1", "af-south-1"]
        .into_iter()
        .map(str::to_owned)
        .take(count)
        .collect()
}
