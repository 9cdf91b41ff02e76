//! Keys that no URL can hold are errors, not panics of object_store's clients.

use failover_testkit::{FixedResponse, calls, independent_regions, put_at, settings};
use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverStore, FailoverStoreBuilder};
use serde_json::json;

use crate::{any_store, home_store};

fn long_key() -> Path {
    Path::from("k".repeat(70_000))
}

#[tokio::test(start_paused = true)]
async fn long_key_fails_alone_in_a_bulk_delete() {
    for build in [
        home_store as fn(FailoverStoreBuilder) -> FailoverStore,
        any_store,
    ] {
        let (regions, builder) = independent_regions(2);
        let store = build(builder);
        for region in &regions {
            put_at(region, "a").await;
            put_at(region, "b").await;
        }
        let paths = ["a".into(), long_key(), "b".into()].map(Ok);
        let results: Vec<_> = store
            .delete_stream(stream::iter(paths).boxed())
            .collect()
            .await;
        assert_eq!(results.len(), 3);
        assert_eq!(results[0].as_ref().unwrap().as_ref(), "a");
        let error = results[1].as_ref().unwrap_err();
        assert!(matches!(error, Error::NotSupported { .. }), "{error}");
        assert_eq!(results[2].as_ref().unwrap().as_ref(), "b");
        let before = calls(&regions);
        store.delete(&long_key()).await.unwrap_err();
        assert_eq!(calls(&regions), before, "nothing is sent");
    }
}

#[tokio::test]
async fn long_list_offset_is_an_error() {
    let server = FixedResponse::start(Vec::new()).await;
    let config: FailoverConfig = settings(json!({
        "regions": [server.region("a"), server.region("b")],
        "retry": {"enabled": false},
    }));
    let store = config.build().unwrap();
    let mut items = store.list_with_offset(None, &long_key());
    let error = items.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::NotSupported { .. }), "{error}");
    assert!(items.next().await.is_none(), "an item after an error");
    assert_eq!(server.requests(), 0, "nothing is sent");
    let health = store.health().regions;
    assert!(health.iter().all(|region| region.in_flight == 0));
    assert!(health.iter().all(|region| region.failures == 0));
}
