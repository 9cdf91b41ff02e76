//! Sums over a store's life, kept whether or not anybody records metrics.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) requests: Sum,
    pub(crate) successes: Sum,
    pub(crate) errors: Sum,
    pub(crate) retries: Sum,
    pub(crate) retry_successes: Sum,
    pub(crate) timeouts: Sum,
    pub(crate) opens: Sum,
    pub(crate) closes: Sum,
}

/// One sum.
#[derive(Debug, Default)]
pub(crate) struct Sum(AtomicU64);

impl Sum {
    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
