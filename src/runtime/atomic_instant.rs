//! An instant in one atomic word.

use std::time::Duration;

use super::clock::Instant;
use super::sync::atomic::{AtomicU64, Ordering};

/// An instant that threads update without a lock, with nanosecond precision.
#[derive(Debug)]
pub(crate) struct AtomicInstant {
    origin: Instant,
    /// Nanoseconds after `origin`; 0 until it is set.
    nanos: AtomicU64,
}

impl AtomicInstant {
    /// Not set; [`get`](Self::get) returns `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            origin: now,
            nanos: AtomicU64::new(0),
        }
    }

    pub(crate) fn set(&self, now: Instant) {
        self.nanos.store(self.nanos_at(now), Ordering::Relaxed);
    }

    /// Keeps the later of `until` and the stored instant.
    pub(crate) fn set_max(&self, until: Instant) {
        self.nanos
            .fetch_max(self.nanos_at(until), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Instant {
        self.origin + Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    /// The stored instant, if it is later than `now`.
    pub(crate) fn if_after(&self, now: Instant) -> Option<Instant> {
        (self.is_set() && self.is_after(now)).then(|| self.get())
    }

    pub(crate) fn is_after(&self, now: Instant) -> bool {
        let nanos = now.saturating_duration_since(self.origin).as_nanos();
        u128::from(self.nanos.load(Ordering::Relaxed)) > nanos
    }

    pub(crate) fn is_set(&self) -> bool {
        self.nanos.load(Ordering::Relaxed) != 0
    }

    /// It was set less than `time` ago.
    pub(crate) fn is_within(&self, time: Duration, now: Instant) -> bool {
        self.is_set() && now.saturating_duration_since(self.get()) < time
    }

    /// At least 1, because 0 means not set.
    fn nanos_at(&self, instant: Instant) -> u64 {
        let nanos = instant.saturating_duration_since(self.origin).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX).max(1)
    }
}
