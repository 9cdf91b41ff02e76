//! Short forms of what most tests do: build stores over scripted regions, read and write one key.

use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{
    CircuitState, FailoverError, FailoverStore, FailoverStoreBuilder, Region,
};

use crate::{Log, NAMES, Scripted};

/// Regions over one shared bucket: perfect replicas.
pub fn replicas(count: usize) -> (Vec<Arc<Scripted>>, FailoverStoreBuilder) {
    let bucket = InMemory::new();
    let region = || Arc::new(Scripted::over(bucket.clone()));
    build_over((0..count).map(|_| region()).collect())
}

/// Regions with a bucket each: an object in one region is missing in the others.
pub fn independent_regions(count: usize) -> (Vec<Arc<Scripted>>, FailoverStoreBuilder) {
    let region = || Arc::new(Scripted::over(InMemory::new()));
    build_over((0..count).map(|_| region()).collect())
}

/// The regions and a builder over them, all with ordered listings.
pub fn build_over(regions: Vec<Arc<Scripted>>) -> (Vec<Arc<Scripted>>, FailoverStoreBuilder) {
    let builder = over(&regions, &[true; NAMES.len()]);
    (regions, builder)
}

/// A builder over these regions; `ordered` says of each whether its listings are ordered by key.
pub fn over(regions: &[Arc<Scripted>], ordered: &[bool]) -> FailoverStoreBuilder {
    regions.iter().zip(NAMES).zip(ordered).fold(
        FailoverStore::builder().seed(7),
        |builder, ((region, name), ordered)| {
            let region = Arc::clone(region) as Arc<dyn ObjectStore>;
            builder.region(Region::new(name, region).ordered(*ordered))
        },
    )
}

/// The key that [`put`] and [`read`] use.
pub fn key() -> Path {
    Path::from("folder/key")
}

/// Puts an object at any key of a region's bucket, bypassing the failover store.
pub async fn put_at(region: &Scripted, key: &str) {
    region.bucket().put(&key.into(), "v".into()).await.unwrap();
}

/// Puts [`key`] in a region's bucket, bypassing the failover store.
pub async fn put(region: &Scripted, value: impl Into<object_store::PutPayload>) {
    region.bucket().put(&key(), value.into()).await.unwrap();
}

/// Reads [`key`] to its last byte.
pub async fn read(store: &FailoverStore) -> object_store::Result<bytes::Bytes> {
    store.get(&key()).await?.bytes().await
}

/// How many calls each region has received.
pub fn calls(regions: &[Arc<Scripted>]) -> Vec<u64> {
    regions.iter().map(|region| region.calls()).collect()
}

/// The states of the read circuits, in the order of the regions.
pub fn circuits(store: &FailoverStore) -> Vec<CircuitState> {
    let regions = store.health().regions;
    regions.iter().map(|region| region.read.state).collect()
}

/// The `FailoverError` inside an error. Panics where there is none.
pub fn failover_error(error: &object_store::Error) -> &FailoverError {
    FailoverError::find(error).unwrap_or_else(|| panic!("no FailoverError in {error:?}"))
}

/// Settings of any type from JSON. Panics where they are invalid.
pub fn settings<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).unwrap()
}

pub const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What this thread logs while `act` runs, at WARN and above.
pub fn logged(act: impl FnOnce()) -> String {
    let log = Log::at(tracing_subscriber::filter::LevelFilter::WARN);
    act();
    log.take().join("\n")
}
