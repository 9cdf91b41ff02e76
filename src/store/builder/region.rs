//! Builds the running state of a region from its configuration.

use std::sync::Arc;

use super::FailoverStoreBuilder;
use crate::health::config::BreakerConfig;
use crate::health::{HealthObserver, Peers, RegionHealth};
use crate::metrics::Metrics;
use crate::region::probe_state::ProbeState;
use crate::region::{Region, RegionBreaker, RegionState};
use crate::runtime::atomic_instant::AtomicInstant;
use crate::runtime::clock::Instant;
use crate::runtime::rng::SeededRng;
use crate::throttle::Throttle;
use crate::timeouts::RegionTimeouts;
use crate::types::Operation;

/// What all regions of one store share.
pub(super) struct Shared<'a> {
    pub(super) builder: &'a FailoverStoreBuilder,
    pub(super) peers: &'a Arc<Peers>,
    pub(super) metrics: &'a Arc<Metrics>,
    pub(super) observer: Arc<dyn HealthObserver>,
    pub(super) rng: &'a SeededRng,
    pub(super) now: Instant,
}

impl Shared<'_> {
    pub(super) fn state(&self, index: usize, name: Arc<str>) -> RegionState {
        let (builder, region) = (self.builder, &self.builder.regions[index]);
        let timeouts = RegionTimeouts::new(&region.timeouts, &builder.timeouts);
        let mut breaker = region.breaker_over(&builder.breaker);
        // A trial may take as long as any attempt that can be one.
        let longest = [Operation::Get, Operation::Head, Operation::List]
            .map(|operation| timeouts.attempt(operation))
            .into_iter()
            .max();
        breaker.half_open_timeout = breaker.half_open_timeout.max(longest.unwrap_or_default());
        let observer = region.connections.as_ref().map_or_else(
            || Arc::clone(&self.observer),
            |connections| connections.observe(&self.observer),
        );
        let health = RegionHealth::new(
            index,
            &Arc::new(breaker),
            self.peers,
            observer,
            self.metrics,
            self.rng,
            self.now,
        );
        RegionState {
            name,
            probe_state: ProbeState::default(),
            store: Arc::clone(&region.store),
            health: Arc::new(health),
            throttle: Arc::new(Throttle::new(builder.throttle.as_ref(), self.now)),
            ordered: region.ordered,
            flavor: region.flavor,
            timeouts,
            signer: region.signer.clone(),
            records_wire: region.connections.is_some(),
            has_identity: region.has_identity,
            bucket_seen: AtomicInstant::new(self.now),
        }
    }
}

impl Region {
    /// The circuit settings of this region, given those of the store.
    pub(super) fn breaker_over(&self, store: &BreakerConfig) -> BreakerConfig {
        match &self.breaker {
            RegionBreaker::Inherit(keys) => keys.over(store),
            RegionBreaker::Replace(config) => config.clone(),
        }
    }
}

/// Logs what a region was built with. Options are left out, because they may contain secrets.
pub(super) fn log_region(store: &str, state: &RegionState, region: &Region) {
    let bucket = region
        .location
        .clone()
        .unwrap_or_else(|| state.store.to_string());
    tracing::info!(
        store,
        region = region.name,
        bucket,
        flavor = ?state.flavor,
        weight = region.weight,
        ordered = state.ordered,
        attempt = ?state.timeouts.attempt(Operation::Get),
        stall = ?state.timeouts.stall,
        "region configured"
    );
}
