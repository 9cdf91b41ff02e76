//! How long a region takes to its first byte: a histogram that forgets, read by its quantiles.
//!
//! An attempt that was given up before its answer is known to have taken *at least* so long. Counted as if it had been answered
//! then, it would make a slow region look as fast as the callers that give it up. So such times leave the crowd when they were
//! given up, without an answer (the estimate of Kaplan and Meier), and where too few answers are left to reach a quantile its
//! tail is drawn on as an exponential one.
//!
//! Buckets grow by an eighth of a power of two: what is read is right to some 6 %. The past is two generations. The newer one
//! becomes the older one after ten seconds, or after one that was busy, but never before it holds enough to be read: a region that is
//! hardly asked is judged by older answers, and not by none.

use std::time::Duration;

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::time::Instant;

#[derive(Debug)]
pub(super) struct Latency {
    past: Mutex<Past>,
    /// What was last read: hot paths take no lock.
    median: AtomicU64,
    tail: AtomicU64,
}

#[derive(Debug)]
struct Past {
    newer: Generation,
    older: Generation,
    began: Instant,
    unread: u32,
    read: Instant,
}

#[derive(Debug, Clone)]
struct Generation {
    answered: [u32; BUCKETS],
    given_up: [u32; BUCKETS],
    samples: u32,
}

impl Latency {
    pub(super) fn new(now: Instant) -> Self {
        let past = Past { newer: Generation::default(), older: Generation::default(), began: now, unread: 0, read: now };
        Self { past: Mutex::new(past), median: AtomicU64::new(UNKNOWN), tail: AtomicU64::new(UNKNOWN) }
    }

    /// The region has answered after this time.
    pub(super) fn answered(&self, after: Duration, now: Instant) {
        self.record(after, false, now);
    }

    /// Somebody has given up after this time.
    pub(super) fn given_up(&self, after: Duration, now: Instant) {
        self.record(after, true, now);
    }

    /// The time within which half of all answers came; None where too little is known.
    pub(super) fn p50(&self) -> Option<Duration> {
        known(&self.median)
    }

    /// The time within which 95 of 100 answers came; None where too little is known.
    pub(super) fn p95(&self) -> Option<Duration> {
        known(&self.tail)
    }

    fn record(&self, after: Duration, given_up: bool, now: Instant) {
        let mut past = self.past.lock();
        past.turn(now);
        past.newer.add(bucket(after), given_up);
        past.unread += 1;
        let due = past.unread >= READ_EVERY || now.saturating_duration_since(past.read) >= READ_AFTER;
        if due && past.newer.samples + past.older.samples >= ENOUGH {
            (past.unread, past.read) = (0, now);
            let both = past.newer.and(&past.older);
            self.median.store(nanos(both.quantile(0.5)), Ordering::Relaxed);
            self.tail.store(nanos(both.quantile(0.95)), Ordering::Relaxed);
        }
    }
}

impl Past {
    fn turn(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.began);
        let rare = self.newer.samples >= ENOUGH && age >= GENERATION;
        let busy = self.newer.samples >= PLENTY && age >= GENERATION / 10;
        if rare || busy {
            self.older = std::mem::take(&mut self.newer);
            self.began = now;
        }
    }
}

impl Generation {
    fn add(&mut self, bucket: usize, given_up: bool) {
        let counts = if given_up { &mut self.given_up } else { &mut self.answered };
        counts[bucket] = counts[bucket].saturating_add(1);
        self.samples = self.samples.saturating_add(1);
    }

    fn and(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        for index in 0..BUCKETS {
            sum.answered[index] = sum.answered[index].saturating_add(other.answered[index]);
            sum.given_up[index] = sum.given_up[index].saturating_add(other.given_up[index]);
        }
        sum.samples = self.samples.saturating_add(other.samples);
        sum
    }

    /// The time within which this share of answers came.
    fn quantile(&self, share: f64) -> Duration {
        let still_wanted = 1.0 - share;
        let (mut waiting, mut unanswered, mut last) = (f64::from(self.samples), 1.0_f64, 0);
        for index in 0..BUCKETS {
            let (answered, given_up) = (f64::from(self.answered[index]), f64::from(self.given_up[index]));
            if answered + given_up == 0.0 {
                continue;
            }
            unanswered *= 1.0 - answered / waiting;
            if unanswered <= still_wanted + ROUNDING {
                return top(index);
            }
            waiting -= answered + given_up;
            last = index;
        }
        // Nobody has waited long enough to see it.
        let further = if unanswered < 1.0 { still_wanted.ln() / unanswered.ln() } else { f64::INFINITY };
        crate::time::scaled(top(last), further.min(1e9)).min(LONGEST)
    }
}

