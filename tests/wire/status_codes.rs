//! What statuses and codes of real providers and proxies do to calls and circuits. Over real HTTP.

use std::sync::Arc;

use failover_testkit::provider::{Kind, Provider};
use failover_testkit::{
    FixedResponse, NAMES, Scripted, calls, circuits, key, put, put_at, read, secs, settings,
};
use futures::StreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::config::ProbeConfig;
use object_store_failover::{CircuitState, FailoverConfig, FailoverStore, FailureClass, Region};
use serde_json::{Value, json};

use CircuitState::{Closed, Open};
use FailureClass::{Throttled, Unavailable, Unknown, Unsupported};

const IDENTITY: &str = "etag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n";

/// A server that always sends this status line and body.
async fn server(status: &str, headers: &str, body: &str) -> FixedResponse {
    let length = body.len();
    let response = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    );
    FixedResponse::start(response.into_bytes()).await
}

async fn holding() -> FixedResponse {
    server("200 OK", IDENTITY, "right").await
}

/// A store over these regions, tried in this order, whose circuits open at the first failure.
fn store(regions: Vec<Value>, more: Value) -> FailoverStore {
    let mut document = json!({
        "regions": regions,
        "rotation": {"policy": "nearest", "canary": 0},
        "breaker": {"failure_threshold": 1},
        "retry": {"enabled": false},
    });
    let settings_of_test = more.as_object().unwrap().clone();
    document.as_object_mut().unwrap().extend(settings_of_test);
    settings::<FailoverConfig>(document).build().unwrap()
}

fn last_class(store: &FailoverStore) -> Option<FailureClass> {
    let health = store.health();
    health.regions[0].last_error.as_ref().map(|last| last.class)
}

fn write_circuits(store: &FailoverStore) -> Vec<CircuitState> {
    let regions = store.health().regions;
    regions.iter().map(|region| region.write.state).collect()
}

#[tokio::test]
async fn slow_down_in_the_reason_throttles_a_head() {
    for (status, class, state) in [
        ("503 Slow Down", Throttled, Closed),
        ("503 slow down", Throttled, Closed),
        ("503 Service Unavailable", Unavailable, Open),
    ] {
        let (busy, right) = (server(status, "", "").await, holding().await);
        let store = store(vec![busy.region("a"), right.region("b")], json!({}));
        assert_eq!(store.head(&key()).await.unwrap().size, 5, "{status}");
        assert_eq!(last_class(&store), Some(class), "{status}");
        assert_eq!(circuits(&store), [state, Closed], "{status}");
        assert_eq!((busy.requests(), right.requests()), (1, 1), "{status}");
    }
}

/// Responses of regions that cannot serve the request and are well otherwise.
const UNSUPPORTED: [(&str, &str); 8] = [
    ("501 Not Implemented", "NotImplemented"),
    ("501 Not Implemented", ""),
    ("411 Length Required", ""),
    ("413 Content Too Large", ""),
    ("414 URI Too Long", ""),
    ("431 Request Header Fields Too Large", ""),
    ("403 Forbidden", "InvalidObjectState"),
    ("409 Conflict", "BlobArchived"),
];

/// The body of a provider's error, or a proxy's page without a code.
fn body_of(code: &str) -> String {
    if code.is_empty() {
        "<html>refused by a proxy</html>".to_owned()
    } else {
        format!("<Error><Code>{code}</Code></Error>")
    }
}

#[tokio::test]
async fn unsupported_read_moves_on_and_charges_nobody() {
    for (status, code) in UNSUPPORTED {
        let (limited, right) = (server(status, "", &body_of(code)).await, holding().await);
        let store = store(vec![limited.region("a"), right.region("b")], json!({}));
        for _ in 0..3 {
            assert_eq!(read(&store).await.unwrap(), "right", "{status} {code}");
        }
        assert_eq!((limited.requests(), right.requests()), (3, 3), "{status}");
        assert_eq!(circuits(&store), [Closed; 2], "{status} {code}");
        assert!(
            matches!(last_class(&store), None | Some(Unsupported)),
            "no alert for credentials: {status} {code}"
        );
    }
}

#[tokio::test]
async fn unsupported_put_moves_on_and_charges_nobody() {
    for (status, code) in UNSUPPORTED {
        let (limited, right) = (server(status, "", &body_of(code)).await, holding().await);
        let regions = || vec![limited.region("a"), right.region("b")];
        let any = store(regions(), json!({"writes": {"policy": "any"}}));
        for _ in 0..3 {
            any.put(&key(), "v".into()).await.unwrap();
        }
        assert_eq!((limited.requests(), right.requests()), (3, 3), "{status}");
        assert_eq!(write_circuits(&any), [Closed; 2], "{status} {code}");
        let home = store(
            regions(),
            json!({"writes": {"policy": "home", "home": "a"}}),
        );
        for _ in 0..3 {
            home.put(&key(), "v".into()).await.unwrap_err();
        }
        assert_eq!((limited.requests(), right.requests()), (6, 3), "{status}");
        assert_eq!(write_circuits(&home), [Closed; 2], "{status} {code}");
    }
}

