//! What may be read, spread evenly over the run: on other people's clusters it must last until they have broken something.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Instant, now};

pub(crate) struct Allowance {
    bytes: u64,
    used: AtomicU64,
    began: Instant,
    length: Duration,
}

impl Allowance {
    pub(crate) fn new(bytes: u64, length: Duration) -> Self {
        Self { bytes, used: AtomicU64::new(0), began: now(), length }
    }

    /// More than was taken has come from the regions: attempts that were made twice count too.
    pub(crate) fn correct(&self, came: u64) {
        self.used.fetch_max(came, Ordering::Relaxed);
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes `size` of it: when these bytes may be read, or None where there are not so many left.
    pub(crate) fn take(&self, size: u64) -> Option<Instant> {
        let after = |used: u64| used.checked_add(size).filter(|used| *used <= self.bytes);
        let before = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).ok()?;
        Some(self.began + self.length.mul_f64(before as f64 / self.bytes as f64))
    }
}
