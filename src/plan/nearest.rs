//! Nearest: regions in configured order, but for a canary share that starts elsewhere.

use super::{Follow, Order};
use crate::settings::Ratio;
use crate::time::Dice;

pub(super) fn order(turn: u64, regions: usize, canary: Ratio, dice: &Dice) -> Order {
    let elsewhere = regions > 1 && dice.unit() < canary.get();
    let start = if elsewhere { 1 + (turn % (regions as u64 - 1)) as usize } else { 0 };
    Order { start, follow: Follow::Configured }
}

/// The share of each region: all but the canary share goes to the first in use, which gives away what it has not climbed back to yet.
pub(super) fn shares(left: &[f64], weighed: &[f64], canary: Ratio) -> Vec<f64> {
    let others = left.len().saturating_sub(1).max(1) as f64;
    let canary = if left.len() > 1 { canary.get() } else { 0.0 };
    let mut shares = vec![0.0; left.len()];
    for (start, picked) in (0..left.len()).map(|index| (index, if index == 0 { 1.0 - canary } else { canary / others })) {
        let stays = if weighed[start] > 0.0 { left[start].min(1.0) } else { 0.0 };
        shares[start] += picked * stays;
        let heir = (0..left.len()).find(|index| *index != start && weighed[*index] > 0.0).unwrap_or(start);
        shares[heir] += picked * (1.0 - stays);
    }
    shares
}
