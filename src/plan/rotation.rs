//! The rotation: whose turn it is to be asked first.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;

use super::weights::Weights;
use super::{Order, nearest, random, round_robin};
use crate::operation::Operation;
use crate::region::RegionSet;
use crate::settings::Ratio;
use crate::time::Dice;

/// How requests are spread over the regions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RotationConfig {
    /// Who is asked first (default `round_robin`).
    pub policy: RotationPolicy,
    /// Share of requests that `nearest` starts elsewhere (default 0.01), so that a backup is never found broken on the day it
    /// is needed. Zero leaves the others untried until then.
    pub canary: Ratio,
}

/// Who is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RotationPolicy {
    /// Each region in turn, from a random start, for each kind of operation by itself.
    RoundRobin,
    /// A random one.
    Random,
    /// The first in configured order, but for the canary share.
    Nearest,
}

impl RotationConfig {
    /// Somebody has asked for a canary share, which wants a second region.
    pub(crate) fn canary_matters(&self) -> bool {
        self.policy == RotationPolicy::Nearest && self.canary.get() > 0.0
    }
}

impl Default for RotationConfig {
    fn default() -> Self {
        Self { policy: RotationPolicy::RoundRobin, canary: Ratio::literal(0.01) }
    }
}

/// The turns of a store.
#[derive(Debug)]
pub(crate) struct Rotation {
    config: RotationConfig,
    weights: Weights,
    /// One counter per operation: with one for all, a caller that heads and then gets would send all its heads to one region.
    turns: [AtomicU64; Operation::ALL.len()],
}

impl Rotation {
    /// Each counter starts at random, so that a fleet does not start in step and a process that makes one request a day still
    /// meets every region over time.
    pub(crate) fn new(config: RotationConfig, weights: Vec<u32>, dice: &Dice) -> Self {
        let turns = Operation::ALL.map(|_| AtomicU64::new(dice.below(1 << 32)));
        Self { config, weights: Weights::new(weights), turns }
    }

    /// The order of the next request of this kind.
    pub(crate) fn next_order(&self, operation: Operation, dice: &Dice) -> Order {
        let turn = self.turns[operation.index()].fetch_add(1, Ordering::Relaxed);
        match self.config.policy {
            RotationPolicy::RoundRobin => round_robin::order(turn, &self.weights),
            RotationPolicy::Random => random::order(&self.weights, dice),
            RotationPolicy::Nearest => nearest::order(turn, self.weights.len(), self.config.canary, dice),
        }
    }

    /// The first of `candidates` in this order.
    pub(crate) fn first_of(&self, order: Order, candidates: RegionSet, dice: &Dice) -> Option<usize> {
        order.first_of(candidates, &self.weights, dice)
    }

    /// The share of first picks that each region has, where so much of its own share is left to it (0 where it is out of use).
    pub(crate) fn shares(&self, left: &[f64]) -> Vec<f64> {
        let own = match self.config.policy {
            RotationPolicy::RoundRobin | RotationPolicy::Random => self.weights.shares(left),
            RotationPolicy::Nearest => nearest::shares(left, &self.weights.shares(left), self.config.canary),
        };
        let sum: f64 = own.iter().sum();
        own.into_iter().map(|share| if sum > 0.0 { share / sum } else { 0.0 }).collect()
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }
}
