//! The example's door to the clocks: the real one for how long it took, and tokio's paused one.

use std::time::Duration;

#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) fn simulated() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
