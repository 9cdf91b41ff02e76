//! One pace of one region: a limiter, the clock it is asked with, and those who wait.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;

use super::line::Line;
use super::tempo::Tempo;
use crate::time::{self, Instant};

#[derive(Debug)]
pub(super) struct Lane {
    limiter: RateLimiter<NotKeyed, InMemoryState, FeltClock, NoOpMiddleware<Duration>>,
    /// Felt time from one place to the next.
    interval: Duration,
    burst: NonZeroU32,
    pub(super) line: Line,
}

/// The clock that the limiter sees: felt time, on the clock of `time.rs`.
#[derive(Debug)]
struct FeltClock(Mutex<Tempo>);

impl Lane {
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        // Rounded up: never above the setting.
        let interval = Duration::from_nanos(NANOS_PER_SECOND.div_ceil(u64::from(per_second.max(1))));
        let burst = NonZeroU32::new(per_second / BURSTS_PER_SECOND).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(interval).expect("rounded up it is a nanosecond at least").allow_burst(burst);
        let limiter = RateLimiter::direct_with_clock(quota, FeltClock(Mutex::new(Tempo::new(now))));
        Self { limiter, interval, burst, line: Line::default() }
    }

    /// Takes a place now, or says when there is one for somebody who has so many ahead.
    pub(super) fn take(&self, ahead: usize) -> Result<(), Instant> {
        self.limiter.check().map_err(|not_until| {
            let others = self.interval.saturating_mul(u32::try_from(ahead).unwrap_or(u32::MAX));
            self.tempo().lock().moment(not_until.earliest_possible().saturating_add(others))
        })
    }

    /// The region throttles. What has been saved up is lost, if this slows it: it would go there all at once.
    pub(super) fn slow(&self, now: Instant) {
        if self.tempo().lock().slow(now) {
            self.spend();
        }
    }

    pub(super) fn stop(&self, now: Instant, until: Instant) {
        self.tempo().lock().stop(now, until);
    }

    /// Takes all places there are. Powers of two, from the largest down, add up to any number of them.
    fn spend(&self) {
        for power in (0..=self.burst.ilog2()).rev() {
            if let Some(places) = NonZeroU32::new(1 << power) {
                let _ = self.limiter.check_n(places);
            }
        }
    }

    fn tempo(&self) -> &Mutex<Tempo> {
        &self.limiter.clock().0
    }
}

impl Clock for FeltClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.lock().felt(time::now())
    }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// A tenth of a second's worth may go at once: 5000 and 500 are the 5500 reads that S3 serves in a second.
const BURSTS_PER_SECOND: u32 = 10;
