//! Responses whose head does not match the request: which error they become and which region is
//! charged. Over real HTTP.

use std::sync::Arc;

use failover_testkit::{FixedResponse, circuits, key, settings};
use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt, PutMode};
use object_store_failover::error::SendState;
use object_store_failover::{
    CircuitState, FailoverConfig, FailoverError, FailoverStore, Failure, FailureClass, Region,
};
use serde_json::{Value, json};

use CircuitState::{Closed, Open};
use FailureClass::{Caller, Interrupted, Misconfigured};

const ETAG: &str = "etag: \"t\"\r\n";
const DATE: &str = "last-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n";
const RANGE: &str = "content-range: bytes 2-5/10\r\n";

/// A server that always sends one response: for a 206 the four requested bytes, else all ten.
async fn server(status: u16, headers: &str) -> FixedResponse {
    let content = if status == 206 { "2345" } else { "0123456789" };
    let length = if headers.contains("content-length") {
        String::new()
    } else {
        format!("content-length: {}\r\n", content.len())
    };
    // A chunked body has no length header.
    let (length, content) = match headers.contains("chunked") {
        true => (
            String::new(),
            format!("{:x}\r\n{content}\r\n0\r\n\r\n", content.len()),
        ),
        false => (length, content.to_owned()),
    };
    let response =
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}{length}\r\n{content}");
    // `?` stands for a byte that is not UTF-8.
    let response: Vec<u8> = response
        .bytes()
        .map(|byte| if byte == b'?' { 0xff } else { byte })
        .collect();
    FixedResponse::start(response).await
}

async fn valid() -> FixedResponse {
    server(206, &format!("{ETAG}{DATE}{RANGE}")).await
}

/// Two stores over regions `a`, `b`, tried in this order, whose circuits open at the first failure:
/// one from a document, one over supplied stores.
fn stores(servers: &[&FixedResponse]) -> [FailoverStore; 2] {
    let regions: Vec<_> = servers
        .iter()
        .zip(["a", "b"])
        .map(|(server, name)| server.region(name))
        .collect();
    let (rotation, breaker) = (
        json!({"policy": "nearest", "canary": 0}),
        json!({"failure_threshold": 1}),
    );
    let document = json!({
        "regions": regions,
        "rotation": rotation,
        "breaker": breaker,
        "retry": {"enabled": false},
    });
    let config: FailoverConfig = settings(document);
    let builder = FailoverStore::builder()
        .rotation(settings(rotation))
        .breaker(settings(breaker))
        .retry(settings(json!({"enabled": false})));
    let supplied =
        config
            .region_stores()
            .unwrap()
            .into_iter()
            .fold(builder, |builder, (name, store)| {
                // Wrapped, so that the library does not recognize its own client.
                builder.region(Region::new(
                    name,
                    Arc::new(object_store::limit::LimitStore::new(store, 9))
                        as Arc<dyn ObjectStore>,
                ))
            });
    [config.build().unwrap(), supplied.build().unwrap()]
}

/// Heads that are invalid responses to a range request.
fn invalid_heads() -> Vec<(u16, String)> {
    let partial = |headers: &str| (206, format!("{ETAG}{DATE}{headers}"));
    vec![
        (200, format!("{ETAG}{DATE}")),
        (200, format!("{ETAG}{DATE}{RANGE}")),
        partial(""),
        partial("content-range: bytes */10\r\n"),
        partial("content-range: bytes 2-5/*\r\n"),
        partial("content-range: ?\r\n"),
        partial("content-range: bytes 0-3/10\r\n"),
        partial("content-range: bytes 2-9/10\r\n"),
        (206, format!("{ETAG}{RANGE}last-modified: yesterday\r\n")),
        (206, format!("{DATE}{RANGE}etag: ?\r\n")),
        (
            206,
            format!("{ETAG}{DATE}{RANGE}transfer-encoding: chunked\r\n"),
        ),
    ]
}

#[tokio::test]
async fn invalid_head_charges_region_and_fails_over() {
    for (status, headers) in invalid_heads() {
        let (invalid, valid) = (server(status, &headers).await, valid().await);
        for store in stores(&[&invalid, &valid]) {
            assert_eq!(
                store.get_range(&key(), 2..6).await.unwrap(),
                "2345",
                "{headers}"
            );
            assert_eq!(circuits(&store), [Open, Closed], "{headers}");
        }
        for store in stores(&[&invalid]) {
            let error = store.get_range(&key(), 2..6).await.unwrap_err();
            let failure = Failure::of(&error);
            assert_eq!(
                (failure.class(), failure.is_transient(), failure.sent()),
                (Interrupted, true, SendState::Yes)
            );
            let line = error.to_string();
            assert!(
                !line.contains('\n') && !line.contains("yesterday"),
                "{line}"
            );
        }
    }
}

