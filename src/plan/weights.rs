//! Shares of the regions: exact over a cycle of turns, and spread evenly within it.

use crate::region::RegionSet;
use crate::time::Dice;

#[derive(Debug)]
pub(crate) struct Weights {
    weights: Box<[u32]>,
    total: u64,
    /// A step through `0..total` that meets every place once and jumps as far as it can.
    stride: u64,
    zero: RegionSet,
}

impl Weights {
    pub(crate) fn new(weights: Vec<u32>) -> Self {
        let total = weights.iter().map(|weight| u64::from(*weight)).sum::<u64>();
        let zero = (0..weights.len()).filter(|index| weights[*index] == 0).collect();
        Self { weights: weights.into(), total, stride: stride(total), zero }
    }

    pub(super) fn len(&self) -> usize {
        self.weights.len()
    }

    /// All regions bear the same: plain modulo is exact, and fairer among the followers.
    pub(super) fn are_equal(&self) -> bool {
        self.weights.windows(2).all(|pair| pair[0] == pair[1])
    }

    /// Regions that come last whatever the order.
    pub(super) fn zero(&self) -> RegionSet {
        self.zero
    }

    /// The region whose turn it is: over `total` turns each has exactly its share.
    pub(super) fn at(&self, turn: u64) -> usize {
        let place = (u128::from(turn) * u128::from(self.stride) % u128::from(self.total.max(1))) as u64;
        self.holder(place, |_| true)
    }

    /// What each region weighs, where so much of it is left; those of weight 0 only where nothing else is.
    pub(super) fn shares(&self, left: &[f64]) -> Vec<f64> {
        let weighed: Vec<_> = left.iter().zip(&self.weights).map(|(left, weight)| left * f64::from(*weight)).collect();
        if weighed.iter().any(|weight| *weight > 0.0) { weighed } else { left.to_vec() }
    }

    /// One of `candidates`, drawn by weight; among those of weight 0, the first.
    pub(super) fn draw(&self, candidates: RegionSet, dice: &Dice) -> Option<usize> {
        let total = candidates.iter().map(|index| u64::from(self.weights[index])).sum();
        if total == 0 { candidates.iter().next() } else { Some(self.holder(dice.below(total), |index| candidates.contains(index))) }
    }

    /// Who holds `place` where the regions that count lie side by side, each as long as its weight.
    fn holder(&self, mut place: u64, counts: impl Fn(usize) -> bool) -> usize {
        for (index, weight) in self.weights.iter().enumerate().filter(|(index, _)| counts(*index)) {
            match place.checked_sub(u64::from(*weight)) {
                Some(rest) => place = rest,
                None => return index,
            }
        }
        0
    }
}

/// The largest step below the golden section of `total` that has no divisor in common with it.
fn stride(total: u64) -> u64 {
    const GOLDEN: f64 = 0.618_033_988_75;
    let longest = ((total as f64 * GOLDEN) as u64).max(1);
    (1..=longest).rev().find(|step| gcd(*step, total) == 1).unwrap_or(1)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
