//! Every method of `ObjectStore` is overridden, and calls the same method of the region.
//!
//! A default of the trait would be wrong here: it may list more than it needs, or split one call
//! into several that end in different regions.

use std::sync::Arc;

use failover_testkit::{Scripted, calls, key, put, replicas, settings};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{CopyOptions, GetOptions, ObjectStore, PutMultipartOptions, PutOptions};
use object_store::{GetResult, RenameOptions};
use object_store_failover::FailoverStore;
use serde_json::json;

/// One region that holds the key.
async fn store() -> (Arc<Scripted>, FailoverStore) {
    let (regions, builder) = replicas(1);
    put(&regions[0], "0123456789").await;
    let writes = settings(json!({"policy": "home", "home": "us-east-1"}));
    let store = builder.writes(writes).build().unwrap();
    (Arc::clone(&regions[0]), store)
}

#[tokio::test]
async fn each_method_calls_its_counterpart_once() {
    let (region, store) = store().await;
    let other = Path::from("other");
    let options = PutOptions::default();
    store.put_opts(&other, "v".into(), options).await.unwrap();
    assert_eq!(region.log(), ["put_opts"]);
    let options = PutMultipartOptions::default();
    store.put_multipart_opts(&other, options).await.unwrap();
    assert_eq!(region.log(), ["put_multipart_opts"]);
    let _: GetResult = store.get_opts(&key(), GetOptions::default()).await.unwrap();
    assert_eq!(region.log(), ["get_opts"]);
    let paths = stream::iter([Ok(other.clone())]).boxed();
    store
        .delete_stream(paths)
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(region.log(), ["delete_stream"]);
    store.list(None).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(region.log(), ["list"]);
    // The default filters a whole listing.
    let listing = store.list_with_offset(None, &other);
    listing.try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(region.log(), ["list_with_offset"]);
    store.list_with_delimiter(None).await.unwrap();
    assert_eq!(region.log(), ["list_with_delimiter"]);
    let options = CopyOptions::default();
    store.copy_opts(&key(), &other, options).await.unwrap();
    assert_eq!(region.log(), ["copy_opts"]);
    // The default copies and deletes: two calls, which could end in two regions.
    let options = RenameOptions::default();
    store
        .rename_opts(&other, &"new".into(), options)
        .await
        .unwrap();
    assert_eq!(region.log(), ["rename_opts"]);
}

/// The default of `get_ranges` would read each part in the next region of the rotation.
#[tokio::test]
async fn get_ranges_reads_all_parts_in_one_region() {
    let (regions, builder) = replicas(3);
    put(&regions[0], vec![0; 8 << 20]).await;
    let store = builder.build().unwrap();
    let starts = (0..4).map(|part| part * (2 << 20));
    let ranges: Vec<_> = starts.map(|start| start..start + 1).collect();
    for _ in 0..3 {
        let before = calls(&regions);
        store.get_ranges(&key(), &ranges).await.unwrap();
        let after = calls(&regions);
        let mut each: Vec<_> = after
            .iter()
            .zip(before)
            .map(|(after, before)| after - before)
            .collect();
        each.sort_unstable();
        assert_eq!(each, [0, 0, 4]);
    }
}