#[tokio::test]
async fn archived_blob_is_read_from_the_other_account() {
    let credential = "authorization: SharedKey account:";
    let (cold, hot) = (
        Provider::start(Kind::Azure, credential).await,
        Provider::start(Kind::Azure, credential).await,
    );
    cold.fail(409, "<Error><Code>BlobArchived</Code></Error>");
    let region = |name: &str, server: &Provider| {
        let options = json!({
            "azure_endpoint": server.endpoint(),
            "azure_allow_http": true,
            "account_name": "account",
            "account_key": "cmlnaHQ=",
        });
        json!({"name": name, "url": "az://bucket", "options": options})
    };
    let store = store(vec![region("a", &cold), region("b", &hot)], json!({}));
    for _ in 0..3 {
        assert_eq!(read(&store).await.unwrap(), "bytes");
    }
    assert_eq!((cold.heads().len(), hot.heads().len()), (3, 3));
    assert_eq!(circuits(&store), [Closed; 2]);
}

/// The S3 client with an endpoint that has no scheme: each of its requests panics.
fn panicking_store() -> Arc<dyn ObjectStore> {
    let builder = AmazonS3Builder::new()
        .with_endpoint("127.0.0.1:9000")
        .with_bucket_name("bucket")
        .with_access_key_id("key")
        .with_secret_access_key("secret");
    Arc::new(builder.build().unwrap())
}

/// Regions: one that panics, then one that serves; tried in this order.
async fn beside_a_panicking_region() -> (Arc<Scripted>, FailoverStore) {
    let well = Arc::new(Scripted::over(InMemory::new()));
    put(&well, "right").await;
    put_at(&well, "health/canary").await;
    let store = FailoverStore::builder()
        .region(Region::new(NAMES[0], panicking_store()))
        .region(Region::new(
            NAMES[1],
            Arc::clone(&well) as Arc<dyn ObjectStore>,
        ))
        .rotation(settings(json!({"policy": "nearest", "canary": 0})))
        .breaker(settings(json!({"failure_threshold": 1})))
        .writes(settings(json!({"policy": "any"})))
        .probe(ProbeConfig::default())
        .build()
        .unwrap();
    (well, store)
}

#[tokio::test(start_paused = true)]
async fn panic_in_a_regions_store_is_a_failed_attempt() {
    let (well, store) = beside_a_panicking_region().await;
    assert_eq!(read(&store).await.unwrap(), "right");
    assert_eq!(calls(&[well]), [1]);
    assert_eq!(store.health().regions[0].failures, 1);
    assert_eq!(
        (last_class(&store), circuits(&store)),
        (Some(Unknown), vec![Open, Closed])
    );
}

#[tokio::test(start_paused = true)]
async fn probes_go_on_after_a_panic() {
    let (well, store) = beside_a_panicking_region().await;
    let _probes = store.start_probes();
    tokio::time::sleep(secs(120)).await;
    let failures = store.health().regions[0].failures;
    assert!(failures >= 2, "{failures} probes failed");
    assert!((20..=28).contains(&well.calls()), "{} probes", well.calls());
    assert_eq!(circuits(&store)[1], Closed);
}

#[tokio::test(start_paused = true)]
async fn panic_fails_over_in_every_operation() {
    for operation in ["head", "list", "level", "put", "upload", "copy", "delete"] {
        let (well, store) = beside_a_panicking_region().await;
        let path = key();
        match operation {
            "head" => assert_eq!(store.head(&path).await.unwrap().size, 5),
            "list" => assert_eq!(store.list(None).count().await, 2),
            "level" => drop(store.list_with_delimiter(None).await.unwrap()),
            "put" => drop(store.put(&path, "v".into()).await.unwrap()),
            "upload" => drop(store.put_multipart(&path).await.unwrap()),
            "copy" => store.copy(&path, &"copy".into()).await.unwrap(),
            _ => store.delete(&path).await.unwrap(),
        }
        assert_eq!(well.calls(), 1, "{operation}");
        assert_eq!(store.health().regions[0].failures, 1, "{operation}");
    }
}

#[tokio::test]
async fn malformed_endpoint_is_refused_or_fails_over() {
    for endpoint in ["127.0.0.1:9000", " http://127.0.0.1:9000", "http://a b", ""] {
        let (typo, right) = (FixedResponse::at(endpoint.into()), holding().await);
        let google = json!({
            "google_base_url": endpoint,
            "allow_http": true,
            "google_bearer_token": "right",
        });
        let google = json!({"name": "a", "url": "gs://bucket", "options": google});
        for region in [typo.region("a"), google] {
            let config: FailoverConfig = settings(json!({
                "regions": [region, right.region("b")],
                "rotation": {"policy": "nearest", "canary": 0},
            }));
            match config.build() {
                Ok(store) => {
                    assert_eq!(read(&store).await.unwrap(), "right", "{endpoint:?}");
                    assert_eq!(store.health().regions[0].failures, 1, "{endpoint:?}");
                }
                Err(refused) => {
                    let line = refused.to_string();
                    assert!(line.starts_with("regions[0]"), "{endpoint:?}: {line}");
                }
            }
        }
    }
}
