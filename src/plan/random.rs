//! Random: each request starts anywhere, by weight.

use super::weights::Weights;
use super::{Order, round_robin};
use crate::time::Dice;

/// Round robin with a turn that is drawn instead of counted.
pub(super) fn order(weights: &Weights, dice: &Dice) -> Order {
    round_robin::order(dice.below(1 << 32), weights)
}
