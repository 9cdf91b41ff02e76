//! A home region and a replica that an external copier updates later.

use std::sync::Arc;

use failover_testkit::*;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverError, FailoverStore};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Maximum replication lag in seconds.
const LAG: u64 = 60;

/// Home, a replica, and the task that copies between them until the test ends.
struct Pair {
    home: Arc<Scripted>,
    replica: Arc<Scripted>,
    store: FailoverStore,
    copier: JoinHandle<()>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.copier.abort();
    }
}

fn pair(reads: Value) -> Pair {
    let (home, replica) = (ContentEtags::default(), ContentEtags::default());
    let copier = tokio::spawn(copy_periodically(home.clone(), replica.clone()));
    let (regions, builder) = build_over(vec![
        Arc::new(Scripted::over(home)),
        Arc::new(Scripted::over(replica)),
    ]);
    let writes = settings(json!({"policy": "home", "home": "us-east-1"}));
    let store = builder
        .reads(settings(reads))
        .writes(writes)
        .build()
        .unwrap();
    Pair {
        home: Arc::clone(&regions[0]),
        replica: Arc::clone(&regions[1]),
        store,
        copier,
    }
}

/// Makes the replica equal to home every [`LAG`] seconds.
async fn copy_periodically(home: ContentEtags, replica: ContentEtags) {
    loop {
        tokio::time::sleep(secs(LAG)).await;
        let old: Vec<_> = replica.list(None).try_collect().await.unwrap();
        for meta in old {
            replica.delete(&meta.location).await.unwrap();
        }
        let new: Vec<_> = home.list(None).try_collect().await.unwrap();
        for meta in new {
            let content = home.content(&meta.location).await.unwrap();
            replica.put(&meta.location, content.into()).await.unwrap();
        }
    }
}

async fn wait_for_replication() {
    tokio::time::sleep(secs(LAG + 1)).await;
}

async fn read_all(store: &FailoverStore) -> Vec<object_store::Result<bytes::Bytes>> {
    vec![read(store).await, read(store).await]
}

#[tokio::test(start_paused = true)]
async fn unreplicated_key_is_served_from_home() {
    let pair = pair(json!({}));
    pair.store.put(&key(), "v".into()).await.unwrap();
    for read in read_all(&pair.store).await {
        assert_eq!(read.unwrap(), "v");
    }
    assert!(
        pair.replica.bucket().head(&key()).await.is_err(),
        "not replicated yet"
    );
    wait_for_replication().await;
    pair.home.fail();
    assert_eq!(
        read(&pair.store).await.unwrap(),
        "v",
        "the replica serves it without home"
    );
}

#[tokio::test(start_paused = true)]
async fn unreplicated_key_is_undecided_without_home() {
    let pair = pair(json!({}));
    pair.store.put(&key(), "v".into()).await.unwrap();
    pair.home.fail();
    for read in read_all(&pair.store).await {
        assert!(matches!(
            failover_error(&read.unwrap_err()),
            FailoverError::Undecided { .. }
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn listing_lags_except_for_home_prefixes() {
    let pair = pair(json!({"home_prefixes": ["manifest"]}));
    let (data, manifest) = (Path::from("data/1"), Path::from("manifest/1"));
    pair.store.put(&data, "v".into()).await.unwrap();
    pair.store.put(&manifest, "v".into()).await.unwrap();
    let mut lengths = Vec::new();
    for _ in 0..2 {
        let items = pair.store.list(Some(&"data".into()));
        let items: Vec<_> = items.try_collect().await.unwrap();
        lengths.push(items.len());
    }
    for _ in 0..2 {
        let items = pair.store.list(Some(&"manifest".into()));
        let items: Vec<_> = items.try_collect().await.unwrap();
        assert_eq!(items.len(), 1);
    }
    lengths.sort_unstable();
    assert_eq!(lengths, [0, 1], "one from each region");
    wait_for_replication().await;
    for _ in 0..2 {
        let items: Vec<_> = pair.store.list(None).try_collect().await.unwrap();
        assert_eq!(items.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_key_may_be_served_until_replicated() {
    for (reads, expected) in [(json!({}), 1), (json!({"home_prefixes": ["folder"]}), 0)] {
        let pair = pair(reads);
        pair.store.put(&key(), "v".into()).await.unwrap();
        wait_for_replication().await;
        pair.store.delete(&key()).await.unwrap();
        let reads = read_all(&pair.store).await;
        assert_eq!(reads.iter().filter(|read| read.is_ok()).count(), expected);
        wait_for_replication().await;
        for read in read_all(&pair.store).await {
            assert!(matches!(read.unwrap_err(), Error::NotFound { .. }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn versions_are_never_mixed_in_a_body() {
    let pair = pair(json!({}));
    pair.store
        .put(&key(), "old old old old".into())
        .await
        .unwrap();
    wait_for_replication().await;
    pair.store
        .put(&key(), "new new new new".into())
        .await
        .unwrap();
    let mut diverged = 0;
    for _ in 0..6 {
        pair.home.next([Mode::BreakAfter(5)]);
        match read(&pair.store).await {
            Ok(body) => {
                assert!(
                    body == "old old old old" || body == "new new new new",
                    "{body:?}"
                );
            }
            Err(error) => {
                assert!(
                    matches!(
                        failover_error(&error),
                        FailoverError::ReplicaDiverged { .. }
                    ),
                    "{error}"
                );
                diverged += 1;
            }
        }
        pair.home.next([]);
        let parts = pair.store.get_ranges(&key(), &[0..3, 12..15]).await;
        assert!(parts.is_ok_and(|parts| parts[0] == parts[1]));
    }
    println!("{diverged} of 6 bodies had no other region with their version");
    wait_for_replication().await;
    pair.home.next([Mode::BreakAfter(5)]);
    for read in read_all(&pair.store).await {
        assert_eq!(read.unwrap(), "new new new new", "resumed once replicated");
    }
}

#[tokio::test(start_paused = true)]
async fn recreated_key_is_served_from_home() {
    let pair = pair(json!({}));
    pair.store.put(&key(), "first".into()).await.unwrap();
    wait_for_replication().await;
    pair.store.delete(&key()).await.unwrap();
    wait_for_replication().await;
    pair.store.put(&key(), "second".into()).await.unwrap();
    for read in read_all(&pair.store).await {
        assert_eq!(read.unwrap(), "second");
    }
}
