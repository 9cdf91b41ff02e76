//! Round robin: each region in turn.

use super::weights::Weights;
use super::{Follow, Order};

/// `turn % n` starts; where that region fails, `turn / n` decides who follows, so that over a full round every other region has
/// followed it equally often.
pub(super) fn order(turn: u64, weights: &Weights) -> Order {
    let regions = weights.len() as u64;
    if weights.are_equal() {
        Order { start: (turn % regions) as usize, follow: Follow::Turn(turn / regions) }
    } else {
        Order { start: weights.at(turn), follow: Follow::Drawn }
    }
}
