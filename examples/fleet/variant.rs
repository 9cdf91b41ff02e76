//! With everything on, and without each of the things that keep a herd away.

use std::num::NonZeroU32;
use std::time::Duration;

use object_store_failover::{BreakerConfig, BudgetConfig, FailoverStoreBuilder, Ratio, RetryConfig, Rounds};

/// What is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Nothing,
    Jitter,
    Ramp,
    JitterAndRamp,
    Budget,
}

impl Variant {
    /// What matters where the others have room for a dead region's load.
    pub(crate) const WITH_ROOM: [Self; 4] = [Self::Nothing, Self::Jitter, Self::Ramp, Self::JitterAndRamp];
    /// What matters where they have not.
    pub(crate) const WITHOUT_ROOM: [Self; 2] = [Self::Nothing, Self::Budget];

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

    /// Three rounds each, so that there is something for the budget to keep within bounds.
    pub(crate) fn settings(self, builder: FailoverStoreBuilder) -> FailoverStoreBuilder {
        let mut breaker = BreakerConfig::default();
        if matches!(self, Self::Jitter | Self::JitterAndRamp) {
            breaker.jitter = Ratio::new(0.0).unwrap_or(breaker.jitter);
        }
        if matches!(self, Self::Ramp | Self::JitterAndRamp) {
            breaker.ramp = Duration::ZERO;
        }
        let rounds = NonZeroU32::new(3).map_or(Rounds::Auto, Rounds::Fixed);
        let mut budget = BudgetConfig { min_per_second: 1, ..BudgetConfig::default() };
        if self == Self::Budget {
            budget = BudgetConfig { ratio: 1e6, min_per_second: 1_000_000 };
        }
        builder.breaker(breaker).retry(RetryConfig { rounds, budget, ..RetryConfig::default() })
    }
}
