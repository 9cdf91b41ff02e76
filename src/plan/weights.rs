//! Weighted selection: exact over a cycle of turns, and evenly spread within it.

use crate::region::RegionSet;
use crate::runtime::rng::SeededRng;

#[derive(Debug)]
pub(crate) struct Weights {
    weights: Box<[u32]>,
    total: u64,
    /// Coprime to `total`: multiples of it visit every position in `0..total` once.
    stride: u64,
    zero: RegionSet,
}

impl Weights {
    pub(crate) fn new(weights: Vec<u32>) -> Self {
        let total = weights.iter().map(|weight| u64::from(*weight)).sum::<u64>();
        let zero = (0..weights.len())
            .filter(|index| weights[*index] == 0)
            .collect();
        Self {
            weights: weights.into(),
            total,
            stride: stride(total),
            zero,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.weights.len()
    }

    /// Plain modulo is then exact, and spreads the successors evenly as well.
    pub(super) fn are_equal(&self) -> bool {
        self.weights.windows(2).all(|pair| pair[0] == pair[1])
    }

    /// Regions of weight 0: last in every order.
    pub(super) fn zero(&self) -> RegionSet {
        self.zero
    }

    /// The region of this turn. Over `total` turns each region gets exactly its share.
    pub(super) fn at(&self, turn: u64) -> usize {
        let position =
            (u128::from(turn) * u128::from(self.stride) % u128::from(self.total.max(1))) as u64;
        self.region_at(position, |_| true)
    }

    /// The weight of each region times its `ramp`. Weights of 0 count only if nothing else is left.
    pub(super) fn shares(&self, ramp: &[f64]) -> Vec<f64> {
        let weighted: Vec<_> = ramp
            .iter()
            .zip(&self.weights)
            .map(|(ramp, weight)| ramp * f64::from(*weight))
            .collect();
        if weighted.iter().any(|weight| *weight > 0.0) {
            weighted
        } else {
            ramp.to_vec()
        }
    }

    /// One of `candidates`, drawn by weight; the first if all have weight 0.
    pub(super) fn draw(&self, candidates: RegionSet, rng: &SeededRng) -> Option<usize> {
        let total = candidates
            .iter()
            .map(|index| u64::from(self.weights[index]))
            .sum();
        if total == 0 {
            candidates.iter().next()
        } else {
            Some(self.region_at(rng.below(total), |index| candidates.contains(index)))
        }
    }

    /// The region at `position` on a line on which the included regions follow each other, each as
    /// long as its weight.
    fn region_at(&self, mut position: u64, includes: impl Fn(usize) -> bool) -> usize {
        for (index, weight) in self
            .weights
            .iter()
            .enumerate()
            .filter(|(index, _)| includes(*index))
        {
            match position.checked_sub(u64::from(*weight)) {
                Some(rest) => position = rest,
                None => return index,
            }
        }
        0
    }
}

/// The largest step below the golden section of `total` that is coprime to it: consecutive turns
/// are far apart.
fn stride(total: u64) -> u64 {
    const GOLDEN: f64 = 0.618_033_988_75;
    let max = ((total as f64 * GOLDEN) as u64).max(1);
    (1..=max)
        .rev()
        .find(|step| gcd(*step, total) == 1)
        .unwrap_or(1)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
