//! Circuits and throttles: opening, last-resort attempts, trials, recovery, rate limits.
//!
//! Most tests run under a paused clock, so that elapsed times are exact.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the clock, and a panic is a failure"
)]

mod last_resort;
mod long_requests;
mod opening;
mod process_pauses;
mod recovery;
mod throttle;
mod trials;
