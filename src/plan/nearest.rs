//! Nearest: regions in configured order, but for a canary share that starts elsewhere.

use super::{Follow, Order};
use crate::settings::Ratio;
use crate::time::Dice;

pub(super) fn order(turn: u64, regions: usize, canary: Ratio, dice: &Dice) -> Order {
    let elsewhere = regions > 1 && dice.unit() < canary.get();
    let start = if elsewhere { 1 + (turn % (regions as u64 - 1)) as usize } else { 0 };
    Order { start, follow: Follow::Configured }
}
