//! The settings of the store under test: given or drawn.

use std::time::Duration;

use object_store_failover::config::{
    AllOpen, BreakerConfig, BudgetConfig, HedgeAfter, HedgeConfig, HomeOut, NotFoundPolicy,
    ProbeConfig, Ratio, ReadConfig, RetryConfig, RotationConfig, RotationPolicy, Rounds,
    ThrottleConfig, TimeoutConfig, WritePolicy,
};
use object_store_failover::{FailoverConfig, FailoverStore, FailoverStoreBuilder};

use crate::rng::Rng;

/// The settings of the store under test. The stores of its regions are simulated.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names and weights of the regions. Drawn settings have 2 to 8.
    pub regions: Vec<(String, u32)>,
    /// How requests are distributed over the regions.
    pub rotation: RotationConfig,
    /// The circuits.
    pub breaker: BreakerConfig,
    /// Further rounds and their budget.
    pub retry: RetryConfig,
    /// The limits of attempts and calls.
    pub timeouts: TimeoutConfig,
    /// Hedges; None for none.
    pub hedge: Option<HedgeConfig>,
    /// Missing keys, broken bodies, keys of home.
    pub reads: ReadConfig,
    /// Where writes go.
    pub writes: WritePolicy,
    /// The limits per region; None for none.
    pub throttle: Option<ThrottleConfig>,
    /// Background health checks; None for none.
    pub probe: Option<ProbeConfig>,
}

impl Default for Settings {
    /// Three regions and all defaults.
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

/// The settings of a document. Of its regions only names and weights are used: per-region overrides
/// are ignored.
impl From<&FailoverConfig> for Settings {
    fn from(config: &FailoverConfig) -> Self {
        Self {
            regions: config
                .regions
                .iter()
                .map(|region| (region.name.clone(), region.weight))
                .collect(),
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
    pub(crate) fn builder(&self) -> FailoverStoreBuilder {
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

    /// Draws settings, extreme values included.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let count = rng.between(2, 8) as usize;
        let mut regions: Vec<_> = names(count)
            .into_iter()
            .map(|name| (name, rng.pick(&[1, 1, 1, 1, 2, 3, 0])))
            .collect();
        regions[0].1 = regions[0].1.max(1);
        let home = || regions[0].0.clone();
        let writes = match rng.between(0, 5) {
            0 => WritePolicy::None { home: None },
            1 => WritePolicy::None { home: Some(home()) },
            2 | 3 => WritePolicy::Home { home: home() },
            4 => WritePolicy::Any { home: None },
            _ => WritePolicy::Any { home: Some(home()) },
        };
        let has_home = !matches!(
            writes,
            WritePolicy::None { home: None } | WritePolicy::Any { home: None }
        );
        let mut policies = vec![
            NotFoundPolicy::Unanimous,
            NotFoundPolicy::Unanimous,
            NotFoundPolicy::Reachable,
            NotFoundPolicy::First,
        ];
        if has_home {
            policies.push(NotFoundPolicy::Home);
        }
        let reads = ReadConfig {
            not_found: rng.pick(&policies),
            resume: rng.chance(0.9),
            home_prefixes: if has_home && rng.chance(0.5) {
                vec!["home".to_owned()]
            } else {
                Vec::new()
            },
            home_out: rng.pick(&[HomeOut::Fail, HomeOut::ServeStale]),
        };
        let policy = rng.pick(&[
            RotationPolicy::RoundRobin,
            RotationPolicy::RoundRobin,
            RotationPolicy::Random,
            RotationPolicy::Nearest,
        ]);
        Self {
            rotation: RotationConfig {
                policy,
                canary: share(rng, &[0.0, 0.01, 0.2]),
            },
            breaker: breaker(rng),
            retry: retry(rng),
            timeouts: timeouts(rng, count),
            hedge: rng.chance(0.5).then(|| hedge(rng)),
            reads,
            writes,
            throttle: rng.chance(0.3).then(|| throttle(rng)),
            probe: rng.chance(0.2).then(|| ProbeConfig {
                interval: millis(rng, 500, 5000),
                ..ProbeConfig::default()
            }),
            regions,
        }
    }
}

fn breaker(rng: &mut Rng) -> BreakerConfig {
    let open_for = millis(rng, 500, 20_000);
    BreakerConfig {
        enabled: rng.chance(0.95),
        failure_threshold: rng.between(1, 6) as u32,
        failure_rate: share(rng, &[0.2, 0.5, 0.9]),
        window: millis(rng, 1000, 20_000),
        minimum_calls: rng.between(3, 30) as u32,
        silence: millis(rng, 100, 2000),
        open_for,
        open_for_max: open_for * rng.between(1, 3) as u32,
        jitter: share(rng, &[0.0, 0.1, 0.5]),
        half_open_max_calls: rng.pick(&[1, 1, 1, 2, 3]),
        success_threshold: rng.between(1, 3) as u32,
        half_open_timeout: millis(rng, 500, 30_000),
        trial_patience: millis(rng, 5, 400),
        ramp: rng.pick(&[Duration::ZERO, Duration::from_secs(10)]),
        all_open: rng.pick(&[AllOpen::Probe, AllOpen::Probe, AllOpen::FailFast]),
        early_probe_interval: millis(rng, 100, 2000),
    }
}

fn retry(rng: &mut Rng) -> RetryConfig {
    let fixed =
        std::num::NonZeroU32::new(rng.between(1, 4) as u32).map_or(Rounds::Auto, Rounds::Fixed);
    RetryConfig {
        enabled: rng.chance(0.9),
        rounds: rng.pick(&[Rounds::Auto, fixed]),
        base_delay: millis(rng, 5, 1000),
        budget: BudgetConfig {
            ratio: rng.pick(&[0.0, 0.1, 0.2]),
            min_per_second: rng.pick(&[0, 1, 10]),
        },
        ..RetryConfig::default()
    }
}

fn timeouts(rng: &mut Rng, regions: usize) -> TimeoutConfig {
    let attempt = millis(rng, 200, 5000);
    TimeoutConfig {
        attempt: Some(attempt),
        total: Some(attempt.mul_f64(1.0 + rng.unit() * regions as f64)),
        stall: Some(millis(rng, 100, 10_000)),
        ..TimeoutConfig::default()
    }
}

fn hedge(rng: &mut Rng) -> HedgeConfig {
    let fixed = HedgeAfter::Fixed(millis(rng, 2, 80));
    let after = rng.pick(&[HedgeAfter::P95, fixed]);
    HedgeConfig {
        after,
        max_extra: share(rng, &[0.0, 0.05, 0.3]),
    }
}

fn throttle(rng: &mut Rng) -> ThrottleConfig {
    ThrottleConfig {
        reads_per_second: rng.pick(&[2, 20, 5000]),
        writes_per_second: rng.pick(&[1, 20, 3000]),
        adaptive: rng.chance(0.7),
        max_in_flight: rng.pick(&[None, Some(1), Some(4)]),
    }
}

fn share(rng: &mut Rng, among: &[f64]) -> Ratio {
    Ratio::new(rng.pick(among)).expect("a share from 0 to 1")
}

fn millis(rng: &mut Rng, low: u64, high: u64) -> Duration {
    Duration::from_millis(rng.between(low, high))
}

fn names(count: usize) -> Vec<String> {
    [
        "us-east-1",
        "eu-west-1",
        "ap-south-1",
        "sa-east-1",
        "us-west-2",
        "eu-north-1",
        "ca-west-1",
        "af-south-1",
    ]
    .into_iter()
    .map(str::to_owned)
    .take(count)
    .collect()
}
