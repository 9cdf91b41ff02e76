//! Regions that are slow as a whole: while hedging is on they lose their first attempts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::health::{Availability, CircuitClass};
use crate::region::{RegionSet, Regions};
use crate::runtime::clock::Instant;

/// The slow regions, computed at most every [`UPDATE_INTERVAL`].
#[derive(Debug)]
pub(super) struct SlowRegions {
    updated_at: Mutex<Instant>,
    slow: AtomicU64,
}

impl SlowRegions {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            updated_at: Mutex::new(now),
            slow: AtomicU64::new(0),
        }
    }

    pub(super) fn get(&self, regions: &Regions, now: Instant) -> RegionSet {
        // A call that comes while another updates the set uses the previous one.
        if let Some(mut updated_at) = self.updated_at.try_lock()
            && now.saturating_duration_since(*updated_at) >= UPDATE_INTERVAL
        {
            *updated_at = now;
            self.slow
                .store(find_slow(regions, now).bits(), Ordering::Relaxed);
        }
        RegionSet::from_bits(self.slow.load(Ordering::Relaxed))
    }
}

/// Regions whose p95 is far above the median of the regions in use.
fn find_slow(regions: &Regions, now: Instant) -> RegionSet {
    let in_use = |index: &usize| {
        matches!(
            regions
                .get(*index)
                .health
                .availability(CircuitClass::Read, now),
            Availability::Closed { .. }
        )
    };
    let known: Vec<_> = regions
        .all()
        .iter()
        .filter(in_use)
        .filter_map(|index| Some((index, regions.get(index).health.p95()?)))
        .collect();
    let mut times: Vec<_> = known.iter().map(|(_, p95)| *p95).collect();
    times.sort_unstable();
    let Some(median) = times.get(times.len().saturating_sub(1) / 2) else {
        return RegionSet::default();
    };
    let limit = (*median * SLOW_FACTOR).max(*median + MIN_EXCESS);
    known
        .into_iter()
        .filter(|(_, p95)| *p95 > limit)
        .map(|(index, _)| index)
        .collect()
}

const UPDATE_INTERVAL: Duration = Duration::from_millis(100);
const SLOW_FACTOR: u32 = 3;
/// A smaller difference does not matter, even if it is three times the median.
const MIN_EXCESS: Duration = Duration::from_millis(2);
