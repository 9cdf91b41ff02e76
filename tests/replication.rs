//! Two regions that differ: home, and a replica that a copier brings up to date a while later.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverError, FailoverStore};
use serde_json::{Value, json};
use support::*;
use tokio::task::JoinHandle;

/// How far the replica lags behind at most.
const LAG: u64 = 60;

/// Home and a replica, and the copier between them, which ends with the test.
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
    let (home, replica) = (Tagged::default(), Tagged::default());
    let copier = tokio::spawn(copy_for_ever(home.clone(), replica.clone()));
    let (regions, builder) = join(vec![Arc::new(Scripted::over(home)), Arc::new(Scripted::over(replica))]);
    let writes = settings(json!({"policy": "home", "home": "us-east-1"}));
    let store = builder.reads(settings(reads)).writes(writes).build().unwrap();
    Pair { home: Arc::clone(&regions[0]), replica: Arc::clone(&regions[1]), store, copier }
}

/// Everything that home has, and nothing that it has not, once in a while.
async fn copy_for_ever(home: Tagged, replica: Tagged) {
    loop {
        tokio::time::sleep(secs(LAG)).await;
        let there: Vec<_> = replica.list(None).try_collect().await.unwrap();
        for meta in there {
            replica.delete(&meta.location).await.unwrap();
        }
        let here: Vec<_> = home.list(None).try_collect().await.unwrap();
        for meta in here {
            let content = home.content(&meta.location).await.unwrap();
            replica.put(&meta.location, content.into()).await.unwrap();
        }
    }
}

async fn caught_up() {
    tokio::time::sleep(secs(LAG + 1)).await;
}

async fn read_all(store: &FailoverStore) -> Vec<object_store::Result<bytes::Bytes>> {
    vec![read(store).await, read(store).await]
}

#[tokio::test(start_paused = true)]
async fn a_key_that_has_not_arrived_yet_is_served_from_home() {
    let pair = pair(json!({}));
    pair.store.put(&key(), "v".into()).await.unwrap();
    for read in read_all(&pair.store).await {
        assert_eq!(read.unwrap(), "v");
    }
    assert!(pair.replica.bucket().head(&key()).await.is_err(), "it had not arrived");
    caught_up().await;
    pair.home.fail();
    assert_eq!(read(&pair.store).await.unwrap(), "v", "and after that it is there when home is not");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_has_not_arrived_while_home_is_out_is_undecided() {
    let pair = pair(json!({}));
    pair.store.put(&key(), "v".into()).await.unwrap();
    pair.home.fail();
    for read in read_all(&pair.store).await {
        assert!(matches!(story(&read.unwrap_err()), FailoverError::Undecided { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_as_old_as_its_region_but_for_prefixes_of_home() {
    let pair = pair(json!({"home_prefixes": ["manifest"]}));
    let (data, manifest) = (Path::from("data/1"), Path::from("manifest/1"));
    pair.store.put(&data, "v".into()).await.unwrap();
    pair.store.put(&manifest, "v".into()).await.unwrap();
    let mut lengths = Vec::new();
    for _ in 0..2 {
        lengths.push(pair.store.list(Some(&"data".into())).try_collect::<Vec<_>>().await.unwrap().len());
    }
    for _ in 0..2 {
        assert_eq!(pair.store.list(Some(&"manifest".into())).try_collect::<Vec<_>>().await.unwrap().len(), 1);
    }
    lengths.sort_unstable();
    assert_eq!(lengths, [0, 1], "one from each region");
    caught_up().await;
    for _ in 0..2 {
        assert_eq!(pair.store.list(None).try_collect::<Vec<_>>().await.unwrap().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_key_may_be_seen_in_the_replica_until_the_delete_arrives_and_never_under_home_prefixes() {
    for (reads, seen) in [(json!({}), 1), (json!({"home_prefixes": ["folder"]}), 0)] {
        let pair = pair(reads);
        pair.store.put(&key(), "v".into()).await.unwrap();
        caught_up().await;
        pair.store.delete(&key()).await.unwrap();
        let served = read_all(&pair.store).await.into_iter().filter(Result::is_ok).count();
        assert_eq!(served, seen);
        caught_up().await;
        for read in read_all(&pair.store).await {
            assert!(matches!(read.unwrap_err(), Error::NotFound { .. }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_overwritten_object_is_never_spliced_from_two_versions() {
    let pair = pair(json!({}));
    pair.store.put(&key(), "old old old old".into()).await.unwrap();
    caught_up().await;
    pair.store.put(&key(), "new new new new".into()).await.unwrap();
    let mut diverged = 0;
    for _ in 0..6 {
        pair.home.next([Mode::BreakAfter(5)]);
        match read(&pair.store).await {
            Ok(body) => assert!(body == "old old old old" || body == "new new new new", "{body:?}"),
            Err(error) => {
                assert!(matches!(story(&error), FailoverError::ReplicaDiverged { .. }), "{error}");
                diverged += 1;
            }
        }
        pair.home.next([]);
        let parts = pair.store.get_ranges(&key(), &[0..3, 12..15]).await;
        assert!(parts.is_ok_and(|parts| parts[0] == parts[1]));
    }
    println!("{diverged} of 6 had no other region with their version");
    caught_up().await;
    pair.home.next([Mode::BreakAfter(5)]);
    for read in read_all(&pair.store).await {
        assert_eq!(read.unwrap(), "new new new new", "once replicated it is continued");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_created_anew_at_home_is_served_whatever_the_replica_still_says() {
    let pair = pair(json!({}));
    pair.store.put(&key(), "first".into()).await.unwrap();
    caught_up().await;
    pair.store.delete(&key()).await.unwrap();
    caught_up().await;
    pair.store.put(&key(), "second".into()).await.unwrap();
    for read in read_all(&pair.store).await {
        assert_eq!(read.unwrap(), "second");
    }
}
