//! What the tests share: a region that does what it is told, and the errors that real ones give.
#![allow(clippy::allow_attributes, dead_code, unreachable_pub, unused_imports, reason = "each test binary uses a part of it")]

pub mod canned;
pub mod log;
pub mod provider;
pub mod proxy;
pub mod recorder;
pub mod s3;
pub mod scripted;
pub mod tagged;

use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{CircuitState, FailoverError, FailoverStore, FailoverStoreBuilder, Region};

pub use canned::Canned;
pub use log::Log;
pub use recorder::Recorded;
pub use scripted::{Fault, Mode, Scripted};
pub use tagged::Tagged;

pub const NAMES: [&str; 4] = ["us-east-1", "eu-west-1", "ap-south-1", "sa-east-1"];

/// Regions over one bucket: perfect replicas.
pub fn replicas(count: usize) -> (Vec<Arc<Scripted>>, FailoverStoreBuilder) {
    let bucket = InMemory::new();
    join((0..count).map(|_| Arc::new(Scripted::over(bucket.clone()))).collect())
}

/// Regions with a bucket each: what is in one is not in the others.
pub fn strangers(count: usize) -> (Vec<Arc<Scripted>>, FailoverStoreBuilder) {
    join((0..count).map(|_| Arc::new(Scripted::over(InMemory::new()))).collect())
}

pub fn join(regions: Vec<Arc<Scripted>>) -> (Vec<Arc<Scripted>>, FailoverStoreBuilder) {
    let builder = over(&regions, &[true; NAMES.len()]);
    (regions, builder)
}

pub fn key() -> Path {
    Path::from("folder/key")
}

/// A builder over these regions, of which some list in order.
pub fn over(regions: &[Arc<Scripted>], ordered: &[bool]) -> FailoverStoreBuilder {
    regions.iter().zip(NAMES).zip(ordered).fold(FailoverStore::builder().seed(7), |builder, ((region, name), ordered)| {
        builder.region(Region::new(name, Arc::clone(region) as Arc<dyn ObjectStore>).ordered(*ordered))
    })
}

/// Puts an object at any key, behind the failover store's back.
pub async fn put_at(region: &Scripted, key: &str) {
    region.bucket().put(&key.into(), "v".into()).await.unwrap();
}

/// Puts the key, behind the failover store's back.
pub async fn put(region: &Scripted, value: impl Into<object_store::PutPayload>) {
    region.bucket().put(&key(), value.into()).await.unwrap();
}

/// A whole read.
pub async fn read(store: &FailoverStore) -> object_store::Result<bytes::Bytes> {
    store.get(&key()).await?.bytes().await
}

pub fn calls(regions: &[Arc<Scripted>]) -> Vec<u64> {
    regions.iter().map(|region| region.calls()).collect()
}

/// The states of the read circuits.
pub fn circuits(store: &FailoverStore) -> Vec<CircuitState> {
    store.health().regions.iter().map(|region| region.read.state).collect()
}

pub fn story(error: &object_store::Error) -> &FailoverError {
    FailoverError::find(error).unwrap_or_else(|| panic!("no story in {error:?}"))
}

pub fn settings<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).unwrap()
}

pub const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What is logged while `act` runs, at WARN and above.
pub fn logged(act: impl FnOnce()) -> String {
    let log = Log::at(tracing_subscriber::filter::LevelFilter::WARN);
    act();
    log.take().join("\n")
}
