//! How fast time passes for a pace.
//!
//! A limiter gives out so many places per second of the clock that it is asked with. A pace that is halved needs no other limiter,
//! then, but a clock that runs at half speed: the quota stays as it is, nothing is rebuilt or forgotten, and any share is exact, down
//! to one call a second. What that clock shows is called *felt* time. It is never ahead of real time, so no pace is ever above its
//! setting, and it stands still until a moment that a region has asked us to wait for.
//!
//! Nobody calls to say that a second without throttling is over: the steps that are due are made up for at the next question.

use std::time::Duration;

use crate::time::{self, Instant};

/// The course of one lane's felt time.
#[derive(Debug)]
pub(super) struct Tempo {
    /// Speed, in parts of [`FULL`].
    share: u32,
    /// What had been felt at `counted`; that moment lies ahead while time stands still.
    felt: Duration,
    counted: Instant,
    /// Since when there has been neither throttling nor a step.
    quiet_since: Instant,
    halved: Option<Instant>,
}

impl Tempo {
    pub(super) fn new(now: Instant) -> Self {
        Self { share: FULL, felt: Duration::ZERO, counted: now, quiet_since: now, halved: None }
    }

    /// What has been felt by `now`.
    pub(super) fn felt(&mut self, now: Instant) -> Duration {
        self.climb(now);
        self.felt_by(now)
    }

    /// When so much will have been felt, if the speed stays as it is.
    pub(super) fn moment(&self, felt: Duration) -> Instant {
        let ahead = felt.saturating_sub(self.felt).as_nanos() * u128::from(FULL);
        time::after(self.counted, nanos(ahead.div_ceil(u128::from(self.share))))
    }

    /// The region throttles. Whether this has slowed it: what comes within a second of a halving is an answer to the speed before it.
    pub(super) fn slow(&mut self, now: Instant) -> bool {
        self.climb(now);
        self.quiet_since = self.quiet_since.max(now);
        let halves = self.halved.is_none_or(|at| now.saturating_duration_since(at) >= STEP_TIME);
        if halves {
            self.count(now);
            self.halved = Some(now);
            self.share = (self.share / 2).max(1);
        }
        halves
    }

    /// Time stands still until then, and is not quiet.
    pub(super) fn stop(&mut self, now: Instant, until: Instant) {
        self.climb(now);
        self.count(now);
        self.counted = self.counted.max(until);
        self.quiet_since = self.quiet_since.max(until);
    }

    /// Makes up for the steps that are due. From far down it doubles: a 16th of the full pace would be a leap.
    fn climb(&mut self, now: Instant) {
        while self.share < FULL && now.saturating_duration_since(self.quiet_since) >= STEP_TIME {
            let due = self.quiet_since + STEP_TIME;
            self.count(due);
            self.share = (self.share + self.share.min(STEP)).min(FULL);
            self.quiet_since = due;
        }
    }

    fn count(&mut self, now: Instant) {
        self.felt = self.felt_by(now);
        self.counted = self.counted.max(now);
    }

    fn felt_by(&self, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.counted).as_nanos();
        self.felt + nanos(since * u128::from(self.share) / u128::from(FULL))
    }
}

/// More than 584 years do not fit, and are as good as for ever.
fn nanos(count: u128) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(u64::MAX))
}

/// The full speed; its parts are those that a pace can have, so the slowest is a 64th: 78 reads a second of 5000.
pub(super) const FULL: u32 = 64;
/// A 16th of the full pace: back from half of it in eight seconds.
const STEP: u32 = FULL / 16;
/// At most one halving, and one step, in this time: as long as S3 and its like take to see what a change has done.
pub(super) const STEP_TIME: Duration = Duration::from_secs(1);
