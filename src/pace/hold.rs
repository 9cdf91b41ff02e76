//! How long a region has asked to be left alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::time::Instant;

/// One atomic word, so that the question costs every call next to nothing.
#[derive(Debug)]
pub(super) struct Hold {
    origin: Instant,
    /// Nanoseconds after `origin`; 0 where nobody has asked.
    until: AtomicU64,
}

impl Hold {
    pub(super) fn new(now: Instant) -> Self {
        Self { origin: now, until: AtomicU64::new(0) }
    }

    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        let nanos = self.until.load(Ordering::Relaxed);
        if nanos == 0 {
            return None;
        }
        Some(self.origin + Duration::from_nanos(nanos)).filter(|until| *until > now)
    }

    /// The longest that anyone asked for counts.
    pub(super) fn extend(&self, until: Instant) {
        let nanos = until.saturating_duration_since(self.origin).as_nanos();
        self.until.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
