//! Each method of the trait is our own: none is the trait's default in disguise, and each reaches the region's own method.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{CopyOptions, GetOptions, ObjectStore, PutMultipartOptions, PutOptions, RenameOptions};
use object_store_failover::FailoverStore;
use serde_json::json;
use support::*;

/// One region that holds the key.
async fn store() -> (Arc<Scripted>, FailoverStore) {
    let (regions, builder) = replicas(1);
    put(&regions[0], "0123456789").await;
    let store = builder.writes(settings(json!({"policy": "home", "home": "us-east-1"}))).build().unwrap();
    (Arc::clone(&regions[0]), store)
}

#[tokio::test]
async fn each_method_calls_the_same_method_of_the_region_once() {
    let (region, store) = store().await;
    let other = Path::from("other");
    store.put_opts(&other, "v".into(), PutOptions::default()).await.unwrap();
    assert_eq!(region.log(), ["put_opts"]);
    store.put_multipart_opts(&other, PutMultipartOptions::default()).await.unwrap();
    assert_eq!(region.log(), ["put_multipart_opts"]);
    store.get_opts(&key(), GetOptions::default()).await.unwrap();
    assert_eq!(region.log(), ["get_opts"]);
    store.delete_stream(stream::iter([Ok(other.clone())]).boxed()).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(region.log(), ["delete_stream"]);
    store.list(None).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(region.log(), ["list"]);
    // The default filters a whole listing.
    store.list_with_offset(None, &other).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(region.log(), ["list_with_offset"]);
    store.list_with_delimiter(None).await.unwrap();
    assert_eq!(region.log(), ["list_with_delimiter"]);
    store.copy_opts(&key(), &other, CopyOptions::default()).await.unwrap();
    assert_eq!(region.log(), ["copy_opts"]);
    // The default copies and deletes: two calls, which could end in two regions.
    store.rename_opts(&other, &"new".into(), RenameOptions::default()).await.unwrap();
    assert_eq!(region.log(), ["rename_opts"]);
}

/// The default of `get_ranges` reads each part wherever the turn is; ours reads all parts in one region.
#[tokio::test]
async fn all_ranges_of_a_call_are_read_in_one_region() {
    let (regions, builder) = replicas(3);
    put(&regions[0], vec![0; 8 << 20]).await;
    let store = builder.build().unwrap();
    let ranges: Vec<_> = (0..4).map(|part| part * (2 << 20)..part * (2 << 20) + 1).collect();
    for _ in 0..3 {
        let before = calls(&regions);
        store.get_ranges(&key(), &ranges).await.unwrap();
        let mut each: Vec<_> = calls(&regions).iter().zip(before).map(|(after, before)| after - before).collect();
        each.sort_unstable();
        assert_eq!(each, [0, 0, 4]);
    }
}
