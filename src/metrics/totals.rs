//! Totals since the store was built, with or without a metrics recorder.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) requests: Total,
    pub(crate) successes: Total,
    pub(crate) errors: Total,
    pub(crate) retries: Total,
    pub(crate) retry_successes: Total,
    pub(crate) timeouts: Total,
    pub(crate) opens: Total,
    pub(crate) closes: Total,
}

/// One total.
#[derive(Debug, Default)]
pub(crate) struct Total(AtomicU64);

impl Total {
    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
