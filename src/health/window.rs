//! Exact counts of the recent past, in a ring of ten buckets.
//!
//! The ring forgets a tenth of its span at a time, so what it remembers is between nine and ten tenths of it. Exponential
//! averages would be smaller, but nobody can check one with a pencil during an incident.

use std::time::Duration;

use crate::time::{Instant, after};

const BUCKETS: usize = 10;

#[derive(Debug, Clone)]
pub(super) struct Window {
    /// How long one bucket takes its counts.
    bucket: Duration,
    /// When the newest bucket began.
    began: Instant,
    newest: usize,
    counts: [Counts; BUCKETS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u32,
    pub(super) failures: u32,
}

impl Window {
    pub(super) fn new(span: Duration, now: Instant) -> Self {
        Self { bucket: span / BUCKETS as u32, began: now, newest: 0, counts: Default::default() }
    }

    pub(super) fn add(&mut self, failed: bool, now: Instant) {
        self.turn(now);
        let newest = &mut self.counts[self.newest];
        newest.calls = newest.calls.saturating_add(1);
        newest.failures = newest.failures.saturating_add(u32::from(failed));
    }

    /// Counts calls that did not fail, and came before the newest bucket is full.
    pub(super) fn count(&mut self, calls: u32) {
        let newest = &mut self.counts[self.newest];
        newest.calls = newest.calls.saturating_add(calls);
    }

    /// When the newest bucket has had its time.
    pub(super) fn turns_at(&self) -> Instant {
        after(self.began, self.bucket)
    }

    /// What the window holds at `now`.
    pub(super) fn counts(&mut self, now: Instant) -> Counts {
        self.turn(now);
        self.counts.iter().fold(Counts::default(), |sum, bucket| Counts {
            calls: sum.calls.saturating_add(bucket.calls),
            failures: sum.failures.saturating_add(bucket.failures),
        })
    }

    pub(super) fn clear(&mut self, now: Instant) {
        self.began = now;
        self.counts = Default::default();
    }

    /// Empties the buckets whose time has come round again.
    fn turn(&mut self, now: Instant) {
        let past = now.saturating_duration_since(self.began);
        let steps = (past.as_nanos() / self.bucket.as_nanos().max(1)) as usize;
        if steps >= BUCKETS {
            return self.clear(now);
        }
        for _ in 0..steps {
            self.newest = (self.newest + 1) % BUCKETS;
            self.counts[self.newest] = Counts::default();
        }
        self.began += self.bucket * steps as u32;
    }
}

impl Counts {
    /// Share of failures; 0 where nothing was counted.
    pub(super) fn rate(self) -> f64 {
        f64::from(self.failures) / f64::from(self.calls.max(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::now;

    #[test]
    fn it_forgets_a_bucket_at_a_time() {
        let start = now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut window = Window::new(Duration::from_secs(10), start);
        window.add(true, at(0));
        window.add(false, at(999));
        window.add(true, at(1000));
        assert_eq!(window.counts(at(9_999)), Counts { calls: 3, failures: 2 });
        assert_eq!(window.counts(at(10_000)), Counts { calls: 1, failures: 1 });
        assert_eq!(window.counts(at(11_000)), Counts::default());
    }

    proptest! {
        /// Against the plain list of everything that happened.
        #[test]
        fn it_counts_what_a_list_would(steps in prop::collection::vec((0u64..3_000, any::<bool>()), 1..80)) {
            let start = now();
            let mut window = Window::new(Duration::from_secs(10), start);
            let (mut ms, mut seen) = (0, Vec::new());
            for (wait, failed) in steps {
                ms += wait;
                let at = start + Duration::from_millis(ms);
                window.add(failed, at);
                seen.push((ms, failed));
                let counts = window.counts(at);
                let surely: Vec<_> = seen.iter().filter(|(t, _)| t + 9_000 > ms).collect();
                let maybe: Vec<_> = seen.iter().filter(|(t, _)| t + 10_000 > ms).collect();
                prop_assert!(counts.calls as usize >= surely.len() && counts.calls as usize <= maybe.len());
                prop_assert!(counts.failures as usize >= surely.iter().filter(|(_, f)| *f).count());
                prop_assert!(counts.failures as usize <= maybe.iter().filter(|(_, f)| *f).count());
            }
        }
    }
}
