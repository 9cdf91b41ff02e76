//! Regions on Google Cloud Storage, Azure and plain HTTP from a document.

mod environment;
mod rejected;

use std::sync::Arc;

use failover_testkit::provider::{CONTENT, Kind, Provider};
use failover_testkit::s3::{KEY, SECRET, Server};
use failover_testkit::{key, logged, settings};
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverError, Failure, FailureClass};
use serde_json::{Value, json};

const KINDS: [Kind; 3] = [Kind::Google, Kind::Azure, Kind::Http];

/// The text in a request's head that authenticates it.
fn credential(kind: Kind) -> &'static str {
    match kind {
        Kind::Google => "authorization: Bearer right",
        Kind::Azure => "authorization: SharedKey account:",
        Kind::Http => "",
    }
}

async fn provider(kind: Kind) -> Provider {
    Provider::start(kind, credential(kind)).await
}

/// A region of a document, with valid credentials.
fn region(name: &str, kind: Kind, endpoint: &str) -> Value {
    match kind {
        Kind::Google => {
            let options = json!({
                "google_base_url": endpoint,
                "allow_http": true,
                "google_bearer_token": "right",
            });
            json!({"name": name, "url": "gs://bucket", "options": options})
        }
        Kind::Azure => {
            let options = json!({
                "azure_endpoint": endpoint,
                "azure_allow_http": true,
                "account_name": "account",
                "account_key": "cmlnaHQ=",
            });
            json!({"name": name, "url": "az://bucket", "options": options})
        }
        Kind::Http => json!({"name": name, "url": format!("{endpoint}/bucket"), "options": {}}),
    }
}

fn with_options(mut region: Value, options: Value) -> Value {
    region["options"]
        .as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    region
}

fn config(regions: Vec<Value>) -> FailoverConfig {
    settings(json!({"regions": regions, "retry": {"enabled": false}}))
}

fn rejection(region: Value) -> String {
    config(vec![region]).build().unwrap_err().to_string()
}

async fn check_reads(store: &impl ObjectStore) {
    assert_eq!(
        store.get(&key()).await.unwrap().bytes().await.unwrap(),
        CONTENT
    );
    assert_eq!(store.head(&key()).await.unwrap().size, CONTENT.len() as u64);
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(
        listed
            .into_iter()
            .map(|object| object.location)
            .collect::<Vec<_>>(),
        [key()]
    );
    assert!(matches!(
        store.get(&"other".into()).await.unwrap_err(),
        Error::NotFound { .. }
    ));
}

#[tokio::test]
async fn every_provider_is_read_alone_and_together() {
    let mut all = Vec::new();
    let mut servers = Vec::new();
    for kind in KINDS {
        let server = provider(kind).await;
        let one = region(&format!("{kind:?}"), kind, &server.endpoint());
        check_reads(&config(vec![one.clone()]).build().unwrap()).await;
        all.push(one);
        servers.push(server);
    }
    let store = config(all).build().unwrap();
    for _ in 0..3 {
        check_reads(&store).await;
    }
}

#[tokio::test]
async fn url_prefix_is_the_regions_root() {
    for kind in KINDS {
        let server = provider(kind).await;
        let mut region = region("a", kind, &server.endpoint());
        region["url"] = json!(format!("{}/folder", region["url"].as_str().unwrap()));
        let store = config(vec![region]).build().unwrap();
        assert_eq!(
            store.head(&"key".into()).await.unwrap().size,
            CONTENT.len() as u64,
            "{kind:?}"
        );
        let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
        assert_eq!(listed[0].location, "key".into(), "{kind:?}");
    }
}

#[tokio::test]
async fn region_headers_are_sent_with_every_request() {
    for kind in KINDS {
        let server = provider(kind).await;
        let mut region = region("a", kind, &server.endpoint());
        region["headers"] = json!({"X-Team": "readers", "x-trace": {"env": "PATH"}});
        check_reads(&config(vec![region]).build().unwrap()).await;
        let heads = server.heads();
        assert!(
            heads.len() >= 4
                && heads
                    .iter()
                    .all(|head| head.contains("x-team: readers") && head.contains("x-trace: ")),
            "{heads:?}"
        );
    }
}

