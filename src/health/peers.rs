//! Lock-free counters that the circuits of one store share.
//!
//! A circuit that closes while no other is closed ends a total outage. The other circuits must not
//! wait for their open times then, because the recovered region would carry the whole load. It
//! increments a recovery count, which each circuit compares when it is next used.

use std::time::Duration;

use crate::runtime::atomic_instant::AtomicInstant;
use crate::runtime::clock::Instant;
use crate::runtime::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::types::CircuitClass;

#[derive(Debug)]
pub(crate) struct Peers {
    classes: [ClassCounters; 2],
    /// Per region, the last response to a read while its circuit was closed.
    last_responses: Box<[AtomicInstant]>,
    /// Per region, whether it is in use for reads: circuit closed, or forced by an override.
    in_use: Box<[AtomicBool]>,
    last_throttled: AtomicInstant,
    last_resort_at: AtomicInstant,
}

#[derive(Debug, Default)]
struct ClassCounters {
    /// Circuits in use: closed, or forced by an override.
    closed: AtomicUsize,
    /// How often a circuit closed while no other was closed.
    recoveries: AtomicU64,
    /// Circuits that are not steadily closed. At 0 a request skips all availability checks.
    unsteady: AtomicUsize,
    /// Circuits that an override forces to admit all requests.
    forced: AtomicUsize,
}

impl Peers {
    pub(crate) fn new(regions: usize, now: Instant) -> Self {
        Self {
            classes: Default::default(),
            last_responses: (0..regions).map(|_| AtomicInstant::new(now)).collect(),
            in_use: (0..regions).map(|_| AtomicBool::new(true)).collect(),
            last_throttled: AtomicInstant::new(now),
            last_resort_at: AtomicInstant::new(now),
        }
    }

    /// A region throttled, or a last-resort attempt started, within the last second: not the time
    /// for extra requests.
    pub(crate) fn is_overloaded(&self, now: Instant) -> bool {
        self.last_throttled.is_within(OVERLOAD_HOLD, now)
            || self.last_resort_at.is_within(OVERLOAD_HOLD, now)
    }

    pub(super) fn on_throttled(&self, now: Instant) {
        self.last_throttled.set(now);
    }

    pub(super) fn on_last_resort(&self, now: Instant) {
        self.last_resort_at.set(now);
    }

    pub(super) fn on_response(&self, region: usize, now: Instant) {
        self.last_responses[region].set(now);
    }

    /// The last response of the region.
    pub(super) fn last_response(&self, region: usize) -> Instant {
        self.last_responses[region].get()
    }

    /// Another region in use has responded since then.
    pub(super) fn other_region_responded_since(&self, region: usize, since: Instant) -> bool {
        let others = self
            .last_responses
            .iter()
            .zip(&self.in_use)
            .enumerate()
            .filter(|(other, _)| *other != region);
        others.into_iter().any(|(_, (stamp, in_use))| {
            stamp.is_set() && stamp.get() >= since && in_use.load(Ordering::Relaxed)
        })
    }

    pub(super) fn set_in_use(&self, region: usize, in_use: bool) {
        self.in_use[region].store(in_use, Ordering::Relaxed);
    }

    /// Every circuit of the class is steadily closed.
    pub(crate) fn all_steady(&self, class: CircuitClass) -> bool {
        self.counters(class).unsteady.load(Ordering::Acquire) == 0
    }

    pub(super) fn recoveries(&self, class: CircuitClass) -> u64 {
        self.counters(class).recoveries.load(Ordering::Acquire)
    }

    /// A circuit is in use again. If none was, this is a recovery.
    pub(super) fn on_closed(&self, class: CircuitClass) {
        let counters = self.counters(class);
        if counters.closed.fetch_add(1, Ordering::AcqRel) == 0 {
            counters.recoveries.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(super) fn on_not_closed(&self, class: CircuitClass) {
        self.counters(class).closed.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn on_steady(&self, class: CircuitClass) {
        self.counters(class).unsteady.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn on_unsteady(&self, class: CircuitClass) {
        self.counters(class).unsteady.fetch_add(1, Ordering::AcqRel);
    }

    /// An override forces some circuit to admit all requests.
    pub(crate) fn any_forced(&self, class: CircuitClass) -> bool {
        self.counters(class).forced.load(Ordering::Relaxed) > 0
    }

    pub(super) fn on_forced_changed(&self, class: CircuitClass, is_forced: bool) {
        let forced = &self.counters(class).forced;
        if is_forced {
            forced.fetch_add(1, Ordering::Relaxed)
        } else {
            forced.fetch_sub(1, Ordering::Relaxed)
        };
    }

    fn counters(&self, class: CircuitClass) -> &ClassCounters {
        &self.classes[class.index()]
    }
}

/// The counters, for the loom models.
#[cfg(failover_loom)]
pub(super) struct PeerCounts {
    pub(super) closed: usize,
    pub(super) unsteady: usize,
    pub(super) forced: usize,
    pub(super) in_use: Vec<bool>,
}

#[cfg(failover_loom)]
impl Peers {
    pub(super) fn counts(&self, class: CircuitClass) -> PeerCounts {
        let read = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        let ClassCounters {
            closed,
            unsteady,
            forced,
            ..
        } = self.counters(class);
        let in_use = self
            .in_use
            .iter()
            .map(|region| region.load(Ordering::SeqCst))
            .collect();
        PeerCounts {
            closed: read(closed),
            unsteady: read(unsteady),
            forced: read(forced),
            in_use,
        }
    }
}

/// How long a throttled request or a last-resort attempt marks the store as overloaded.
const OVERLOAD_HOLD: Duration = Duration::from_secs(1);
