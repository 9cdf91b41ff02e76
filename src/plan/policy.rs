//! The rotation policies: each turns a counter into an [`Order`].

use super::order::{Order, Successors};
use super::weights::Weights;
use crate::runtime::rng::SeededRng;
use crate::settings::Ratio;

/// Starts at region `turn % n`. The offset of the successors is `turn / n`, so that over a full
/// cycle each other region comes second equally often.
pub(super) fn round_robin(turn: u64, weights: &Weights) -> Order {
    let regions = weights.len() as u64;
    if weights.are_equal() {
        Order {
            start: (turn % regions) as usize,
            successors: Successors::Rotated(turn / regions),
        }
    } else {
        Order {
            start: weights.at(turn),
            successors: Successors::Weighted,
        }
    }
}

/// Round robin with a random turn.
pub(super) fn random(weights: &Weights, rng: &SeededRng) -> Order {
    round_robin(rng.below(1 << 32), weights)
}

/// Configured order, except for a canary share that starts at one of the other regions.
pub(super) fn nearest(turn: u64, regions: usize, canary: Ratio, rng: &SeededRng) -> Order {
    let is_canary = regions > 1 && rng.unit() < canary.get();
    let start = if is_canary {
        1 + (turn % (regions as u64 - 1)) as usize
    } else {
        0
    };
    Order {
        start,
        successors: Successors::Configured,
    }
}

/// The share of first attempts of each region under [`nearest`], from the `ramp` of each region
/// (0 while its circuit is open) and its `weighted` share.
pub(super) fn nearest_shares(ramp: &[f64], weighted: &[f64], canary: Ratio) -> Vec<f64> {
    let regions = ramp.len();
    let others = regions.saturating_sub(1).max(1) as f64;
    let canary = if regions > 1 { canary.get() } else { 0.0 };
    let mut shares = vec![0.0; regions];
    for start in 0..regions {
        let picked = if start == 0 {
            1.0 - canary
        } else {
            canary / others
        };
        let kept = if weighted[start] > 0.0 {
            ramp[start].min(1.0)
        } else {
            0.0
        };
        shares[start] += picked * kept;
        // What a region does not keep goes to the first other region in use.
        let successor = (0..regions)
            .find(|index| *index != start && weighted[*index] > 0.0)
            .unwrap_or(start);
        shares[successor] += picked * (1.0 - kept);
    }
    shares
}
