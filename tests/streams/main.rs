//! Bodies and listings that survive a region, cancellation, and random operation sequences.
//!
//! Most tests run under a paused clock, so that elapsed times are exact.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the clock, and a panic is a failure"
)]

mod bodies;
mod cancel_at_every_poll;
mod cancellation;
mod listings;
mod model;
mod replication;
