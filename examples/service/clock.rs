//! The service's one door to the clock: the crate's lints let nobody else ask for the time, and the service keeps to them.

use std::time::{Duration, SystemTime};

pub(crate) use tokio::time::Instant;

/// This moment, to measure with.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// This moment, for people: milliseconds since 1970, as a browser counts.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn wall_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Waits.
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep_until(now() + time).await;
}

/// What `work` gives, unless it takes longer than `limit`.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout_at(now() + limit, work).await.ok()
}
