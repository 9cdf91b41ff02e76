//! The rotation: which region a request asks first.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;

use super::order::Order;
use super::policy;
use super::weights::Weights;
use crate::region::RegionSet;
use crate::runtime::rng::SeededRng;
use crate::settings::Ratio;
use crate::types::Operation;

/// How requests are spread over the regions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RotationConfig {
    /// Which region is asked first (default `round_robin`).
    pub policy: RotationPolicy,
    /// Share of requests that `nearest` starts in another region (default 0.01), so that a fault
    /// there is noticed before the region is needed. 0: the other regions are untested until then.
    pub canary: Ratio,
}

/// Which region is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RotationPolicy {
    /// Each region in turn, from a random start, with one counter per operation.
    RoundRobin,
    /// A random region.
    Random,
    /// The first in configured order, except for the canary share.
    Nearest,
}

impl RotationConfig {
    /// A canary share is configured, which has no effect with a single region.
    pub(crate) fn uses_canary(&self) -> bool {
        self.policy == RotationPolicy::Nearest && self.canary.get() > 0.0
    }
}

impl Default for RotationConfig {
    fn default() -> Self {
        Self {
            policy: RotationPolicy::RoundRobin,
            canary: Ratio::literal(0.01),
        }
    }
}

/// The rotation of one store.
#[derive(Debug)]
pub(crate) struct Rotation {
    config: RotationConfig,
    weights: Weights,
    /// One counter per operation. With a common counter a caller that alternates head and get
    /// would send all its heads to one region.
    turns: [AtomicU64; Operation::ALL.len()],
}

impl Rotation {
    /// Each counter starts at a random value, so that many processes do not start in the same
    /// region, and short-lived processes use all regions over time.
    pub(crate) fn new(config: RotationConfig, weights: Vec<u32>, rng: &SeededRng) -> Self {
        let turns = Operation::ALL.map(|_| AtomicU64::new(rng.below(1 << 32)));
        Self {
            config,
            weights: Weights::new(weights),
            turns,
        }
    }

    /// The order of the next request of this operation.
    pub(crate) fn next_order(&self, operation: Operation, rng: &SeededRng) -> Order {
        let turn = self.turns[operation.index()].fetch_add(1, Ordering::Relaxed);
        match self.config.policy {
            RotationPolicy::RoundRobin => policy::round_robin(turn, &self.weights),
            RotationPolicy::Random => policy::random(&self.weights, rng),
            RotationPolicy::Nearest => {
                policy::nearest(turn, self.weights.len(), self.config.canary, rng)
            }
        }
    }

    /// The first of `candidates` in this order.
    pub(crate) fn first_of(
        &self,
        order: Order,
        candidates: RegionSet,
        rng: &SeededRng,
    ) -> Option<usize> {
        order.first_of(candidates, &self.weights, rng)
    }

    /// The share of first attempts of each region, given its `ramp` (0 while its circuit is open).
    pub(crate) fn shares(&self, ramp: &[f64]) -> Vec<f64> {
        let shares = match self.config.policy {
            RotationPolicy::RoundRobin | RotationPolicy::Random => self.weights.shares(ramp),
            RotationPolicy::Nearest => {
                policy::nearest_shares(ramp, &self.weights.shares(ramp), self.config.canary)
            }
        };
        let sum: f64 = shares.iter().sum();
        shares
            .into_iter()
            .map(|share| if sum > 0.0 { share / sum } else { 0.0 })
            .collect()
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }
}