#[tokio::test]
async fn s3_and_local_folder_form_one_store() {
    let bucket = InMemory::new();
    bucket.put(&key(), CONTENT.into()).await.unwrap();
    let server = Server::start("bucket", Arc::new(bucket)).await;
    let folder = std::env::temp_dir().join(format!(
        "object_store_failover-providers-{}",
        std::process::id()
    ));
    std::fs::create_dir_all(folder.join("folder")).unwrap();
    std::fs::write(folder.join("folder/key"), CONTENT).unwrap();
    let options = json!({
        "endpoint": server.endpoint(),
        "allow_http": true,
        "access_key_id": KEY,
        "secret_access_key": SECRET,
    });
    let store = config(vec![
        json!({"name": "s3", "url": "s3://bucket", "options": options}),
        json!({"name": "disk", "url": url::Url::from_directory_path(&folder).unwrap()}),
    ])
    .build()
    .unwrap();
    for _ in 0..2 {
        check_reads(&store).await;
    }
    assert!(server.requests() > 0);
    server.kill();
    for _ in 0..4 {
        assert_eq!(
            store.get(&key()).await.unwrap().bytes().await.unwrap(),
            CONTENT
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn server_busy_is_throttled_without_client_retries() {
    const BUSY: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
        <Error><Code>ServerBusy</Code><Message>Busy.</Message></Error>";
    for kind in KINDS {
        let (server, other) = (provider(kind).await, provider(kind).await);
        server.fail(503, BUSY);
        let busy = region("busy", kind, &server.endpoint());
        let config = config(vec![busy, region("healthy", kind, &other.endpoint())]);
        let error = config.region_stores().unwrap()[0]
            .1
            .get(&key())
            .await
            .unwrap_err();
        assert_eq!(
            Failure::of(&error).class(),
            FailureClass::Throttled,
            "{kind:?}: {error}"
        );
        assert_eq!(
            server.heads().len(),
            1,
            "{kind:?}: the client does not retry"
        );
        let store = config.build().unwrap();
        for _ in 0..2 {
            assert_eq!(
                store.get(&key()).await.unwrap().bytes().await.unwrap(),
                CONTENT
            );
        }
        assert_eq!(server.heads().len(), 2, "{kind:?}");
    }
}

#[tokio::test]
async fn missing_container_is_misconfigured() {
    let server = provider(Kind::Azure).await;
    server.fail(
        404,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>ContainerNotFound</Code></Error>",
    );
    let healthy = provider(Kind::Azure).await;
    let regions = [
        region("home", Kind::Azure, &server.endpoint()),
        region("healthy", Kind::Azure, &healthy.endpoint()),
    ];
    let config: FailoverConfig =
        settings(json!({"regions": regions, "writes": {"policy": "none", "home": "home"}}));
    let error = config.region_stores().unwrap()[0]
        .1
        .get(&key())
        .await
        .unwrap_err();
    assert_eq!(
        Failure::of(&error).class(),
        FailureClass::Misconfigured,
        "{error}"
    );
    let store = config.build().unwrap();
    for _ in 0..2 {
        assert_eq!(
            store.get(&key()).await.unwrap().bytes().await.unwrap(),
            CONTENT,
            "a missing container is not a missing key"
        );
    }
}

#[tokio::test]
async fn wrong_credentials_fail_over_and_stay_secret() {
    let google = Provider::start(Kind::Google, "authorization: Bearer right").await;
    let azure = Provider::start(Kind::Azure, "sig=right").await;
    let sas = |sig: &str| {
        let options = json!({
            "azure_endpoint": azure.endpoint(),
            "azure_allow_http": true,
            "account_name": "account",
            "sas_token": format!("sv=2026&sig={sig}"),
        });
        json!({"name": sig, "url": "az://bucket", "options": options})
    };
    let bearer = |token: &str| {
        let region = with_options(
            region("google", Kind::Google, &google.endpoint()),
            json!({"google_bearer_token": token}),
        );
        with_options(region, json!({"user_agent": "test"}))
    };
    for (wrong, right) in [
        (bearer("hunter2"), sas("right")),
        (sas("hunter2"), bearer("right")),
    ] {
        let store = config(vec![wrong.clone(), right]).build().unwrap();
        for _ in 0..4 {
            assert_eq!(
                store.get(&key()).await.unwrap().bytes().await.unwrap(),
                CONTENT
            );
        }
        let mut wrong = wrong;
        wrong["name"] = json!("wrong");
        let config = config(vec![wrong]);
        let store = config.build().unwrap();
        for error in [
            store.get(&key()).await.unwrap_err(),
            store.list(None).try_next().await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
            let output = format!(
                "{error} {error:?} {config:?} {store:?} {store} {:?}",
                store.health()
            );
            assert!(!output.contains("hunter2"), "{output}");
        }
    }
}

#[test]
fn plain_http_requires_allow_http() {
    for kind in [Kind::Google, Kind::Azure] {
        let region = with_options(region("a", kind, "http://127.0.0.1:9"), json!({}));
        let mut region = region;
        region["options"]
            .as_object_mut()
            .unwrap()
            .retain(|key, _| !key.ends_with("allow_http"));
        let error = config(vec![region]).build().unwrap_err().to_string();
        assert!(
            error.starts_with("regions[0].options.") && error.contains("allow_http = true"),
            "{kind:?}: {error}"
        );
    }
}

#[test]
fn containers_of_two_accounts_are_two_buckets() {
    let account = |name: &str, account: &str| {
        with_options(
            region(name, Kind::Azure, "http://127.0.0.1:9"),
            json!({"account_name": account}),
        )
    };
    let warnings = |regions: Vec<Value>| logged(|| drop(config(regions).build().unwrap()));
    assert_eq!(warnings(vec![account("a", "one"), account("b", "two")]), "");
    assert!(warnings(vec![account("a", "one"), account("b", "one")]).contains("same bucket"));
    let insecure = with_options(
        region("a", Kind::Google, "https://127.0.0.1:9"),
        json!({"allow_invalid_certificates": "yes"}),
    );
    assert!(warnings(vec![insecure]).contains("allow_invalid_certificates"));
}

/// No text of object_store contains the request id, so it comes from the recorded headers.
#[tokio::test]
async fn request_ids_are_recorded_for_every_provider() {
    for kind in [Kind::Google, Kind::Azure, Kind::Http] {
        let provider = provider(kind).await;
        let store = config(vec![region("a", kind, &provider.endpoint())])
            .build()
            .unwrap();
        provider.fail(503, "");
        let error = store.head(&"folder/key".into()).await.unwrap_err();
        let Some(FailoverError::AllRegionsFailed { attempts, .. }) = FailoverError::find(&error)
        else {
            panic!("{error}")
        };
        let failure = attempts.iter().next().unwrap().failure().unwrap();
        assert_eq!(
            (failure.http_status(), failure.request_id()),
            (Some(503), Some("id-7")),
            "{kind:?}: {error}"
        );
    }
}
