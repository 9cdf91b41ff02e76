//! The policy `any`: each region takes writes.

use failover_testkit::{
    Fault, Mode, calls, failover_error, independent_regions, key, put, replicas,
};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::FailoverError;

use crate::{DOWN, any_store, create, indeterminate_region};

#[tokio::test(start_paused = true)]
async fn unconditional_writes_rotate_and_fail_over() {
    for fault in [
        Mode::Fail(Fault::Connect),
        Mode::Fail(Fault::Reset),
        DOWN,
        Mode::Hang,
        Mode::Fail(Fault::Status(503, "SlowDown")),
    ] {
        let (regions, builder) = replicas(3);
        let store = any_store(builder);
        regions[0].set(fault);
        for n in 0..6 {
            let path = Path::from(format!("k{n}"));
            store.put(&path, "v".into()).await.unwrap();
            store.copy(&path, &"copy".into()).await.unwrap();
            store.put_multipart(&"upload".into()).await.unwrap();
        }
        let calls = calls(&regions);
        assert!(
            calls.iter().all(|calls| *calls >= 4),
            "{fault:?}: {calls:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn conditional_write_requires_home() {
    let (regions, builder) = replicas(2);
    let store = any_store(builder);
    let errors = [
        store
            .put_opts(&key(), "v".into(), create())
            .await
            .unwrap_err(),
        store
            .copy_if_not_exists(&key(), &"b".into())
            .await
            .unwrap_err(),
        store
            .rename_if_not_exists(&key(), &"b".into())
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::NotSupported { .. }), "{error:?}");
        let cause = failover_error(&error);
        assert!(
            matches!(cause, FailoverError::HomeRequired { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("writes.home"), "{error}");
    }
    assert_eq!(calls(&regions), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn copy_searches_all_regions_for_its_source() {
    let (regions, builder) = independent_regions(3);
    put(&regions[2], "v").await;
    let store = any_store(builder);
    for n in 0..3 {
        store
            .copy(&key(), &Path::from(format!("copy{n}")))
            .await
            .unwrap();
    }
    assert_eq!(regions[2].bucket().list(None).count().await, 4);
    let error = store
        .copy(&"nowhere".into(), &"x".into())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn rename_fails_over_only_if_unsent() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = any_store(builder);
    regions[0].set(Mode::Fail(Fault::Connect));
    store.rename(&key(), &"b".into()).await.unwrap();
    store.rename(&"b".into(), &"c".into()).await.unwrap();
    regions
        .iter()
        .for_each(|region| region.set(Mode::ApplyThenFail(Fault::Reset)));
    let error = store.rename(&"c".into(), &"d".into()).await.unwrap_err();
    assert!(indeterminate_region(&error).is_some(), "{error}");
}
