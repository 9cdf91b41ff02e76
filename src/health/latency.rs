//! Time to first byte of a region: a histogram with expiry, read by quantiles.
//!
//! ## Abandoned attempts
//!
//! An attempt that was given up has taken *at least* the time until then. Counted as a response, it
//! would make a slow region look as fast as the callers that give up. The quantiles are therefore a
//! Kaplan-Meier estimate: abandoned attempts leave the population at risk without a response. Where
//! too few responses remain to reach a quantile, the tail is extrapolated as exponential.
//!
//! ## Resolution and expiry
//!
//! There are eight buckets per power of two, so a quantile is accurate to about 6 %. The histogram
//! has two generations. The newer one replaces the older after ten seconds, or after one second
//! with many samples, but never before it has enough samples to be read: a region with few requests
//! is judged by old responses rather than none.

use std::time::Duration;

use crate::runtime::clock::{self, Instant};
use crate::runtime::sync::Mutex;
use crate::runtime::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct LatencyHistogram {
    generations: Mutex<Generations>,
    /// Cached quantiles in nanoseconds, so that reads take no lock.
    p50: AtomicU64,
    p95: AtomicU64,
}

#[derive(Debug)]
struct Generations {
    newer: Generation,
    older: Generation,
    newer_since: Instant,
    /// Samples since the quantiles were last computed.
    pending_samples: u32,
    computed_at: Instant,
}

#[derive(Debug, Clone)]
struct Generation {
    responses: [u32; BUCKETS],
    abandoned: [u32; BUCKETS],
    samples: u32,
}

/// How a wait for the first byte ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sample {
    Response,
    Abandoned,
}

impl LatencyHistogram {
    pub(super) fn new(now: Instant) -> Self {
        let generations = Generations {
            newer: Generation::default(),
            older: Generation::default(),
            newer_since: now,
            pending_samples: 0,
            computed_at: now,
        };
        Self {
            generations: Mutex::new(generations),
            p50: AtomicU64::new(UNKNOWN),
            p95: AtomicU64::new(UNKNOWN),
        }
    }

    /// The region responded after this time.
    pub(super) fn record_response(&self, elapsed: Duration, now: Instant) {
        self.record(elapsed, Sample::Response, now);
    }

    /// The attempt was given up after this time.
    pub(super) fn record_abandoned(&self, elapsed: Duration, now: Instant) {
        self.record(elapsed, Sample::Abandoned, now);
    }

    /// Median; None below [`MIN_SAMPLES`].
    pub(super) fn p50(&self) -> Option<Duration> {
        cached(&self.p50)
    }

    /// 95th percentile; None below [`MIN_SAMPLES`].
    pub(super) fn p95(&self) -> Option<Duration> {
        cached(&self.p95)
    }

    fn record(&self, elapsed: Duration, sample: Sample, now: Instant) {
        let mut generations = self.generations.lock();
        generations.rotate(now);
        generations.newer.add(bucket(elapsed), sample);
        generations.pending_samples += 1;
        if generations.is_due(now) {
            (generations.pending_samples, generations.computed_at) = (0, now);
            let merged = generations.newer.merge(&generations.older);
            self.p50
                .store(nanos(merged.quantile(0.5)), Ordering::Relaxed);
            self.p95
                .store(nanos(merged.quantile(0.95)), Ordering::Relaxed);
        }
    }
}

impl Generations {
    fn rotate(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.newer_since);
        let has_expired = self.newer.samples >= MIN_SAMPLES && age >= GENERATION;
        let is_busy = self.newer.samples >= MANY_SAMPLES && age >= GENERATION / 10;
        if has_expired || is_busy {
            self.older = std::mem::take(&mut self.newer);
            self.newer_since = now;
        }
    }

    /// The quantiles are to be computed again.
    fn is_due(&self, now: Instant) -> bool {
        let is_stale = self.pending_samples >= COMPUTE_EVERY_SAMPLES
            || now.saturating_duration_since(self.computed_at) >= COMPUTE_EVERY;
        is_stale && self.newer.samples + self.older.samples >= MIN_SAMPLES
    }
}

impl Generation {
    fn add(&mut self, bucket: usize, sample: Sample) {
        let counts = match sample {
            Sample::Response => &mut self.responses,
            Sample::Abandoned => &mut self.abandoned,
        };
        counts[bucket] = counts[bucket].saturating_add(1);
        self.samples = self.samples.saturating_add(1);
    }

    fn merge(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        for index in 0..BUCKETS {
            sum.responses[index] = sum.responses[index].saturating_add(other.responses[index]);
            sum.abandoned[index] = sum.abandoned[index].saturating_add(other.abandoned[index]);
        }
        sum.samples = self.samples.saturating_add(other.samples);
        sum
    }

    /// The time within which this share of responses arrives.
    fn quantile(&self, share: f64) -> Duration {
        let target = 1.0 - share;
        // `surviving`: estimated probability of no response until the current bucket.
        let (mut at_risk, mut surviving, mut last) = (f64::from(self.samples), 1.0_f64, 0);
        for index in 0..BUCKETS {
            let responses = f64::from(self.responses[index]);
            let abandoned = f64::from(self.abandoned[index]);
            if responses + abandoned == 0.0 {
                continue;
            }
            surviving *= 1.0 - responses / at_risk;
            if surviving <= target + ROUNDING {
                return upper_bound(index);
            }
            at_risk -= responses + abandoned;
            last = index;
        }
        // No attempt waited long enough to reach the target: extrapolate an exponential tail.
        let factor = if surviving < 1.0 {
            target.ln() / surviving.ln()
        } else {
            f64::INFINITY
        };
        clock::saturating_mul_f64(upper_bound(last), factor.min(1e9)).min(LATENCY_MAX)
    }
}

