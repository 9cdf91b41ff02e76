//! One rate limit of one region: a limiter, its adaptive clock, and the queue of waiting calls.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;

use super::adaptive_clock::AdaptiveClock;
use super::wait_queue::WaitQueue;
use crate::runtime::clock::{self, Instant};

#[derive(Debug)]
pub(super) struct RateLimit {
    limiter: RateLimiter<NotKeyed, InMemoryState, LimiterClock, NoOpMiddleware<Duration>>,
    /// Virtual time between two cells.
    interval: Duration,
    burst: NonZeroU32,
    pub(super) queue: WaitQueue,
}

/// The clock of the limiter: virtual time.
#[derive(Debug)]
struct LimiterClock(Mutex<AdaptiveClock>);

impl RateLimit {
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        // Rounded up, so that the rate never exceeds the setting.
        let interval =
            Duration::from_nanos(NANOS_PER_SECOND.div_ceil(u64::from(per_second.max(1))));
        let burst = NonZeroU32::new(per_second / BURSTS_PER_SECOND).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(interval)
            .expect("the rounded interval is at least 1 ns")
            .allow_burst(burst);
        let limiter = RateLimiter::direct_with_clock(
            quota,
            LimiterClock(Mutex::new(AdaptiveClock::new(now))),
        );
        Self {
            limiter,
            interval,
            burst,
            queue: WaitQueue::default(),
        }
    }

    /// Takes a cell, or returns when one will be free for a call with `ahead` calls before it.
    pub(super) fn try_take(&self, ahead: usize) -> Result<(), Instant> {
        self.limiter.check().map_err(|not_until| {
            let others = self
                .interval
                .saturating_mul(u32::try_from(ahead).unwrap_or(u32::MAX));
            self.adaptive_clock()
                .lock()
                .real_time_at(not_until.earliest_possible().saturating_add(others))
        })
    }

    /// The region throttled a call. A slower rate also loses its burst, which would be sent at
    /// once.
    pub(super) fn slow_down(&self, now: Instant) {
        if self.adaptive_clock().lock().slow_down(now) {
            self.drain();
        }
    }

    pub(super) fn pause(&self, now: Instant, until: Instant) {
        self.adaptive_clock().lock().pause(now, until);
    }

    /// Takes all free cells. Descending powers of two add up to any number of them.
    fn drain(&self) {
        for power in (0..=self.burst.ilog2()).rev() {
            if let Some(cells) = NonZeroU32::new(1 << power) {
                let _ = self.limiter.check_n(cells);
            }
        }
    }

    fn adaptive_clock(&self) -> &Mutex<AdaptiveClock> {
        &self.limiter.clock().0
    }
}

impl Clock for LimiterClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.lock().virtual_now(clock::now())
    }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// The burst is a tenth of a second: 5000 and 500 are the 5500 reads that S3 serves in a second.
const BURSTS_PER_SECOND: u32 = 10;
