//! A listing returns every key of a quiet bucket exactly once, although regions break or stall.

mod failures;
mod ignored_offsets;
mod order;
mod property;
mod refused_pages;
mod resume;

use failover_testkit::*;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, Result};
use object_store_failover::{FailoverStore, FailoverStoreBuilder};
use serde_json::json;

const KEYS: [&str; 6] = ["a", "a-b", "a/x", "b", "ba/c", "c"];

fn names(items: Vec<ObjectMeta>) -> Vec<String> {
    items
        .into_iter()
        .map(|item| item.location.to_string())
        .collect()
}

async fn list(store: &FailoverStore) -> Result<Vec<String>> {
    store.list(None).try_collect().await.map(names)
}

/// The delivered keys, and the error that ended the listing, if any.
async fn list_until_error(store: &FailoverStore) -> (Vec<String>, Option<object_store::Error>) {
    let (mut keys, mut error) = (Vec::new(), None);
    let mut items = store.list(None);
    while let Some(item) = items.next().await {
        assert!(error.is_none(), "an item after an error");
        match item {
            Ok(item) => keys.push(item.location.to_string()),
            Err(cause) => error = Some(cause),
        }
    }
    (keys, error)
}

/// Without circuits, which many breaks in a row would open.
fn without_breaker(builder: FailoverStoreBuilder) -> FailoverStore {
    builder
        .breaker(settings(json!({"enabled": false})))
        .build()
        .unwrap()
}

/// Without circuits, and with enough rounds and time for any number of breaks.
fn with_many_rounds(builder: FailoverStoreBuilder) -> FailoverStore {
    let (retry, timeouts) = (json!({"rounds": 12}), json!({"total": "1h"}));
    without_breaker(builder.retry(settings(retry)).timeouts(settings(timeouts)))
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

async fn fill(region: &Scripted, keys: &[&str]) {
    for key in keys {
        put_at(region, key).await;
    }
}
