//! `--max-bytes`, spread evenly over the run, so that it lasts until faults are injected manually.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

pub(crate) struct ByteBudget {
    bytes: u64,
    used: AtomicU64,
    started_at: Instant,
    length: Duration,
}

impl ByteBudget {
    pub(crate) fn new(bytes: u64, length: Duration) -> Self {
        Self {
            bytes,
            used: AtomicU64::new(0),
            started_at: Instant::now(),
            length,
        }
    }

    /// Raises the used bytes to those that left the regions, which include repeated attempts.
    pub(crate) fn raise_used(&self, bytes: u64) {
        self.used.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Reserves `size` bytes: when they may be read, or `None` if the budget is used up.
    pub(crate) fn take(&self, size: u64) -> Option<Instant> {
        let after = |used: u64| used.checked_add(size).filter(|used| *used <= self.bytes);
        let before = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, after)
            .ok()?;
        Some(self.started_at + self.length.mul_f64(before as f64 / self.bytes as f64))
    }
}
