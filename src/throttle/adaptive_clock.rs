//! The clock of an adaptive rate limit.
//!
//! The limiter allows a fixed number of calls per second of its clock. To lower the rate, the clock
//! slows down instead: at half speed, half of the calls pass. The quota is never rebuilt, no state
//! is lost, and any share is exact, down to one call a second. The time of this clock is called
//! *virtual*. It never runs ahead of real time, so the rate never exceeds its setting, and it stops
//! during a `Retry-After`.
//!
//! There is no timer for the recovery of the rate. Steps that are due are applied at the next
//! query.

use std::time::Duration;

use crate::runtime::clock::{self, Instant};

#[derive(Debug)]
pub(super) struct AdaptiveClock {
    /// Speed, in parts of [`FULL`].
    share: u32,
    /// Virtual time at `settled_at`. That instant is in the future while the clock is paused.
    virtual_time: Duration,
    settled_at: Instant,
    /// When throttling or a step last happened.
    quiet_since: Instant,
    last_halving: Option<Instant>,
}

impl AdaptiveClock {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            share: FULL,
            virtual_time: Duration::ZERO,
            settled_at: now,
            quiet_since: now,
            last_halving: None,
        }
    }

    /// The virtual time at `now`.
    pub(super) fn virtual_now(&mut self, now: Instant) -> Duration {
        self.catch_up(now);
        self.virtual_at(now)
    }

    /// When the clock will show `virtual_time` at its current speed.
    pub(super) fn real_time_at(&self, virtual_time: Duration) -> Instant {
        let ahead = virtual_time.saturating_sub(self.virtual_time).as_nanos() * u128::from(FULL);
        clock::saturating_add(
            self.settled_at,
            nanos(ahead.div_ceil(u128::from(self.share))),
        )
    }

    /// The region throttled a call. Returns whether this halved the speed.
    pub(super) fn slow_down(&mut self, now: Instant) -> bool {
        self.catch_up(now);
        self.quiet_since = self.quiet_since.max(now);
        // Responses within a second of a halving still reflect the speed before it.
        let halves = self
            .last_halving
            .is_none_or(|at| now.saturating_duration_since(at) >= STEP_TIME);
        if halves {
            self.settle(now);
            self.last_halving = Some(now);
            self.share = (self.share / 2).max(1);
        }
        halves
    }

    /// Stops the clock until then. The pause does not count as time without throttling.
    pub(super) fn pause(&mut self, now: Instant, until: Instant) {
        self.catch_up(now);
        self.settle(now);
        self.settled_at = self.settled_at.max(until);
        self.quiet_since = self.quiet_since.max(until);
    }

    /// Applies the steps that are due.
    fn catch_up(&mut self, now: Instant) {
        while self.share < FULL && now.saturating_duration_since(self.quiet_since) >= STEP_TIME {
            let due = self.quiet_since + STEP_TIME;
            self.settle(due);
            // Doubles below a 16th: a whole step would multiply a low rate many times.
            self.share = (self.share + self.share.min(STEP)).min(FULL);
            self.quiet_since = due;
        }
    }

    /// Accounts for the virtual time until `now`, before the speed changes.
    fn settle(&mut self, now: Instant) {
        self.virtual_time = self.virtual_at(now);
        self.settled_at = self.settled_at.max(now);
    }

    fn virtual_at(&self, now: Instant) -> Duration {
        let elapsed = now.saturating_duration_since(self.settled_at).as_nanos();
        self.virtual_time + nanos(elapsed * u128::from(self.share) / u128::from(FULL))
    }
}

/// Saturates at 584 years.
fn nanos(count: u128) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(u64::MAX))
}

/// Full speed. The slowest is a 64th: 78 of 5000 reads a second.
pub(super) const FULL: u32 = 64;
/// A 16th of the full speed: back from half of it in eight seconds.
const STEP: u32 = FULL / 16;
/// Minimum time between two halvings and between two steps: about as long as S3 takes to reflect a
/// change of the load.
pub(super) const STEP_TIME: Duration = Duration::from_secs(1);