#[tokio::test]
async fn missing_required_header_is_a_region_fault() {
    for headers in [format!("{ETAG}{RANGE}"), format!("{DATE}{RANGE}")] {
        let (invalid, valid) = (server(206, &headers).await, valid().await);
        let region = |(name, server): (&str, &FixedResponse)| {
            let options = json!({
                "google_base_url": server.endpoint,
                "allow_http": true,
                "google_bearer_token": "right",
            });
            json!({"name": name, "url": "gs://bucket", "options": options})
        };
        let regions: Vec<_> = [("a", &invalid), ("b", &valid)]
            .into_iter()
            .map(region)
            .collect();
        let document = json!({
            "regions": regions,
            "rotation": {"policy": "nearest", "canary": 0},
            "breaker": {"failure_threshold": 1},
        });
        let config: FailoverConfig = settings(document);
        let error = config.region_stores().unwrap()[0]
            .1
            .get_range(&key(), 2..6)
            .await
            .unwrap_err();
        assert_eq!(Failure::of(&error).class(), Interrupted, "{error}");
        let store = config.build().unwrap();
        assert_eq!(store.get_range(&key(), 2..6).await.unwrap(), "2345");
        assert_eq!(circuits(&store), [Open, Closed]);
    }
}

#[tokio::test]
async fn put_without_etag_is_indeterminate() {
    let invalid = server(200, DATE).await;
    let document = json!({
        "regions": [invalid.region("a")],
        "writes": {"policy": "home", "home": "a"},
        "retry": {"enabled": false},
    });
    let config: FailoverConfig = settings(document);
    let error = config.region_stores().unwrap()[0]
        .1
        .put(&key(), "v".into())
        .await
        .unwrap_err();
    assert_eq!(Failure::of(&error).class(), Interrupted, "{error}");
    let error = config
        .build()
        .unwrap()
        .put_opts(&key(), "v".into(), PutMode::Create.into())
        .await
        .unwrap_err();
    assert!(
        matches!(
            FailoverError::find(&error),
            Some(FailoverError::Indeterminate { .. })
        ),
        "{error}"
    );
}

#[tokio::test]
async fn range_past_the_object_is_the_callers_error() {
    let (short, other) = (
        server(206, &format!("{ETAG}{DATE}content-range: bytes 0-3/4\r\n")).await,
        valid().await,
    );
    // A 206 contradicts the object's length in its header. Where the header is recorded the library
    // tries the other region.
    for (store, class) in stores(&[&short, &other])
        .into_iter()
        .zip([Interrupted, Caller])
    {
        let error = store.get_range(&key(), 7..9).await.unwrap_err();
        assert_eq!(Failure::of(&error).class(), class, "{error}");
    }
    assert_eq!(other.requests(), 1);
}

#[tokio::test]
async fn invalid_attributes_of_all_replicas_open_no_circuit() {
    for attribute in [
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "x-amz-meta-a",
    ] {
        let head = format!("{ETAG}{DATE}{RANGE}{attribute}: ?\r\n");
        let (invalid, same, plain) = (
            server(206, &head).await,
            server(206, &head).await,
            valid().await,
        );
        for store in stores(&[&invalid, &same]) {
            let error = store.get_range(&key(), 2..6).await.unwrap_err();
            assert!(
                matches!(
                    FailoverError::find(&error),
                    Some(FailoverError::AllRegionsFailed { .. })
                ),
                "{error}"
            );
            assert_eq!(
                (Failure::of(&error).class(), circuits(&store)),
                (Misconfigured, vec![Closed, Closed]),
                "{attribute}"
            );
        }
        for store in stores(&[&invalid, &plain]) {
            assert_eq!(
                store.get_range(&key(), 2..6).await.unwrap(),
                "2345",
                "{attribute}"
            );
            assert_eq!(circuits(&store), [Open, Closed], "the region is charged");
        }
    }
}

#[tokio::test]
async fn missing_range_support_is_charged_beside_another_region() {
    let (without, with) = (server(200, &format!("{ETAG}{DATE}")).await, valid().await);
    let region = |name: &str, server: &FixedResponse| {
        json!({
            "name": name,
            "url": format!("{}/bucket", server.endpoint),
        })
    };
    let store = |regions: Vec<Value>| {
        let document = json!({
            "regions": regions,
            "rotation": {"policy": "nearest", "canary": 0},
            "breaker": {"failure_threshold": 1},
        });
        settings::<FailoverConfig>(document).build().unwrap()
    };
    let alone = store(vec![region("a", &without)]);
    let error = alone.get_range(&key(), 2..6).await.unwrap_err();
    assert!(
        matches!(error, Error::NotSupported { .. }),
        "the error of the only region: {error:?}"
    );
    let whole = alone
        .get_opts(&key(), GetOptions::default())
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(
        (&whole[..], circuits(&alone)),
        (&b"0123456789"[..], vec![Closed])
    );
    let beside = store(vec![region("a", &without), region("b", &with)]);
    assert_eq!(beside.get_range(&key(), 2..6).await.unwrap(), "2345");
    assert_eq!(circuits(&beside), [Open, Closed]);
}
