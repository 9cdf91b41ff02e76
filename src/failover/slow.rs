//! Regions that are slow as a whole: they lose their first picks while hedging is on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::health::{CircuitClass, Standing};
use crate::region::{RegionSet, Regions};
use crate::time::Instant;

/// Which regions are slow, looked at every now and then.
#[derive(Debug)]
pub(super) struct Slow {
    looked: Mutex<Instant>,
    found: AtomicU64,
}

impl Slow {
    pub(super) fn new(now: Instant) -> Self {
        Self { looked: Mutex::new(now), found: AtomicU64::new(0) }
    }

    pub(super) fn get(&self, regions: &Regions, now: Instant) -> RegionSet {
        // Whoever comes while another looks goes by what was seen last.
        if let Some(mut looked) = self.looked.try_lock()
            && now.saturating_duration_since(*looked) >= LOOK_EVERY
        {
            *looked = now;
            self.found.store(look(regions, now).bits(), Ordering::Relaxed);
        }
        RegionSet::from_bits(self.found.load(Ordering::Relaxed))
    }
}

fn look(regions: &Regions, now: Instant) -> RegionSet {
    let in_use = |index: &usize| matches!(regions.get(*index).health.standing(CircuitClass::Read, now), Standing::Closed { .. });
    let known: Vec<_> = regions.all().iter().filter(in_use).filter_map(|index| Some((index, regions.get(index).health.p95()?))).collect();
    let mut times: Vec<_> = known.iter().map(|(_, p95)| *p95).collect();
    times.sort_unstable();
    let Some(median) = times.get(times.len().saturating_sub(1) / 2) else { return RegionSet::default() };
    let limit = (*median * TIMES_THE_MEDIAN).max(*median + NOTICEABLE);
    known.into_iter().filter(|(_, p95)| *p95 > limit).map(|(index, _)| index).collect()
}

const LOOK_EVERY: Duration = Duration::from_millis(100);
const TIMES_THE_MEDIAN: u32 = 3;
/// Three times next to nothing is still next to nothing.
const NOTICEABLE: Duration = Duration::from_millis(2);