impl Default for Generation {
    fn default() -> Self {
        Self {
            responses: [0; BUCKETS],
            abandoned: [0; BUCKETS],
            samples: 0,
        }
    }
}

/// The bucket of a time: its power of two in microseconds, and the eighth within it.
fn bucket(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros())
        .unwrap_or(u64::MAX)
        .max(LATENCY_MIN);
    let power = micros.ilog2();
    let eighth = (micros >> (power - EIGHTHS)) & ((1 << EIGHTHS) - 1);
    (((power - EIGHTHS) as usize) * (1 << EIGHTHS) + eighth as usize).min(BUCKETS - 1)
}

/// The exclusive upper bound of a bucket.
fn upper_bound(bucket: usize) -> Duration {
    let (power, eighth) = (
        (bucket >> EIGHTHS) as u32 + EIGHTHS,
        (bucket & ((1 << EIGHTHS) - 1)) as u64,
    );
    Duration::from_micros(((1 << EIGHTHS) + eighth + 1) << (power - EIGHTHS))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1)
}

fn cached(nanos: &AtomicU64) -> Option<Duration> {
    Some(nanos.load(Ordering::Relaxed))
        .filter(|nanos| *nanos != UNKNOWN)
        .map(Duration::from_nanos)
}

/// Bits of the bucket within its power of two.
const EIGHTHS: u32 = 3;
/// Microseconds. Shorter times share the first bucket.
const LATENCY_MIN: u64 = 1 << EIGHTHS;
/// From 8 microseconds to about two minutes.
const BUCKETS: usize = 24 << EIGHTHS;
const UNKNOWN: u64 = u64::MAX;
/// Below this number of samples there is no quantile: the tail would be a guess.
const MIN_SAMPLES: u32 = 20;
/// Enough samples to rotate a generation early.
const MANY_SAMPLES: u32 = 200;
/// Length of one generation.
const GENERATION: Duration = Duration::from_secs(10);
/// Quantiles are computed again after this many samples, or after this time.
const COMPUTE_EVERY_SAMPLES: u32 = 64;
const COMPUTE_EVERY: Duration = Duration::from_millis(100);
/// Upper limit of every quantile, and the latency of a region that has never responded.
const LATENCY_MAX: Duration = Duration::from_secs(3_600);
/// Tolerance for rounding errors in the product of probabilities.
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::runtime::clock::now;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// `quantile` equals `time` within the resolution of a bucket.
    fn is_about(time: Duration, quantile: Option<Duration>) -> bool {
        quantile.is_some_and(|it| it >= time.mul_f64(0.99) && it <= time.mul_f64(1.14))
    }

    #[test]
    fn no_quantile_below_min_samples() {
        let start = now();
        let latency = LatencyHistogram::new(start);
        for count in 0..MIN_SAMPLES {
            assert_eq!(latency.p95(), None, "after {count}");
            latency.record_response(ms(3), start + ms(200) * count);
        }
        assert!(
            is_about(ms(3), latency.p95()) && is_about(ms(3), latency.p50()),
            "{:?}",
            latency.p95()
        );
    }

    #[test]
    fn abandoned_attempts_do_not_shorten_quantiles() {
        let start = now();
        let latency = LatencyHistogram::new(start);
        for step in 0..100 {
            let at = start + ms(10) * step;
            if step % 10 == 0 {
                latency.record_response(ms(80), at);
            } else {
                latency.record_abandoned(ms(4), at);
            }
        }
        assert!(is_about(ms(80), latency.p95()), "{:?}", latency.p95());
    }

    #[test]
    fn unresponsive_region_has_maximum_latency() {
        let start = now();
        let latency = LatencyHistogram::new(start);
        (0..50).for_each(|step| latency.record_abandoned(ms(4), start + ms(10) * step));
        assert_eq!(latency.p95(), Some(LATENCY_MAX));
    }

    #[test]
    fn old_samples_expire_after_enough_new_ones() {
        let start = now();
        let latency = LatencyHistogram::new(start);
        (0..1_000).for_each(|step| latency.record_response(ms(100), start + ms(step)));
        for step in 0..3 * MIN_SAMPLES {
            latency.record_response(ms(2), start + ms(12_000) + ms(1_000) * step);
        }
        assert!(is_about(ms(2), latency.p95()), "{:?}", latency.p95());
    }

    proptest! {
        #[test]
        fn bucket_bounds_its_times(micros in 8_u64..100_000_000) {
            let time = Duration::from_micros(micros);
            let bound = upper_bound(bucket(time));
            prop_assert!(bound > time && bound <= time.mul_f64(1.126), "{time:?} below {bound:?}");
        }

        /// Compares with the sorted list, without abandoned attempts.
        #[test]
        fn quantile_matches_sorted_list(
            mut times in prop::collection::vec(10_u64..1_000_000, 20..300),
        ) {
            let mut generation = Generation::default();
            for micros in &times {
                generation.add(bucket(Duration::from_micros(*micros)), Sample::Response);
            }
            times.sort_unstable();
            let rank = (times.len() as f64 * 0.95).ceil() as usize - 1;
            let exact = Duration::from_micros(times[rank.min(times.len() - 1)]);
            let below = generation.quantile(0.95) - Duration::from_micros(1);
            prop_assert_eq!(bucket(below), bucket(exact));
        }
    }
}
