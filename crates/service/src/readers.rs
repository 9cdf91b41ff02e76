//! Background readers: a constant load, so that the page shows activity without clients.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::FailoverStore;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Pause of a reader between two reads: about 25 reads a second and reader.
const READ_INTERVAL: Duration = Duration::from_millis(40);
/// Pause before the next listing after a failed or empty one.
const LIST_RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// Number of keys listed; readers choose among them.
const LISTED_KEYS: usize = 1000;
/// Larger objects are not read: they would measure bandwidth and not the regions' health.
const MAX_OBJECT_BYTES: u64 = 1024 * 1024;

/// Starts the readers. They stop when the returned set is dropped.
pub fn start(store: &FailoverStore, readers: u16) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for _ in 0..readers {
        tasks.spawn(run(store.clone(), SmallRng::from_rng(&mut rand::rng())));
    }
    tasks
}

async fn run(store: FailoverStore, mut rng: SmallRng) {
    let keys = loop {
        match list_keys(&store).await {
            Ok(keys) if !keys.is_empty() => break keys,
            Ok(_) => tracing::warn!("readers: no object of at most 1 MiB found"),
            Err(_) => tracing::warn!("readers: listing failed"),
        }
        sleep(LIST_RETRY_INTERVAL).await;
    };
    loop {
        // Failures are visible on the page and in the metrics.
        let _ = read(&store, &keys[rng.random_range(0..keys.len())]).await;
        sleep(READ_INTERVAL).await;
    }
}

async fn list_keys(store: &FailoverStore) -> object_store::Result<Vec<Path>> {
    let listed: Vec<_> = store.list(None).take(LISTED_KEYS).try_collect().await?;
    Ok(listed
        .into_iter()
        .filter(|meta| meta.size <= MAX_OBJECT_BYTES)
        .map(|meta| meta.location)
        .collect())
}

async fn read(store: &FailoverStore, key: &Path) -> object_store::Result<()> {
    let body = store.get(key).await?.into_stream();
    body.try_for_each(|_| async { Ok(()) }).await
}
