//! A 409 to a write that overwrites, and a failed condition.

use failover_testkit::{FixedResponse, calls, independent_regions, key, put, settings};
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};
use object_store_failover::{CircuitState, FailoverConfig, Failure, FailureClass};
use serde_json::json;

use crate::home_store;

#[tokio::test]
async fn conflicting_overwrite_is_not_already_exists() {
    let response = "HTTP/1.1 409 Conflict\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let server = FixedResponse::start(response.into()).await;
    let config: FailoverConfig = settings(json!({
        "regions": [server.region("eu-west-1")],
        "writes": {"policy": "home", "home": "eu-west-1"},
        "retry": {"enabled": false},
    }));
    let store = config.build().unwrap();
    let (from, to) = (key(), "to".into());
    let errors = [
        store.put(&to, "v".into()).await.unwrap_err(),
        store.copy(&from, &to).await.unwrap_err(),
        store.rename(&from, &to).await.unwrap_err(),
    ];
    for error in errors {
        assert!(!matches!(error, Error::AlreadyExists { .. }), "{error:?}");
        assert_eq!(Failure::of(&error).http_status(), Some(409), "{error:?}");
    }
    assert_eq!(server.requests(), 3, "one for each write");
    let write = &store.health().regions[0].write;
    assert_eq!(write.state, CircuitState::Closed);
    // A write that must not overwrite is told that the object exists.
    let create = PutOptions::from(PutMode::Create);
    let error = store.put_opts(&to, "v".into(), create).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn failed_update_stays_precondition_and_final() {
    let (regions, builder) = independent_regions(2);
    let store = home_store(builder);
    put(&regions[1], "v").await;
    let version = UpdateVersion {
        e_tag: Some("999".into()),
        version: None,
    };
    for path in [key(), "missing".into()] {
        let update = PutOptions::from(PutMode::Update(version.clone()));
        let error = store.put_opts(&path, "w".into(), update).await.unwrap_err();
        assert!(matches!(error, Error::Precondition { .. }), "{error:?}");
        assert_eq!(Failure::of(&error).class(), FailureClass::Precondition);
    }
    assert_eq!(calls(&regions), [0, 2], "no second attempt");
    let home = &store.health().regions[1];
    assert_eq!((home.failures, home.write.state), (0, CircuitState::Closed));
}
