//! `CallOptions` of reads: what an excluded region means for a missing key, and how far they reach.

use std::sync::Arc;

use failover_testkit::*;
use object_store::memory::InMemory;
use object_store::{Error, ObjectStore, PutOptions};
use object_store_failover::{CallOptions, FailoverError, FailoverStore, Region};
use serde_json::json;

use crate::{pinned, with};

fn avoiding(region: &str) -> CallOptions {
    CallOptions {
        avoid: vec![region.into()],
        ..Default::default()
    }
}

#[tokio::test(start_paused = true)]
async fn avoided_region_leaves_absence_undecided() {
    let (regions, builder) = independent_regions(3);
    put(&regions[2], "v").await;
    let store = builder.build().unwrap();
    for _ in 0..3 {
        let options = with(avoiding(NAMES[2]));
        let error = store.get_opts(&key(), options).await.unwrap_err();
        let cause = failover_error(&error);
        assert!(matches!(cause, FailoverError::Undecided { .. }), "{error}");
        let line = error.to_string();
        assert!(
            line.contains("ap-south-1: skipped, excluded by the caller"),
            "{line}"
        );
    }
    assert_eq!(calls(&regions), [3, 3, 0]);
}

/// No avoided region can know better than home.
#[tokio::test(start_paused = true)]
async fn missing_at_home_is_final_beside_an_avoided_region() {
    let (regions, builder) = independent_regions(3);
    let writes = settings(json!({"policy": "none", "home": NAMES[0]}));
    let store = builder.writes(writes).build().unwrap();
    for _ in 0..3 {
        let options = with(avoiding(NAMES[2]));
        let error = store.get_opts(&key(), options).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
    assert_eq!(regions[2].calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn call_options_do_not_reach_the_store_below() {
    let writes = || settings(json!({"policy": "any"}));
    let below = |name: &str| {
        let region = Region::new(name, Arc::new(InMemory::new()));
        let store = FailoverStore::builder().region(region).writes(writes());
        Arc::new(store.build().unwrap())
    };
    let (one, other) = (below("below-one"), below("below-other"));
    let store = FailoverStore::builder()
        .region(Region::new(NAMES[0], Arc::clone(&one) as _))
        .region(Region::new(NAMES[1], Arc::clone(&other) as _))
        .writes(writes())
        .build()
        .unwrap();
    let options = PutOptions {
        extensions: pinned(NAMES[1]).extensions,
        ..Default::default()
    };
    store.put_opts(&key(), "v".into(), options).await.unwrap();
    let got = store.get_opts(&key(), pinned(NAMES[1])).await.unwrap();
    assert_eq!(got.bytes().await.unwrap(), "v");
    let missing = store.get_opts(&key(), pinned(NAMES[0])).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { .. }), "{missing:?}");
    assert_eq!(read(&other).await.unwrap(), "v");
}
