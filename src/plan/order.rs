//! The order of all regions, before the state of their circuits is considered.

use super::weights::Weights;
use crate::region::RegionSet;
use crate::runtime::rng::SeededRng;

/// The order in which regions are asked while all circuits are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(super) start: usize,
    pub(super) successors: Successors,
}

/// The order of the regions after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Successors {
    /// Modulo over the others, from an offset that advances once per cycle of the start: the load
    /// of a failed region is spread over all others, and does not fall on its neighbour.
    Rotated(u64),
    /// Configured order.
    Configured,
    /// Configured order, and the first region stays first during its ramp: its response is
    /// preferred to all others.
    Pinned,
    /// Drawn by weight.
    Weighted,
}

impl Order {
    /// This region first, the others in configured order.
    pub(crate) fn first(region: usize) -> Self {
        Self {
            start: region,
            successors: Successors::Pinned,
        }
    }

    /// Starts after the region that failed last.
    pub(crate) fn after(failed: &[usize], regions: usize) -> Self {
        let last = failed.last().copied().unwrap_or_default();
        Self {
            start: (last + 1) % regions,
            successors: Successors::Rotated(0),
        }
    }

    /// The first of `candidates` in this order.
    pub(super) fn first_of(
        self,
        candidates: RegionSet,
        weights: &Weights,
        rng: &SeededRng,
    ) -> Option<usize> {
        if candidates.contains(self.start) {
            return Some(self.start);
        }
        let regions = weights.len();
        match self.successors {
            Successors::Rotated(offset) => (1..regions)
                .map(|k| successor(self.start, offset, k, regions))
                .find(|index| candidates.contains(*index)),
            Successors::Configured | Successors::Pinned => {
                (0..regions).find(|index| candidates.contains(*index))
            }
            Successors::Weighted => weights.draw(candidates, rng),
        }
    }
}

/// The `k`th region after `start`, for `k` from 1. Each other region occurs once, beginning at
/// `offset`.
fn successor(start: usize, offset: u64, k: usize, regions: usize) -> usize {
    let others = regions - 1;
    let step = ((offset % others as u64) as usize + k - 1) % others;
    (start + 1 + step) % regions
}
