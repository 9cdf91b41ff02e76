//! Keys that are overwritten, and therefore read from home.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverStore, ServedBy};
use serde_json::{Value, json};
use support::*;

fn store(regions: usize, reads: Value) -> (Vec<std::sync::Arc<Scripted>>, FailoverStore) {
    let (regions, builder) = strangers(regions);
    let writes = settings(json!({"policy": "home", "home": "us-east-1"}));
    (regions, builder.reads(settings(reads)).writes(writes).build().unwrap())
}

fn manifest() -> Path {
    "manifest/latest".into()
}

#[tokio::test(start_paused = true)]
async fn they_are_never_older_than_what_was_read_before() {
    let (regions, store) = store(3, json!({"home_prefixes": ["manifest/"]}));
    for region in &regions {
        region.bucket().put(&manifest(), "old".into()).await.unwrap();
    }
    store.put(&manifest(), "new".into()).await.unwrap();
    for _ in 0..6 {
        assert_eq!(store.get(&manifest()).await.unwrap().bytes().await.unwrap(), "new");
        assert_eq!(store.get_ranges(&manifest(), &[0..1, 2..3]).await.unwrap(), ["n", "w"]);
        assert_eq!(store.head(&manifest()).await.unwrap().size, 3);
        assert_eq!(store.list(Some(&"manifest".into())).try_collect::<Vec<_>>().await.unwrap().len(), 1);
        assert_eq!(store.list_with_delimiter(Some(&"manifest".into())).await.unwrap().objects.len(), 1);
    }
    assert_eq!((regions[1].calls(), regions[2].calls()), (0, 0));
    // A neighbour by name only is nobody's.
    for _ in 0..3 {
        let _ = store.get(&"manifesto".into()).await;
    }
    assert!(regions[1].calls() > 0);
}

#[tokio::test(start_paused = true)]
async fn with_home_out_they_fail_by_default_and_nobody_else_is_asked() {
    let (regions, store) = store(2, json!({"home_prefixes": ["manifest/"]}));
    regions[1].bucket().put(&manifest(), "old".into()).await.unwrap();
    regions[0].fail();
    for _ in 0..8 {
        let error = store.get(&manifest()).await.unwrap_err();
        assert!(!matches!(error, Error::NotFound { .. }) && !error.to_string().contains("eu-west-1"), "{error}");
    }
    assert_eq!(regions[1].calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn with_home_out_they_are_served_stale_where_that_is_wanted_and_the_result_says_so() {
    let (regions, store) = store(3, json!({"home_prefixes": ["manifest"], "home_out": "serve_stale"}));
    regions[0].bucket().put(&manifest(), "new".into()).await.unwrap();
    for region in &regions[1..] {
        region.bucket().put(&manifest(), "old".into()).await.unwrap();
    }
    let read = async || {
        let result = store.get(&manifest()).await.unwrap();
        let by = result.extensions.get::<ServedBy>().unwrap().clone();
        (result.bytes().await.unwrap(), by.stale)
    };
    for _ in 0..6 {
        assert_eq!(read().await, ("new".into(), false));
    }
    regions[0].fail();
    for _ in 0..6 {
        assert_eq!(read().await, ("old".into(), true));
    }
    regions[0].serve();
    tokio::time::advance(secs(34)).await;
    for _ in 0..6 {
        assert_eq!(read().await, ("new".into(), false), "a trial of home is home's to make");
    }
    // What home has deleted stays deleted.
    regions[0].bucket().delete(&manifest()).await.unwrap();
    for _ in 0..3 {
        assert!(matches!(store.get(&manifest()).await.unwrap_err(), Error::NotFound { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_from_home_is_not_continued_elsewhere() {
    let (regions, store) = store(2, json!({"home_prefixes": ["manifest"]}));
    for region in &regions {
        region.bucket().put(&manifest(), "0123456789".into()).await.unwrap();
    }
    regions[0].next([Mode::BreakAfter(4)]);
    regions[0].fail();
    store.get(&manifest()).await.unwrap().bytes().await.unwrap_err();
    assert_eq!(regions[1].calls(), 0);
}
