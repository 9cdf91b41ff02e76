//! Writes: which region they go to, which are retried, and when the outcome is reported as unknown.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the clock, and a panic fails the test"
)]

mod any;
mod bulk_deletes;
mod call_options;
mod conflicts;
mod deletes;
mod home;
mod home_prefixes;
mod long_keys;
mod missing_bucket;
mod nested_options;
mod searches;
mod signer;
mod unknown_outcome;
mod uploads;

use failover_testkit::{Fault, Mode, settings};
use object_store::{Error, PutMode, PutOptions};
use object_store_failover::{FailoverError, FailoverStore, FailoverStoreBuilder};
use serde_json::json;

const DOWN: Mode = Mode::Fail(Fault::Status(500, "InternalError"));

/// All writes go to `eu-west-1`.
fn home_store(builder: FailoverStoreBuilder) -> FailoverStore {
    let writes = settings(json!({"policy": "home", "home": "eu-west-1"}));
    builder.writes(writes).build().unwrap()
}

/// Writes rotate; conditional ones are not supported.
fn any_store(builder: FailoverStoreBuilder) -> FailoverStore {
    let writes = settings(json!({"policy": "any"}));
    builder.writes(writes).build().unwrap()
}

/// Writes rotate; conditional ones go to `eu-west-1`.
fn any_store_with_home(builder: FailoverStoreBuilder) -> FailoverStore {
    let writes = settings(json!({"policy": "any", "home": "eu-west-1"}));
    builder.writes(writes).build().unwrap()
}

fn create() -> PutOptions {
    PutOptions {
        mode: PutMode::Create,
        ..Default::default()
    }
}

/// The region in which the outcome of a write is unknown, if that is the error.
fn indeterminate_region(error: &Error) -> Option<&str> {
    match FailoverError::find(error) {
        Some(FailoverError::Indeterminate { region, .. }) => Some(region),
        _ => None,
    }
}
