//! Test servers and stores for the crates of this workspace.
//!
//! Without features: an embedded S3 server ([`s3`]) and a fault proxy in front of it ([`proxy`]).
//! With `full`: scripted stores and providers, recorders of metrics and logs, and fuzz targets.
#![expect(
    missing_debug_implementations,
    reason = "servers and stores of tests are not printed"
)]
#![cfg_attr(
    feature = "full",
    expect(clippy::unwrap_used, reason = "a panic fails the test that uses it")
)]

#[cfg(feature = "full")]
pub mod content_etags;
#[cfg(feature = "full")]
pub mod fixed_response;
#[cfg(feature = "full")]
pub mod fuzz_targets;
#[cfg(feature = "full")]
mod helpers;
#[cfg(feature = "full")]
pub mod log;
#[cfg(feature = "full")]
pub mod markers;
#[cfg(feature = "full")]
pub mod provider;
pub mod proxy;
#[cfg(feature = "full")]
pub mod random_pending;
#[cfg(feature = "full")]
pub mod recorder;
pub mod s3;
#[cfg(feature = "full")]
pub mod scripted;

use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(feature = "full")]
pub use content_etags::ContentEtags;
#[cfg(feature = "full")]
pub use fixed_response::FixedResponse;
#[cfg(feature = "full")]
pub use helpers::*;
#[cfg(feature = "full")]
pub use log::Log;
#[cfg(feature = "full")]
pub use random_pending::RandomPending;
#[cfg(feature = "full")]
pub use recorder::Recorded;
#[cfg(feature = "full")]
pub use scripted::{Fault, Mode, Scripted};

/// Region names of the tests, in the order in which regions are added to a store.
pub const NAMES: [&str; 4] = ["us-east-1", "eu-west-1", "ap-south-1", "sa-east-1"];

/// Ignores poisoning: the test that panicked has failed already, the others continue.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
