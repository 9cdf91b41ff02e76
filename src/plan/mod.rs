//! Which regions a request asks, and in which order. Pure functions of facts and a counter.
//!
//! An [`Order`] is the order of all regions while every circuit is closed. A [`Plan`] applies the
//! current state to it: which region is due for a trial, which are in use, which come last. It
//! leaves out regions that are not in use; the call may ask them as a last resort, and its error
//! says why they were skipped.

mod order;
mod policy;
mod rotation;
mod weights;

use crate::health::Availability;
use crate::region::RegionSet;
use crate::runtime::rng::SeededRng;

pub(crate) use order::Order;
use order::Successors;
pub(crate) use rotation::Rotation;
pub use rotation::{RotationConfig, RotationPolicy};
use weights::Weights;

/// An order with the current state of the regions applied to it.
#[derive(Debug)]
pub(crate) struct Plan {
    order: Order,
    /// Asked before all others: a read is needed to find out whether it has recovered.
    trial: Option<usize>,
    in_use: RegionSet,
    /// Asked after the other regions in use: weight 0, slow as a whole, or in its ramp.
    deprioritized: RegionSet,
}

impl Plan {
    /// A plan without regions, until the state is known.
    pub(crate) fn unknown(order: Order) -> Self {
        Self {
            order,
            trial: None,
            in_use: RegionSet::default(),
            deprioritized: RegionSet::default(),
        }
    }

    /// Applies the state of the regions to the order. `availabilities` is None while every circuit
    /// is closed and steady. A region that is `slow` as a whole keeps [`SLOW_SHARE`] of its first
    /// attempts, enough to notice when it is fast again.
    pub(crate) fn new(
        order: Order,
        availabilities: Option<&[Availability]>,
        may_be_trial: RegionSet,
        allowed: RegionSet,
        slow: RegionSet,
        weights: &Weights,
        rng: &SeededRng,
    ) -> Self {
        let mut plan = Self {
            order,
            trial: None,
            in_use: allowed,
            deprioritized: weights.zero().or(slow),
        };
        let is_slow = slow.contains(order.start) && !weights.zero().contains(order.start);
        if order.successors == Successors::Pinned || (is_slow && rng.unit() < SLOW_SHARE) {
            plan.deprioritized.remove(order.start);
        }
        let Some(availabilities) = availabilities else {
            return plan;
        };
        plan.in_use = allowed
            .iter()
            .filter(|index| matches!(availabilities[*index], Availability::Closed { .. }))
            .collect();
        // During its ramp a region keeps `share` of its first attempts.
        if let Availability::Closed { share } = availabilities[order.start]
            && order.successors != Successors::Pinned
            && share < 1.0
            && rng.unit() >= share
        {
            plan.deprioritized.insert(order.start);
        }
        // While no region is in use, the last resort sends the trials.
        if !plan.in_use.is_empty() {
            let due = may_be_trial
                .and(allowed)
                .iter()
                .filter(|index| availabilities[*index] == Availability::TrialDue)
                .collect();
            plan.trial = order.first_of(due, weights, rng);
        }
        plan
    }

    /// Moves regions that asked for a pause (`Retry-After`) behind the others in use.
    pub(crate) fn deprioritize(&mut self, mut waiting: RegionSet) {
        if self.order.successors == Successors::Pinned {
            waiting.remove(self.order.start);
        }
        self.deprioritized = self.deprioritized.or(waiting);
    }

    /// The next region to ask among those in use; None once all of them have been asked.
    pub(crate) fn next(
        &self,
        untried: RegionSet,
        weights: &Weights,
        rng: &SeededRng,
    ) -> Option<usize> {
        let trial = self.trial.filter(|index| untried.contains(*index));
        let in_use = self.in_use.and(untried);
        let preferred = || {
            self.order
                .first_of(in_use.without(self.deprioritized), weights, rng)
        };
        trial
            .or_else(preferred)
            .or_else(|| self.order.first_of(in_use, weights, rng))
    }

    /// How many regions this plan would still ask.
    pub(crate) fn remaining(&self, untried: RegionSet) -> usize {
        let trial = self.trial.is_some_and(|index| untried.contains(index));
        self.in_use.and(untried).len() + usize::from(trial)
    }
}

/// The share of first attempts that a region keeps while it is slow as a whole.
pub(crate) const SLOW_SHARE: f64 = 0.01;

#[cfg(test)]
mod tests;
