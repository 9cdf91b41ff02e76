//! `reads.home_prefixes`: keys that are overwritten and therefore read from the home region.

use std::sync::Arc;

use failover_testkit::*;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{CallOptions, FailoverStore, ServedBy};
use serde_json::{Value, json};

use crate::{pinned, with};

fn store(regions: usize, reads: Value) -> (Vec<Arc<Scripted>>, FailoverStore) {
    let (regions, builder) = independent_regions(regions);
    let writes = settings(json!({"policy": "home", "home": "us-east-1"}));
    let builder = builder.reads(settings(reads)).writes(writes);
    (regions, builder.build().unwrap())
}

fn manifest() -> Path {
    "manifest/latest".into()
}

#[tokio::test(start_paused = true)]
async fn home_prefixes_are_read_from_home_only() {
    let (regions, store) = store(3, json!({"home_prefixes": ["manifest/"]}));
    for region in &regions {
        region
            .bucket()
            .put(&manifest(), "old".into())
            .await
            .unwrap();
    }
    store.put(&manifest(), "new".into()).await.unwrap();
    for _ in 0..6 {
        assert_eq!(
            store.get(&manifest()).await.unwrap().bytes().await.unwrap(),
            "new"
        );
        assert_eq!(
            store.get_ranges(&manifest(), &[0..1, 2..3]).await.unwrap(),
            ["n", "w"]
        );
        assert_eq!(store.head(&manifest()).await.unwrap().size, 3);
        let prefix = Path::from("manifest");
        let items: Vec<_> = store.list(Some(&prefix)).try_collect().await.unwrap();
        assert_eq!(items.len(), 1);
        let level = store.list_with_delimiter(Some(&prefix)).await.unwrap();
        assert_eq!(level.objects.len(), 1);
    }
    assert_eq!((regions[1].calls(), regions[2].calls()), (0, 0));
    // A prefix ends at a path separator: `manifesto` is no key of home.
    for _ in 0..3 {
        let _ = store.get(&"manifesto".into()).await;
    }
    assert!(regions[1].calls() > 0);
}

#[tokio::test(start_paused = true)]
async fn home_prefixes_fail_without_home_by_default() {
    let (regions, store) = store(2, json!({"home_prefixes": ["manifest/"]}));
    regions[1]
        .bucket()
        .put(&manifest(), "old".into())
        .await
        .unwrap();
    regions[0].fail();
    for _ in 0..8 {
        let error = store.get(&manifest()).await.unwrap_err();
        assert!(!matches!(error, Error::NotFound { .. }), "{error:?}");
        assert!(!error.to_string().contains("eu-west-1"), "{error}");
    }
    assert_eq!(regions[1].calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn serve_stale_marks_responses_of_other_regions() {
    let reads = json!({"home_prefixes": ["manifest"], "home_out": "serve_stale"});
    let (regions, store) = store(3, reads);
    regions[0]
        .bucket()
        .put(&manifest(), "new".into())
        .await
        .unwrap();
    for region in &regions[1..] {
        region
            .bucket()
            .put(&manifest(), "old".into())
            .await
            .unwrap();
    }
    let read = async || {
        let result = store.get(&manifest()).await.unwrap();
        let served_by = result.extensions.get::<ServedBy>().unwrap().clone();
        (result.bytes().await.unwrap(), served_by.stale)
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
        assert_eq!(
            read().await,
            ("new".into(), false),
            "home is the first region again"
        );
    }
    // A 404 from home is final, although the replicas still hold the object.
    regions[0].bucket().delete(&manifest()).await.unwrap();
    for _ in 0..3 {
        assert!(matches!(
            store.get(&manifest()).await.unwrap_err(),
            Error::NotFound { .. }
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn home_body_is_not_resumed_in_another_region() {
    let (regions, store) = store(2, json!({"home_prefixes": ["manifest"]}));
    for region in &regions {
        region
            .bucket()
            .put(&manifest(), "0123456789".into())
            .await
            .unwrap();
    }
    regions[0].next([Mode::BreakAfter(4)]);
    regions[0].fail();
    store
        .get(&manifest())
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap_err();
    assert_eq!(regions[1].calls(), 0);
}

/// Under `any` home decides about no other keys than these.
#[tokio::test(start_paused = true)]
async fn missing_at_home_is_no_stale_read() {
    for policy in ["any", "home", "none"] {
        let (regions, builder) = independent_regions(2);
        let reads = json!({"home_prefixes": ["manifest"], "home_out": "serve_stale"});
        let writes = json!({"policy": policy, "home": NAMES[0]});
        let builder = builder.reads(settings(reads)).writes(settings(writes));
        let store = builder.build().unwrap();
        let replica = regions[1].bucket();
        replica.put(&manifest(), "old".into()).await.unwrap();
        for _ in 0..4 {
            let error = store.get(&manifest()).await.unwrap_err();
            assert!(matches!(error, Error::NotFound { .. }), "{policy}: {error}");
        }
        assert_eq!(calls(&regions), [4, 0], "{policy}");
    }
}

#[tokio::test(start_paused = true)]
async fn read_away_from_home_is_stale() {
    let reads = json!({"home_prefixes": ["manifest"], "home_out": "serve_stale"});
    let (regions, store) = store(2, reads);
    for region in &regions {
        let bucket = region.bucket();
        bucket.put(&manifest(), "v".into()).await.unwrap();
    }
    let avoids_home = with(CallOptions {
        avoid: vec![NAMES[0].into()],
        ..Default::default()
    });
    let cases = [
        (pinned(NAMES[0]), NAMES[0], false),
        (pinned(NAMES[1]), NAMES[1], true),
        (avoids_home, NAMES[1], true),
    ];
    for (options, region, stale) in cases {
        let result = store.get_opts(&manifest(), options).await.unwrap();
        let served_by = result.extensions.get::<ServedBy>().unwrap();
        assert_eq!((&*served_by.region, served_by.stale), (region, stale));
    }
}
