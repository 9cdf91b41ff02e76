//! The policy `home`: one region takes all writes.

use std::sync::Arc;

use failover_testkit::{
    Fault, Mode, independent_regions, key, put, read, replicas, secs, settings,
};
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt};
use object_store_failover::{CircuitState, ConfigError, FailoverStore, Region};
use serde_json::json;

use crate::{DOWN, create, home_store, indeterminate_region};

#[tokio::test(start_paused = true)]
async fn every_write_goes_to_home_only() {
    let (regions, builder) = independent_regions(3);
    let store = home_store(builder);
    store.put(&key(), "v".into()).await.unwrap();
    store
        .put_opts(&"b".into(), "v".into(), create())
        .await
        .unwrap();
    store.copy(&key(), &"c".into()).await.unwrap();
    store.copy_if_not_exists(&key(), &"d".into()).await.unwrap();
    store.rename(&"d".into(), &"e".into()).await.unwrap();
    let mut upload = store.put_multipart(&"f".into()).await.unwrap();
    upload.put_part("part".into()).await.unwrap();
    upload.complete().await.unwrap();
    store.delete(&"b".into()).await.unwrap();
    let expected = [
        "put_opts",
        "put_opts",
        "copy_opts",
        "copy_opts",
        "rename_opts",
        "put_multipart_opts",
        "put_part",
        "complete",
        "delete_stream",
    ];
    assert_eq!(regions[1].log(), expected);
    assert_eq!((regions[0].calls(), regions[2].calls()), (0, 0));
    let listed = regions[1].bucket().list(None);
    let names = listed.map_ok(|meta| meta.location.to_string());
    let kept: Vec<_> = names.try_collect().await.unwrap();
    assert_eq!(kept, ["c", "e", "f", "folder/key"]);
}

#[tokio::test(start_paused = true)]
async fn home_down_fails_writes_but_not_reads() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = home_store(builder);
    regions[1].set(DOWN);
    for _ in 0..8 {
        let error = store.put(&key(), "w".into()).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("eu-west-1") && !text.contains("us-east-1"),
            "{text}"
        );
        assert_eq!(read(&store).await.unwrap(), "v");
    }
    let health = store.health().regions;
    assert_eq!(health[1].write.state, CircuitState::Open);
    assert_eq!(health[0].write.state, CircuitState::Closed);
    regions[1].serve();
    tokio::time::advance(secs(1)).await;
    store.put(&key(), "w".into()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn reads_and_writes_have_separate_circuits() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = home_store(builder.retry(settings(json!({"enabled": false}))));
    for _ in 0..5 {
        regions[1].next([DOWN]);
        store.put(&key(), "w".into()).await.unwrap_err();
    }
    let health = &store.health().regions[1];
    assert_eq!(health.write.state, CircuitState::Open);
    assert_eq!(health.read.state, CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn overwrite_is_retried_and_create_is_not() {
    let (regions, builder) = replicas(2);
    let store = home_store(builder);
    regions[1].next([
        Mode::Fail(Fault::Reset),
        Mode::Fail(Fault::Status(503, "SlowDown")),
    ]);
    store.put(&key(), "v".into()).await.unwrap();
    regions[1].log();
    regions[1].next([Mode::Fail(Fault::Reset)]);
    let result = store.put_opts(&"lock".into(), "me".into(), create()).await;
    let error = result.unwrap_err();
    assert_eq!(indeterminate_region(&error), Some("eu-west-1"), "{error}");
    assert_eq!(regions[1].log(), ["put_opts"]);
}

/// Each of these responses proves that the write had no effect.
#[tokio::test(start_paused = true)]
async fn conditional_write_without_effect_is_retried() {
    let (regions, builder) = replicas(2);
    let store = home_store(builder);
    for fault in [
        Fault::Connect,
        Fault::Status(503, "SlowDown"),
        Fault::Status(429, ""),
        Fault::Status(409, "ConditionalRequestConflict"),
    ] {
        regions[1].next([Mode::Fail(fault)]);
        let path = Path::from(format!("{fault:?}"));
        store.put_opts(&path, "me".into(), create()).await.unwrap();
        let error = store
            .put_opts(&path, "you".into(), create())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    }
    assert_eq!(
        store.health().regions[1].failures,
        1,
        "only the refused connection counts"
    );
}

#[tokio::test(start_paused = true)]
async fn conflict_on_overwrite_is_not_already_exists() {
    let (regions, builder) = replicas(2);
    let store = home_store(builder.retry(settings(json!({"enabled": false}))));
    regions[1].set(Mode::Fail(Fault::Status(409, "")));
    let error = store.put(&key(), "v".into()).await.unwrap_err();
    assert!(matches!(error, Error::Generic { .. }), "{error:?}");
}

#[test]
fn unusable_home_is_rejected_at_build() {
    let region = |name, weight| Region::new(name, Arc::new(InMemory::new())).weight(weight);
    let build = |weight, home: &str| {
        let writes = settings(json!({"policy": "home", "home": home}));
        let builder = FailoverStore::builder().region(region("a", weight));
        builder.region(region("b", 1)).writes(writes).build()
    };
    assert!(matches!(
        build(1, "mars").unwrap_err(),
        ConfigError::UnknownRegion { .. }
    ));
    assert!(
        build(0, "a")
            .unwrap_err()
            .to_string()
            .contains("writes.home")
    );
    build(1, "a").unwrap();
}
