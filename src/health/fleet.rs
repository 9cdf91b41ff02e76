//! What the circuits of one store know of each other: a few numbers, no locks.
//!
//! A circuit that closes while none was closed has ended an outage of everything. The others must not sit out their open time
//! then: one cold region would carry all the load. Instead of calling them, it leaves a mark that each sees when it is next asked.

use std::time::Duration;

use super::transition::CircuitClass;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::time::Instant;

#[derive(Debug)]
pub(crate) struct Fleet {
    shared: [Shared; 2],
    /// When each region last answered a read while its circuit was closed.
    answers: Box<[Stamp]>,
    /// Whose circuit for reads is closed.
    in_use: Box<[AtomicBool]>,
    throttled: Stamp,
    probed_early: Stamp,
}

/// A moment that everybody may move on, without a lock.
#[derive(Debug)]
pub(super) struct Stamp {
    origin: Instant,
    nanos: AtomicU64,
}

#[derive(Debug, Default)]
struct Shared {
    closed: AtomicUsize,
    /// How often a circuit has closed while none was closed.
    recoveries: AtomicU64,
    /// Circuits that are not plainly closed; 0 lets a request skip all questions.
    unsettled: AtomicUsize,
    /// Circuits that an operator has bound to admit everything: none of these ends a fruitless walk.
    unguarded: AtomicUsize,
}

impl Fleet {
    pub(crate) fn new(regions: usize, now: Instant) -> Self {
        Self {
            shared: Default::default(),
            answers: (0..regions).map(|_| Stamp::new(now)).collect(),
            in_use: (0..regions).map(|_| AtomicBool::new(true)).collect(),
            throttled: Stamp::new(now),
            probed_early: Stamp::new(now),
        }
    }

    /// Some region was too busy just now, or open ones are being asked early: no time for extra requests.
    pub(crate) fn is_browned_out(&self, now: Instant) -> bool {
        self.throttled.is_within(BROWN_OUT, now) || self.probed_early.is_within(BROWN_OUT, now)
    }

    pub(super) fn on_throttled(&self, now: Instant) {
        self.throttled.set(now);
    }

    pub(super) fn on_probed_early(&self, now: Instant) {
        self.probed_early.set(now);
    }

    pub(super) fn on_answer(&self, region: usize, now: Instant) {
        self.answers[region].set(now);
    }

    /// When the region last answered.
    pub(super) fn heard(&self, region: usize) -> Instant {
        self.answers[region].get()
    }

    /// Another region has answered since then, and is in use.
    pub(super) fn is_another_heard(&self, region: usize, since: Instant) -> bool {
        let others = self.answers.iter().zip(&self.in_use).enumerate().filter(|(other, _)| *other != region);
        others.into_iter().any(|(_, (stamp, in_use))| stamp.is_set() && stamp.get() >= since && in_use.load(Ordering::Relaxed))
    }

    pub(super) fn set_in_use(&self, region: usize, in_use: bool) {
        self.in_use[region].store(in_use, Ordering::Relaxed);
    }

    /// Every region is plainly closed: nobody needs to be asked.
    pub(crate) fn is_calm(&self, class: CircuitClass) -> bool {
        self.of(class).unsettled.load(Ordering::Acquire) == 0
    }

    pub(super) fn recoveries(&self, class: CircuitClass) -> u64 {
        self.of(class).recoveries.load(Ordering::Acquire)
    }

    /// A circuit is in use again; where none was, that is a recovery.
    pub(super) fn on_closed(&self, class: CircuitClass) {
        let shared = self.of(class);
        if shared.closed.fetch_add(1, Ordering::AcqRel) == 0 {
            shared.recoveries.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(super) fn on_left_closed(&self, class: CircuitClass) {
        self.of(class).closed.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn on_settled(&self, class: CircuitClass) {
        self.of(class).unsettled.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn on_unsettled(&self, class: CircuitClass) {
        self.of(class).unsettled.fetch_add(1, Ordering::AcqRel);
    }

    /// Some circuit admits everything, whatever it has seen.
    pub(crate) fn is_unguarded(&self, class: CircuitClass) -> bool {
        self.of(class).unguarded.load(Ordering::Relaxed) > 0
    }

    pub(super) fn on_unguarded(&self, class: CircuitClass, more: bool) {
        let unguarded = &self.of(class).unguarded;
        if more {
            unguarded.fetch_add(1, Ordering::Relaxed)
        } else {
            unguarded.fetch_sub(1, Ordering::Relaxed)
        };
    }

    fn of(&self, class: CircuitClass) -> &Shared {
        &self.shared[class.index()]
    }
}

/// What the fleet counts, laid open for the models.
#[cfg(failover_loom)]
pub(super) struct Counts {
    pub(super) closed: usize,
    pub(super) unsettled: usize,
    pub(super) unguarded: usize,
    pub(super) in_use: Vec<bool>,
}

#[cfg(failover_loom)]
impl Fleet {
    pub(super) fn told(&self, class: CircuitClass) -> Counts {
        let read = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        let Shared { closed, unsettled, unguarded, .. } = self.of(class);
        let in_use = self.in_use.iter().map(|region| region.load(Ordering::SeqCst)).collect();
        Counts { closed: read(closed), unsettled: read(unsettled), unguarded: read(unguarded), in_use }
    }
}

impl Stamp {
    /// A stamp that says `now`, and has never been set.
    pub(super) fn new(now: Instant) -> Self {
        Self { origin: now, nanos: AtomicU64::new(0) }
    }

    pub(super) fn set(&self, now: Instant) {
        let nanos = now.saturating_duration_since(self.origin).as_nanos();
        self.nanos.store(u64::try_from(nanos).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Instant {
        self.origin + Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    /// It says a later moment than this.
    pub(super) fn is_after(&self, now: Instant) -> bool {
        u128::from(self.nanos.load(Ordering::Relaxed)) > now.saturating_duration_since(self.origin).as_nanos()
    }

    fn is_set(&self) -> bool {
        self.nanos.load(Ordering::Relaxed) != 0
    }

    /// It was set, and not longer ago than this.
    pub(super) fn is_within(&self, time: Duration, now: Instant) -> bool {
        self.is_set() && now.saturating_duration_since(self.get()) < time
    }
}

/// How long one answer that we are too many, or one early probe, is remembered.
const BROWN_OUT: Duration = Duration::from_secs(1);
