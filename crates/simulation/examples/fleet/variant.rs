//! The settings of the runs: all defaults, and without each mechanism that limits a load peak.

use std::num::NonZeroU32;
use std::time::Duration;

use object_store_failover::FailoverStoreBuilder;
use object_store_failover::config::{BreakerConfig, BudgetConfig, Ratio, RetryConfig, Rounds};

/// The mechanism that is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Nothing,
    Jitter,
    Ramp,
    JitterAndRamp,
    Budget,
}

impl Variant {
    /// Runs in which the other regions have capacity for the load of a failed one.
    pub(crate) const AMPLE: [Self; 4] =
        [Self::Nothing, Self::Jitter, Self::Ramp, Self::JitterAndRamp];
    /// Runs in which they have not.
    pub(crate) const SCARCE: [Self; 2] = [Self::Nothing, Self::Budget];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "everything on",
            Self::Jitter => "without jitter",
            Self::Ramp => "without ramp",
            Self::Budget => "without budget",
            Self::JitterAndRamp => "without both",
        }
    }

    pub(crate) fn color(self) -> &'static str {
        match self {
            Self::Nothing => "#0a7d33",
            Self::Jitter => "#1f77b4",
            Self::Ramp => "#ff7f0e",
            Self::Budget => "#9467bd",
            Self::JitterAndRamp => "#d62728",
        }
    }

    /// Three rounds, so that the budget has retries to limit.
    pub(crate) fn settings(self, builder: FailoverStoreBuilder) -> FailoverStoreBuilder {
        let mut breaker = BreakerConfig::default();
        if matches!(self, Self::Jitter | Self::JitterAndRamp) {
            breaker.jitter = Ratio::new(0.0).unwrap_or(breaker.jitter);
        }
        if matches!(self, Self::Ramp | Self::JitterAndRamp) {
            breaker.ramp = Duration::ZERO;
        }
        let rounds = NonZeroU32::new(3).map_or(Rounds::Auto, Rounds::Fixed);
        let mut budget = BudgetConfig {
            min_per_second: 1,
            ..BudgetConfig::default()
        };
        if self == Self::Budget {
            budget = BudgetConfig {
                ratio: 1e6,
                min_per_second: 1_000_000,
            };
        }
        builder.breaker(breaker).retry(RetryConfig {
            rounds,
            budget,
            ..RetryConfig::default()
        })
    }
}
