//! Counters of one region since the store was built.

use crate::metrics::AttemptResult;
use crate::runtime::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Attempts of one region, independent of its circuits.
#[derive(Debug, Default)]
pub(super) struct AttemptCounters {
    pub(super) attempts: AtomicU64,
    pub(super) successes: AtomicU64,
    pub(super) failures: AtomicU64,
    /// Attempts that ended as neither success nor failure.
    pub(super) others: AtomicU64,
    /// Gets and heads that wait for response headers.
    pub(super) waiting: AtomicU32,
    /// Consecutive attempts without a usable response for the caller, including refusals that are
    /// charged to no region.
    pub(super) consecutive_failures: AtomicU32,
}

impl AttemptCounters {
    /// Updates the consecutive failures. Returns their number if this result is one of them.
    pub(super) fn count_result(&self, result: AttemptResult) -> Option<u32> {
        if result.is_failing() {
            return Some(
                self.consecutive_failures
                    .fetch_add(1, Ordering::Relaxed)
                    .saturating_add(1),
            );
        }
        if self.consecutive_failures.load(Ordering::Relaxed) != 0 {
            self.reset_failures();
        }
        None
    }

    /// Attempts that have been sent and have not ended.
    pub(super) fn in_flight(&self) -> u32 {
        // Ends are read first, so that a concurrent update makes the result too large, never
        // negative.
        let ended: u64 = [&self.successes, &self.failures, &self.others]
            .map(|count| count.load(Ordering::Acquire))
            .iter()
            .sum();
        u32::try_from(self.attempts.load(Ordering::Relaxed).saturating_sub(ended))
            .unwrap_or(u32::MAX)
    }

    pub(super) fn reset_failures(&self) {
        self.consecutive_failures.store(0, Ordering::Relaxed);
    }
}
