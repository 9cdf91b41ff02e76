//! The example service over embedded S3 servers: HTTP semantics, operator actions, outages.
//!
//! Requests go into the router without a socket. `tests/browser/service.mjs` tests the page.
#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test reports a failure by a panic"
)]

mod monitoring;
mod objects;
mod operator;
mod outage;
mod secrets;
mod test_service;
