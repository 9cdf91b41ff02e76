//! The drill on existing regions (`--config`): the binary against S3 servers in this process, which
//! it must only read, and the faults of its HTTP client.
#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a panic is the failure of a test"
)]

mod errors;
mod faults;
mod preflight;
mod program;
mod runs;
