//! Exact counts of calls and failures within a sliding window, in a ring of ten buckets.
//!
//! A bucket expires as a whole, so the window covers nine to ten tenths of its span. An exponential
//! average would be smaller, but a count can be checked by hand during an incident.

use std::time::Duration;

use crate::runtime::clock::{Instant, saturating_add};

const BUCKETS: usize = 10;

#[derive(Debug, Clone)]
pub(in crate::health) struct Window {
    /// Length of one bucket.
    bucket: Duration,
    /// Start of the newest bucket.
    bucket_start: Instant,
    newest: usize,
    counts: [Counts; BUCKETS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::health) struct Counts {
    pub(in crate::health) calls: u32,
    pub(in crate::health) failures: u32,
}

impl Window {
    pub(in crate::health) fn new(span: Duration, now: Instant) -> Self {
        Self {
            bucket: span / BUCKETS as u32,
            bucket_start: now,
            newest: 0,
            counts: Default::default(),
        }
    }

    pub(in crate::health) fn add(&mut self, failed: bool, now: Instant) {
        self.rotate(now);
        let newest = &mut self.counts[self.newest];
        newest.calls = newest.calls.saturating_add(1);
        newest.failures = newest.failures.saturating_add(u32::from(failed));
    }

    /// Adds successful calls that belong to the newest bucket.
    pub(in crate::health) fn add_successes(&mut self, calls: u32) {
        let newest = &mut self.counts[self.newest];
        newest.calls = newest.calls.saturating_add(calls);
    }

    /// End of the newest bucket.
    pub(in crate::health) fn bucket_ends_at(&self) -> Instant {
        saturating_add(self.bucket_start, self.bucket)
    }

    /// The sums over the window at `now`.
    pub(in crate::health) fn counts(&mut self, now: Instant) -> Counts {
        self.rotate(now);
        self.counts
            .iter()
            .fold(Counts::default(), |sum, bucket| Counts {
                calls: sum.calls.saturating_add(bucket.calls),
                failures: sum.failures.saturating_add(bucket.failures),
            })
    }

    pub(in crate::health) fn clear(&mut self, now: Instant) {
        self.bucket_start = now;
        self.counts = Default::default();
    }

    /// Clears the buckets that have expired.
    fn rotate(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.bucket_start);
        let steps = (elapsed.as_nanos() / self.bucket.as_nanos().max(1)) as usize;
        if steps >= BUCKETS {
            return self.clear(now);
        }
        for _ in 0..steps {
            self.newest = (self.newest + 1) % BUCKETS;
            self.counts[self.newest] = Counts::default();
        }
        self.bucket_start += self.bucket * steps as u32;
    }
}

impl Counts {
    /// Share of failures; 0 without calls.
    pub(in crate::health) fn rate(self) -> f64 {
        f64::from(self.failures) / f64::from(self.calls.max(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::runtime::clock::now;

    #[test]
    fn window_expires_bucket_by_bucket() {
        let start = now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut window = Window::new(Duration::from_secs(10), start);
        window.add(true, at(0));
        window.add(false, at(999));
        window.add(true, at(1000));
        assert_eq!(
            window.counts(at(9_999)),
            Counts {
                calls: 3,
                failures: 2
            }
        );
        assert_eq!(
            window.counts(at(10_000)),
            Counts {
                calls: 1,
                failures: 1
            }
        );
        assert_eq!(window.counts(at(11_000)), Counts::default());
    }

    proptest! {
        /// Compares with a list of all calls.
        #[test]
        fn window_matches_list(
            steps in prop::collection::vec((0u64..3_000, any::<bool>()), 1..80),
        ) {
            let start = now();
            let mut window = Window::new(Duration::from_secs(10), start);
            let (mut ms, mut calls) = (0, Vec::new());
            for (wait, failed) in steps {
                ms += wait;
                let at = start + Duration::from_millis(ms);
                window.add(failed, at);
                calls.push((ms, failed));
                let counts = window.counts(at);
                let within = |span: u64| calls.iter().filter(move |(at, _)| at + span > ms);
                let failures = |span: u64| within(span).filter(|(_, failed)| *failed).count();
                let (required, allowed) = (within(9_000).count(), within(10_000).count());
                prop_assert!((required..=allowed).contains(&(counts.calls as usize)));
                let (required, allowed) = (failures(9_000), failures(10_000));
                prop_assert!((required..=allowed).contains(&(counts.failures as usize)));
            }
        }
    }
}
