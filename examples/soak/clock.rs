//! The soak's one door to the clock.

use std::time::Duration;

pub(crate) use tokio::time::Instant;

/// This moment.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits.
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep_until(now() + time).await;
}

/// What `work` gives, unless it takes longer than `limit`.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout_at(now() + limit, work).await.ok()
}
