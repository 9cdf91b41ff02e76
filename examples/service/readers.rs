//! A load that goes on all the time, so that the page of a service that nobody uses yet shows what its regions do.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::FailoverStore;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;

use crate::clock::pause;

/// Between two reads of a reader: a few dozen a second in all, which no machine notices.
const PAUSE: Duration = Duration::from_millis(40);
/// Before the keys are listed again, where that failed.
const AGAIN: Duration = Duration::from_secs(2);
/// Of a larger bucket the first keys are enough to choose from.
const LISTED: usize = 1000;
/// A reader that pulled large objects would show the network's speed, not the regions' health.
const LARGEST: u64 = 1024 * 1024;

/// Starts them; they end when what is returned is dropped.
pub(crate) fn start(store: &FailoverStore, readers: u16) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for _ in 0..readers {
        tasks.spawn(read_on(store.clone(), SmallRng::from_rng(&mut rand::rng())));
    }
    tasks
}

async fn read_on(store: FailoverStore, mut dice: SmallRng) {
    let keys = loop {
        match keys(&store).await {
            Ok(keys) if !keys.is_empty() => break keys,
            Ok(_) => tracing::warn!("the readers find no object of up to 1 MiB to read"),
            Err(_) => tracing::warn!("the readers could not list the objects"),
        }
        pause(AGAIN).await;
    };
    loop {
        // Whether it is served is the page's business, and the metrics'.
        let _ = read(&store, &keys[dice.random_range(0..keys.len())]).await;
        pause(PAUSE).await;
    }
}

async fn keys(store: &FailoverStore) -> object_store::Result<Vec<Path>> {
    let listed = store.list(None).take(LISTED).try_collect::<Vec<_>>().await?;
    Ok(listed.into_iter().filter(|meta| meta.size <= LARGEST).map(|meta| meta.location).collect())
}

async fn read(store: &FailoverStore, key: &Path) -> object_store::Result<()> {
    store.get(key).await?.into_stream().try_for_each(|_| async { Ok(()) }).await
}