impl Default for Generation {
    fn default() -> Self {
        Self { answered: [0; BUCKETS], given_up: [0; BUCKETS], samples: 0 }
    }
}

/// The bucket of a time: its power of two in microseconds, and the eighth within it.
fn bucket(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(SMALLEST);
    let power = micros.ilog2();
    let eighth = (micros >> (power - EIGHTHS)) & ((1 << EIGHTHS) - 1);
    (((power - EIGHTHS) as usize) * (1 << EIGHTHS) + eighth as usize).min(BUCKETS - 1)
}

/// The longest time of a bucket.
fn top(bucket: usize) -> Duration {
    let (power, eighth) = ((bucket >> EIGHTHS) as u32 + EIGHTHS, (bucket & ((1 << EIGHTHS) - 1)) as u64);
    Duration::from_micros(((1 << EIGHTHS) + eighth + 1) << (power - EIGHTHS))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1)
}

fn known(read: &AtomicU64) -> Option<Duration> {
    Some(read.load(Ordering::Relaxed)).filter(|nanos| *nanos != UNKNOWN).map(Duration::from_nanos)
}

const EIGHTHS: u32 = 3;
/// Times below this share one bucket.
const SMALLEST: u64 = 1 << EIGHTHS;
/// From 8 microseconds to some two minutes.
const BUCKETS: usize = 24 << EIGHTHS;
const UNKNOWN: u64 = u64::MAX;
/// Fewer samples than this say nothing about a tail.
pub(super) const ENOUGH: u32 = 20;
/// As many tell a tail well.
const PLENTY: u32 = 200;
const GENERATION: Duration = Duration::from_secs(10);
/// Quantiles are read anew after so many samples, or after so long.
const READ_EVERY: u32 = 64;
const READ_AFTER: Duration = Duration::from_millis(100);
/// A region that has never answered is this slow.
const LONGEST: Duration = Duration::from_secs(3_600);
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::now;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A time as a bucket tells it.
    fn about(time: Duration, told: Option<Duration>) -> bool {
        told.is_some_and(|told| told >= time.mul_f64(0.99) && told <= time.mul_f64(1.14))
    }

    #[test]
    fn too_few_samples_say_nothing() {
        let start = now();
        let latency = Latency::new(start);
        for count in 0..ENOUGH {
            assert_eq!(latency.p95(), None, "after {count}");
            latency.answered(ms(3), start + ms(200) * count);
        }
        assert!(about(ms(3), latency.p95()) && about(ms(3), latency.p50()), "{:?}", latency.p95());
    }

    #[test]
    fn what_was_given_up_does_not_make_a_region_look_fast() {
        let start = now();
        let latency = Latency::new(start);
        for step in 0..100 {
            let given_up = step % 10 != 0;
            let at = start + ms(10) * step;
            if given_up {
                latency.given_up(ms(4), at)
            } else {
                latency.answered(ms(80), at)
            };
        }
        assert!(about(ms(80), latency.p95()), "{:?}", latency.p95());
    }

    #[test]
    fn a_region_that_never_answers_is_slower_than_anything() {
        let start = now();
        let latency = Latency::new(start);
        (0..50).for_each(|step| latency.given_up(ms(4), start + ms(10) * step));
        assert_eq!(latency.p95(), Some(LONGEST));
    }

    #[test]
    fn the_past_is_forgotten_once_there_is_enough_of_the_present() {
        let start = now();
        let latency = Latency::new(start);
        (0..1_000).for_each(|step| latency.answered(ms(100), start + ms(step)));
        for step in 0..3 * ENOUGH {
            latency.answered(ms(2), start + ms(12_000) + ms(1_000) * step);
        }
        assert!(about(ms(2), latency.p95()), "{:?}", latency.p95());
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_times(micros in 8_u64..100_000_000) {
            let time = Duration::from_micros(micros);
            let top = top(bucket(time));
            prop_assert!(top > time && top <= time.mul_f64(1.126), "{time:?} in a bucket to {top:?}");
        }

        /// Against the sorted list, where nobody gave up.
        #[test]
        fn a_quantile_is_that_of_the_list(mut times in prop::collection::vec(10_u64..1_000_000, 20..300)) {
            let mut seen = Generation::default();
            times.iter().for_each(|micros| seen.add(bucket(Duration::from_micros(*micros)), false));
            times.sort_unstable();
            let exact = Duration::from_micros(times[((times.len() as f64 * 0.95).ceil() as usize - 1).min(times.len() - 1)]);
            prop_assert_eq!(bucket(seen.quantile(0.95) - Duration::from_micros(1)), bucket(exact));
        }
    }
}
