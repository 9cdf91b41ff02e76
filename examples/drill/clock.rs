//! The drill's one door to the clock: the crate's lints let nobody else ask for the time, and the drill keeps to them.

use std::time::{Duration, SystemTime};

pub(crate) use tokio::time::{Instant, sleep_until};

/// This moment.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits.
pub(crate) async fn pause(time: Duration) {
    sleep_until(now() + time).await;
}

/// What `work` gives, unless it takes longer than `limit`.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout_at(now() + limit, work).await.ok()
}

/// Milliseconds, with the precision of a clock that is read from user space.
pub(crate) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

/// This moment in the calendar.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}

/// The calendar's time, as RFC 3339 writes it.
pub(crate) fn calendar() -> String {
    chrono::DateTime::<chrono::Utc>::from(wall()).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
