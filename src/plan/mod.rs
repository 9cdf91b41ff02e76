//! Which regions a request asks, and in which order. Pure: facts and a turn go in, region indexes come out.
//!
//! An [`Order`] says in which order all regions would be asked if all were well. A [`Plan`] is that order with the facts of the
//! moment laid over it: which region is owed a trial, which are in use, which come last. Regions that are not in use are not
//! forgotten: the call asks them as its last resort, and its error says why they were left out.

mod nearest;
mod random;
mod rotation;
mod round_robin;
mod weights;

use crate::health::Standing;
use crate::region::RegionSet;
use crate::time::Dice;

pub(crate) use rotation::Rotation;
pub use rotation::{RotationConfig, RotationPolicy};
use weights::Weights;

/// The order in which all regions would be asked if all were well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    start: usize,
    follow: Follow,
}

/// Who comes after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follow {
    /// The others by modulo, from a second, slower turn: a dead region's load falls on all survivors alike, and not on its
    /// neighbour.
    Turn(u64),
    /// The others in configured order.
    Configured,
    /// The same, and the first is first even while it climbs back: nobody else's answer is as good.
    Behind,
    /// The others drawn by weight.
    Drawn,
}

/// An order with the facts of the moment laid over it.
#[derive(Debug)]
pub(crate) struct Plan {
    order: Order,
    /// Asked before all others: it may have recovered, and somebody has to find out.
    trial: Option<usize>,
    in_use: RegionSet,
    /// Asked only when the others in use have been: weight 0, slow as a whole, or still climbing back.
    reluctant: RegionSet,
}

impl Order {
    /// This region first, the others in configured order.
    pub(crate) fn first(region: usize) -> Self {
        Self { start: region, follow: Follow::Behind }
    }

    /// The region after the one that broke last, and on from there.
    pub(crate) fn after(broken: &[usize], regions: usize) -> Self {
        let last = broken.last().copied().unwrap_or_default();
        Self { start: (last + 1) % regions, follow: Follow::Turn(0) }
    }

    /// The first of `candidates` in this order.
    fn first_of(self, candidates: RegionSet, weights: &Weights, dice: &Dice) -> Option<usize> {
        if candidates.contains(self.start) {
            return Some(self.start);
        }
        let regions = weights.len();
        match self.follow {
            Follow::Turn(turn) => (1..regions).map(|k| follower(self.start, turn, k, regions)).find(|index| candidates.contains(*index)),
            Follow::Configured | Follow::Behind => (0..regions).find(|index| candidates.contains(*index)),
            Follow::Drawn => weights.draw(candidates, dice),
        }
    }
}

/// The `k`th region after `start`, for `k` from 1: every other region once, from a place that `turn` decides.
fn follower(start: usize, turn: u64, k: usize, regions: usize) -> usize {
    let others = regions - 1;
    let step = ((turn % others as u64) as usize + k - 1) % others;
    (start + 1 + step) % regions
}

impl Plan {
    /// A plan that asks nobody, until the facts are known.
    pub(crate) fn unknown(order: Order) -> Self {
        Self { order, trial: None, in_use: RegionSet::default(), reluctant: RegionSet::default() }
    }

    /// Lays the facts over the order. `standings` is None where every region is plainly closed. A region that is `slow` as a whole
    /// keeps a hundredth of its first picks: enough to notice that it is slow no more.
    pub(crate) fn new(
        order: Order,
        standings: Option<&[Standing]>,
        may_try: RegionSet,
        allowed: RegionSet,
        slow: RegionSet,
        weights: &Weights,
        dice: &Dice,
    ) -> Self {
        let mut plan = Self { order, trial: None, in_use: allowed, reluctant: weights.zero().or(slow) };
        let is_slow = slow.contains(order.start) && !weights.zero().contains(order.start);
        if order.follow == Follow::Behind || (is_slow && dice.unit() < SLOW_SHARE) {
            plan.reluctant.remove(order.start);
        }
        let Some(standings) = standings else { return plan };
        plan.in_use = allowed.iter().filter(|index| matches!(standings[*index], Standing::Closed { .. })).collect();
        if let Standing::Closed { share } = standings[order.start]
            && order.follow != Follow::Behind
            && share < 1.0
            && dice.unit() >= share
        {
            plan.reluctant.insert(order.start);
        }
        // Where no region is in use a trial is not an aside but the last resort, and is asked as such.
        if !plan.in_use.is_empty() {
            let due = may_try.and(allowed).iter().filter(|index| standings[*index] == Standing::Trial).collect();
            plan.trial = order.first_of(due, weights, dice);
        }
        plan
    }

    /// These are asked only when the others in use have been: they have asked for a pause.
    pub(crate) fn spare(&mut self, mut held: RegionSet) {
        if self.order.follow == Follow::Behind {
            held.remove(self.order.start);
        }
        self.reluctant = self.reluctant.or(held);
    }

    /// The next region to ask among those in use; None once all of them have been.
    pub(crate) fn next(&self, untried: RegionSet, weights: &Weights, dice: &Dice) -> Option<usize> {
        let trial = self.trial.filter(|index| untried.contains(*index));
        let in_use = self.in_use.and(untried);
        let first = || self.order.first_of(in_use.without(self.reluctant), weights, dice);
        trial.or_else(first).or_else(|| self.order.first_of(in_use, weights, dice))
    }

    /// Regions this plan would still ask.
    pub(crate) fn remaining(&self, untried: RegionSet) -> usize {
        let trial = self.trial.is_some_and(|index| untried.contains(index));
        self.in_use.and(untried).len() + usize::from(trial)
    }
}

/// What a region that is slow as a whole keeps of its first picks.
pub(crate) const SLOW_SHARE: f64 = 0.01;

#[cfg(test)]
mod tests;
