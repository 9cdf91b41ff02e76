//! The only source of time, so that tests control it with tokio's paused clock.

use std::time::Duration;

pub(crate) use tokio::time::{Instant, Sleep, sleep_until};

/// The current instant of tokio's clock.
#[expect(clippy::disallowed_methods, reason = "the only caller")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The wall clock, for HTTP dates and for display only: it may jump, and tests do not control it.
#[expect(clippy::disallowed_methods, reason = "the only caller")]
pub(crate) fn wall_clock() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// Unix time in seconds, for display.
pub(crate) fn unix_seconds() -> f64 {
    wall_clock()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

/// `now + time`, or [`FAR_FUTURE`] on overflow.
pub(crate) fn saturating_add(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or_else(|| now + FAR_FUTURE)
}

/// Thirty years, like tokio's far-future deadline.
const FAR_FUTURE: Duration = Duration::from_secs(86_400 * 365 * 30);

/// `base * factor`, saturating at zero and `Duration::MAX`.
pub(crate) fn saturating_mul_f64(base: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(base.as_secs_f64() * factor.max(0.0)).unwrap_or(Duration::MAX)
}

/// How much later than `due` a timer fired at `now`, if this process delayed it: a stopped process,
/// a blocked executor, a task that was not polled. Responses may have arrived meanwhile, and their
/// connections may not have been read yet: nothing is charged, and the limits move by the delay.
pub(crate) fn delay_of_timer(due: Instant, now: Instant) -> Option<Duration> {
    let late = now.saturating_duration_since(due);
    (late > MAX_LATENESS).then_some(late)
}

/// Scheduling on a busy machine takes some milliseconds.
const MAX_LATENESS: Duration = Duration::from_millis(100);
