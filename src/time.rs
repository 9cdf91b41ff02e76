//! The one door to the clock and to the dice.
//!
//! Everything that depends on time or chance comes through here, so that a test on tokio's paused clock with a seed sees the
//! same run twice.

use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

pub(crate) use tokio::time::{Instant, Sleep, sleep_until};

/// This moment.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What the calendar says: only for the dates of others, and for people. It may jump, and no test holds it.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn wall_clock() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// Seconds since 1970, for people.
pub(crate) fn unix_seconds() -> f64 {
    wall_clock().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// What chance decides: where a rotation begins, jitter, canaries.
#[derive(Debug)]
pub(crate) struct Dice(Mutex<SmallRng>);

impl Dice {
    /// Dice that fall the same way for the same seed; without a seed the system chooses one.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(Mutex::new(seed.map_or_else(rand::make_rng, SmallRng::seed_from_u64)))
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&self) -> f64 {
        self.0.lock().random()
    }

    /// A number in `[0, n)`; 0 where `n` is 0.
    pub(crate) fn below(&self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.0.lock().random_range(0..n) }
    }

    /// Dice of one's own, decided by these.
    pub(crate) fn fork(&self) -> SmallRng {
        SmallRng::seed_from_u64(self.0.lock().random())
    }
}

/// The moment `time` after `now`, or one so far away that nobody lives to see it.
pub(crate) fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or_else(|| now + FAR_AWAY)
}

/// Thirty years: tokio's own idea of for ever.
const FAR_AWAY: Duration = Duration::from_secs(86_400 * 365 * 30);

/// `base` scaled by `factor`, never past what a `Duration` can hold.
pub(crate) fn scaled(base: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(base.as_secs_f64() * factor.max(0.0)).unwrap_or(Duration::MAX)
}
