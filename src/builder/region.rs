//! From a region as it is given to one at work.

use std::sync::Arc;

use super::FailoverStoreBuilder;
use crate::health::config::BreakerConfig;
use crate::health::{Fleet, Health, Watch};
use crate::limits::RegionLimits;
use crate::metrics::Metrics;
use crate::operation::Operation;
use crate::pace::Pace;
use crate::probed::Probed;
use crate::region::{BreakerOverride, Region, RegionState};
use crate::time::{Dice, Instant};

/// What the regions of one store share.
pub(super) struct Shared<'a> {
    pub(super) builder: &'a FailoverStoreBuilder,
    pub(super) fleet: &'a Arc<Fleet>,
    pub(super) metrics: &'a Arc<Metrics>,
    pub(super) watch: Arc<dyn Watch>,
    pub(super) dice: &'a Dice,
    pub(super) now: Instant,
}

impl Shared<'_> {
    pub(super) fn state(&self, index: usize, name: Arc<str>) -> RegionState {
        let (builder, region) = (self.builder, &self.builder.regions[index]);
        let limits = RegionLimits::new(&region.timeouts, &builder.timeouts);
        let mut breaker = region.breaker_over(&builder.breaker);
        // A trial must be able to take as long as any attempt that may be one.
        let longest = [Operation::Get, Operation::Head, Operation::List].map(|operation| limits.attempt(operation)).into_iter().max();
        breaker.half_open_timeout = breaker.half_open_timeout.max(longest.unwrap_or_default());
        let watch = region.connections.as_ref().map_or_else(|| Arc::clone(&self.watch), |own| own.renewed_by(&self.watch));
        let health = Health::new(index, &Arc::new(breaker), self.fleet, watch, self.metrics, self.dice, self.now);
        RegionState {
            name,
            probed: Probed::default(),
            store: Arc::clone(&region.store),
            health: Arc::new(health),
            pace: Arc::new(Pace::new(builder.throttle.as_ref(), self.now)),
            ordered: region.ordered,
            flavor: region.flavor,
            limits,
            signer: region.signer.clone(),
            reports: region.connections.is_some(),
        }
    }
}

impl Region {
    /// This region's circuit settings, where `store` are those of the store.
    pub(super) fn breaker_over(&self, store: &BreakerConfig) -> BreakerConfig {
        match &self.breaker {
            BreakerOverride::Keys(keys) => keys.over(store),
            BreakerOverride::Whole(config) => config.clone(),
        }
    }
}

/// One line for each region, so that a log tells what a process was built with. Options, where secrets are, are no part of it.
pub(super) fn log_region(store: &str, state: &RegionState, region: &Region) {
    let bucket = region.place.clone().unwrap_or_else(|| state.store.to_string());
    tracing::info!(
        store,
        region = region.name,
        bucket,
        flavor = ?state.flavor,
        weight = region.weight,
        ordered = state.ordered,
        attempt = ?state.limits.attempt(Operation::Get),
        stall = ?state.limits.stall,
        "a region of the store"
    );
}
