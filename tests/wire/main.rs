//! What regions send and receive: HTTP clients, providers, connections, invalid responses, and the
//! test servers themselves.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests use the clock directly, and a panic fails them"
)]

mod classification;
mod conformance;
mod connections;
mod connector;
mod embedded_s3;
mod evidence;
mod fault_proxy;
mod foreign_responses;
mod invalid_responses;
mod providers;
mod s3_regions;
mod status_codes;
