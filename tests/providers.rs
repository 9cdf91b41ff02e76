//! Regions on Google Cloud Storage, Azure and plain HTTP, built from a document: what they read, what they tell and what they refuse.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverError, Failure, FailureClass};
use serde_json::{Value, json};
use support::provider::{CONTENT, Kind, Provider};
use support::s3::{KEY, SECRET, Server};
use support::{key, logged, settings};

const KINDS: [Kind; 3] = [Kind::Google, Kind::Azure, Kind::Http];

/// The words in a request's head by which a provider knows a friend.
fn signed(kind: Kind) -> &'static str {
    match kind {
        Kind::Google => "authorization: Bearer right",
        Kind::Azure => "authorization: SharedKey account:",
        Kind::Http => "",
    }
}

async fn provider(kind: Kind) -> Provider {
    Provider::start(kind, signed(kind)).await
}

/// A region as a document, with what it takes to be let in.
fn region(name: &str, kind: Kind, endpoint: &str) -> Value {
    match kind {
        Kind::Google => {
            let options = json!({"google_base_url": endpoint, "allow_http": true, "google_bearer_token": "right"});
            json!({"name": name, "url": "gs://bucket", "options": options})
        }
        Kind::Azure => {
            let options =
                json!({"azure_endpoint": endpoint, "azure_allow_http": true, "account_name": "account", "account_key": "cmlnaHQ="});
            json!({"name": name, "url": "az://bucket", "options": options})
        }
        Kind::Http => json!({"name": name, "url": format!("{endpoint}/bucket"), "options": {}}),
    }
}

fn with(mut region: Value, options: Value) -> Value {
    region["options"].as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    region
}

fn config(regions: Vec<Value>) -> FailoverConfig {
    settings(json!({"regions": regions, "retry": {"enabled": false}}))
}

fn refusal(region: Value) -> String {
    config(vec![region]).build().unwrap_err().to_string()
}

async fn reads_everything(store: &impl ObjectStore) {
    assert_eq!(store.get(&key()).await.unwrap().bytes().await.unwrap(), CONTENT);
    assert_eq!(store.head(&key()).await.unwrap().size, CONTENT.len() as u64);
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(listed.into_iter().map(|object| object.location).collect::<Vec<_>>(), [key()]);
    assert!(matches!(store.get(&"other".into()).await.unwrap_err(), Error::NotFound { .. }));
}

#[tokio::test]
async fn every_kind_of_region_is_read_alone_and_beside_the_others() {
    let mut all = Vec::new();
    let mut servers = Vec::new();
    for kind in KINDS {
        let server = provider(kind).await;
        let one = region(&format!("{kind:?}"), kind, &server.endpoint());
        reads_everything(&config(vec![one.clone()]).build().unwrap()).await;
        all.push(one);
        servers.push(server);
    }
    let store = config(all).build().unwrap();
    for _ in 0..3 {
        reads_everything(&store).await;
    }
}

#[tokio::test]
async fn a_prefix_in_the_url_is_where_the_region_begins() {
    for kind in KINDS {
        let server = provider(kind).await;
        let mut region = region("a", kind, &server.endpoint());
        region["url"] = json!(format!("{}/folder", region["url"].as_str().unwrap()));
        let store = config(vec![region]).build().unwrap();
        assert_eq!(store.head(&"key".into()).await.unwrap().size, CONTENT.len() as u64, "{kind:?}");
        let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
        assert_eq!(listed[0].location, "key".into(), "{kind:?}");
    }
}

#[tokio::test]
async fn headers_of_a_region_go_with_each_of_its_requests() {
    for kind in KINDS {
        let server = provider(kind).await;
        let mut region = region("a", kind, &server.endpoint());
        region["headers"] = json!({"X-Team": "readers", "x-trace": {"env": "PATH"}});
        reads_everything(&config(vec![region]).build().unwrap()).await;
        let heads = server.heads();
        assert!(heads.len() >= 4 && heads.iter().all(|head| head.contains("x-team: readers") && head.contains("x-trace: ")), "{heads:?}");
    }
}

#[test]
fn headers_that_would_change_what_is_asked_for_are_refused() {
    let refused = |header: &str, value: &str| {
        let mut region = region("a", Kind::Http, "http://127.0.0.1:9");
        region["headers"] = json!({header: value});
        let error = refusal(region);
        assert!(error.starts_with(&format!("regions[0].headers.{header}: ")) && !error.contains("hunter2"), "{error}");
    };
    for header in ["Range", "If-Match", "if-none-match", "Authorization", "Host", "accept-encoding"] {
        refused(header, "hunter2");
    }
    let mut twice = region("a", Kind::Http, "http://127.0.0.1:9");
    twice["headers"] = json!({"X-Team": "readers", "x-team": "writers"});
    assert!(refusal(twice).contains("is there twice"));
    refused("not a name", "x");
    refused("x-two-lines", "hunter2\r\nx-more: 1");
    let local = json!({"name": "a", "url": "memory:///", "headers": {"x-team": "readers"}});
    assert!(refusal(local).starts_with("regions[0].headers.x-team: a memory store sends no requests"));
}

#[tokio::test]
async fn a_bucket_on_s3_and_a_local_folder_are_regions_of_one_store() {
    let bucket = InMemory::new();
    bucket.put(&key(), CONTENT.into()).await.unwrap();
    let server = Server::start("bucket", Arc::new(bucket)).await;
    let folder = std::env::temp_dir().join(format!("object_store_failover-providers-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("folder")).unwrap();
    std::fs::write(folder.join("folder/key"), CONTENT).unwrap();
    let options = json!({"endpoint": server.endpoint(), "allow_http": true, "access_key_id": KEY, "secret_access_key": SECRET});
    let store = config(vec![
        json!({"name": "s3", "url": "s3://bucket", "options": options}),
        json!({"name": "disk", "url": url::Url::from_directory_path(&folder).unwrap()}),
    ])
    .build()
    .unwrap();
    for _ in 0..2 {
        reads_everything(&store).await;
    }
    assert!(server.requests() > 0);
    server.kill();
    for _ in 0..4 {
        assert_eq!(store.get(&key()).await.unwrap().bytes().await.unwrap(), CONTENT);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_busy_provider_counts_as_throttled_and_one_attempt_is_one_request() {
    const BUSY: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>ServerBusy</Code><Message>Busy.</Message></Error>";
    for kind in KINDS {
        let (server, other) = (provider(kind).await, provider(kind).await);
        server.fail(503, BUSY);
        let sick = region("sick", kind, &server.endpoint());
        let config = config(vec![sick, region("well", kind, &other.endpoint())]);
        let error = config.region_stores().unwrap()[0].1.get(&key()).await.unwrap_err();
        assert_eq!(Failure::of(&error).class(), FailureClass::Throttled, "{kind:?}: {error}");
        assert_eq!(server.heads().len(), 1, "{kind:?}: our own loop retries, elsewhere");
        let store = config.build().unwrap();
        for _ in 0..2 {
            assert_eq!(store.get(&key()).await.unwrap().bytes().await.unwrap(), CONTENT);
        }
        assert_eq!(server.heads().len(), 2, "{kind:?}");
    }
}

#[tokio::test]
async fn a_container_that_is_not_there_says_nothing_about_its_objects() {
    let server = provider(Kind::Azure).await;
    server.fail(404, "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>ContainerNotFound</Code></Error>");
    let well = provider(Kind::Azure).await;
    let regions = [region("home", Kind::Azure, &server.endpoint()), region("well", Kind::Azure, &well.endpoint())];
    let config: FailoverConfig = settings(json!({"regions": regions, "writes": {"policy": "none", "home": "home"}}));
    let error = config.region_stores().unwrap()[0].1.get(&key()).await.unwrap_err();
    assert_eq!(Failure::of(&error).class(), FailureClass::Misconfigured, "{error}");
    let store = config.build().unwrap();
    for _ in 0..2 {
        assert_eq!(store.get(&key()).await.unwrap().bytes().await.unwrap(), CONTENT, "its 404 is not home's word on the key");
    }
}

#[tokio::test]
async fn a_wrong_key_is_survived_where_another_region_serves_and_never_shown() {
    let google = Provider::start(Kind::Google, "authorization: Bearer right").await;
    let azure = Provider::start(Kind::Azure, "sig=right").await;
    let sas = |sig: &str| {
        let options = json!({"azure_endpoint": azure.endpoint(), "azure_allow_http": true, "account_name": "account", "sas_token": format!("sv=2026&sig={sig}")});
        json!({"name": sig, "url": "az://bucket", "options": options})
    };
    let bearer = |token: &str| {
        let region = with(region("google", Kind::Google, &google.endpoint()), json!({"google_bearer_token": token}));
        with(region, json!({"user_agent": "test"}))
    };
    for (wrong, right) in [(bearer("hunter2"), sas("right")), (sas("hunter2"), bearer("right"))] {
        let store = config(vec![wrong.clone(), right]).build().unwrap();
        for _ in 0..4 {
            assert_eq!(store.get(&key()).await.unwrap().bytes().await.unwrap(), CONTENT);
        }
        let mut wrong = wrong;
        wrong["name"] = json!("wrong");
        let config = config(vec![wrong]);
        let store = config.build().unwrap();
        for error in [store.get(&key()).await.unwrap_err(), store.list(None).try_next().await.unwrap_err()] {
            assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
            let shown = format!("{error} {error:?} {config:?} {store:?} {store} {:?}", store.health());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}

#[test]
fn options_that_no_such_store_has_are_refused_with_their_path() {
    let cases = [
        (Kind::Google, "aws_region", "a Google Cloud Storage store"),
        (Kind::Azure, "google_bucket", "an Azure store"),
        (Kind::Http, "azure_storage_account_key", "an HTTP store"),
    ];
    for (kind, option, store) in cases {
        let error = refusal(with(region("a", kind, "http://127.0.0.1:9"), json!({option: "hunter2"})));
        assert!(error.starts_with(&format!("regions[0].options.{option}: is no option of {store}")), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        let mut untrusting = region("a", kind, "http://127.0.0.1:9");
        untrusting["ca_file"] = json!("no/such/file");
        assert!(refusal(untrusting).starts_with("regions[0].ca_file"), "{kind:?}");
    }
    let missing = with(region("a", Kind::Google, "http://127.0.0.1:9"), json!({"google_bearer_token": {"env": "NOT_SET_ANYWHERE"}}));
    assert!(refusal(missing).contains("regions[0].options.google_bearer_token: the environment variable NOT_SET_ANYWHERE"));
}

#[test]
fn secrets_in_the_wrong_place_are_not_shown_by_refusals() {
    let google = |options: Value| json!({"name": "a", "url": "gs://bucket", "options": options});
    let azure = |options: Value| with(region("a", Kind::Azure, "http://127.0.0.1:9"), options);
    for region in [
        // serde quotes the part of a document that it cannot read.
        google(json!({"google_service_account_key": "\"hunter2\""})),
        google(
            json!({"google_service_account_key": r#"{"private_key": "x", "private_key_id": "x", "client_email": "x", "disable_oauth": "hunter2 \" hunter2"}"#}),
        ),
        google(json!({"google_service_account": "hunter2"})),
        google(json!({"google_service_account": "hunt", "google_service_account_key": "hunter2", "allow_http": "hunter2"})),
        azure(json!({"azure_skip_signature": "hunter2"})),
        azure(json!({"azure_endpoint": "hunter2"})),
        azure(json!({"account_key": "hunter2!"})),
        with(region("a", Kind::Http, "http://127.0.0.1:9"), json!({"allow_http": "hunter2"})),
    ] {
        let error = refusal(region.clone());
        assert!(error.starts_with("regions[0].options: ") && !error.contains("hunter2") && !error.contains("ter2"), "{error}");
        assert!(!format!("{:?}", config(vec![region])).contains("hunter2"));
    }
}

#[test]
fn urls_of_every_form_are_taken_unless_they_hold_a_secret() {
    let build = |url: &str, options: Value| {
        let document = json!({"regions": [{"name": "a", "url": url, "options": options}]});
        let parsed = serde_json::from_value::<FailoverConfig>(document).map_err(|error| error.to_string())?;
        parsed.build().map(|_| ()).map_err(|error| error.to_string())
    };
    let key = || json!({"account_key": "cmlnaHQ="});
    let account = || json!({"account_key": "cmlnaHQ=", "account_name": "account"});
    build("abfss://container@account.dfs.core.windows.net/prefix", key()).unwrap();
    build("az://container@account.blob.core.windows.net", key()).unwrap();
    build("https://account.blob.core.windows.net/container/prefix", key()).unwrap();
    build("https://account.blob.core.windows.net", json!({"account_key": "cmlnaHQ=", "container_name": "container"})).unwrap();
    for scheme in ["az", "adl", "azure", "abfs", "abfss"] {
        build(&format!("{scheme}://container/prefix"), account()).unwrap();
    }
    build("https://mirror.example/data", json!({})).unwrap();
    assert!(build("az://container", key()).unwrap_err().contains("Account must be specified"));
    for url in [
        "https://user:hunter2@mirror.example/data",
        "https://hunter2@mirror.example/data",
        "gs://hunter2@bucket",
        "abfss://container:hunter2@account.dfs.core.windows.net",
        "https://account.blob.core.windows.net/container?sv=1&sig=hunter2",
        "https://mirror.example/data#hunter2",
    ] {
        let error = build(url, json!({})).unwrap_err();
        assert!(error.contains("regions[0].url: a url must not") && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_line_that_is_not_secret_must_be_allowed() {
    for kind in [Kind::Google, Kind::Azure] {
        let server = provider(kind).await;
        let region = with(region("a", kind, &server.endpoint()), json!({"allow_http": false, "azure_allow_http": false}));
        let mut region = region;
        region["options"].as_object_mut().unwrap().retain(|key, _| kind == Kind::Azure || key != "azure_allow_http");
        config(vec![region]).build().unwrap().get(&key()).await.unwrap_err();
        assert!(server.heads().is_empty(), "{kind:?}");
    }
}

#[test]
fn containers_of_two_accounts_are_two_buckets() {
    let account = |name: &str, account: &str| with(region(name, Kind::Azure, "http://127.0.0.1:9"), json!({"account_name": account}));
    let warnings = |regions: Vec<Value>| logged(|| drop(config(regions).build().unwrap()));
    assert_eq!(warnings(vec![account("a", "one"), account("b", "two")]), "");
    assert!(warnings(vec![account("a", "one"), account("b", "one")]).contains("same bucket"));
    let trusting = with(region("a", Kind::Google, "https://127.0.0.1:9"), json!({"allow_invalid_certificates": "yes"}));
    assert!(warnings(vec![trusting]).contains("allow_invalid_certificates"));
}

const IN_CHILD: &str = "credentials_come_from_the_environment_and_places_do_not";

/// Its own process, because the environment belongs to everyone in one.
#[tokio::test]
async fn credentials_come_from_the_environment_and_places_do_not() {
    if let (Ok(google), Ok(azure)) = (std::env::var("OSF_TEST_GOOGLE"), std::env::var("OSF_TEST_AZURE")) {
        return reads_with_the_environments_credentials(&google, &azure).await;
    }
    let google = Provider::start(Kind::Google, "authorization: Bearer right").await;
    let azure = provider(Kind::Azure).await;
    let account =
        json!({"private_key": "", "private_key_id": "", "client_email": "", "disable_oauth": true, "gcs_base_url": google.endpoint()});
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", IN_CHILD, "--nocapture"])
        .env("OSF_TEST_GOOGLE", google.endpoint())
        .env("OSF_TEST_AZURE", azure.endpoint())
        .env("GOOGLE_SERVICE_ACCOUNT_KEY", account.to_string())
        .env("GOOGLE_BEARER_TOKEN", "right")
        .env("AZURE_STORAGE_ACCOUNT_KEY", "cmlnaHQ=")
        .env("AZURE_STORAGE_SAS_TOKEN", "")
        // Were they taken, no region would be found.
        .env("GOOGLE_BASE_URL", "http://127.0.0.1:9")
        .env("GOOGLE_BUCKET", "nothing")
        .env("AZURE_ENDPOINT", "http://127.0.0.1:9")
        .env("AZURE_STORAGE_ACCOUNT_NAME", "nobody")
        .env("AZURE_CONTAINER_NAME", "nothing")
        .env("AZURITE_BLOB_STORAGE_URL", "http://127.0.0.1:9");
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let served = google.heads();
    assert_eq!((served.len(), azure.heads().len()), (3, 2), "{text} {served:?}");
    assert!(served[2].starts_with("CONNECT storage.googleapis.com:443"), "{served:?}");
}

async fn reads_with_the_environments_credentials(google: &str, azure: &str) {
    let bare = |kind: Kind, endpoint: &str| {
        let mut region = region("a", kind, endpoint);
        region["options"].as_object_mut().unwrap().retain(|key, _| !["google_bearer_token", "account_key"].contains(&key.as_str()));
        region
    };
    let head = async |region: Value| config(vec![region]).build().unwrap().head(&key()).await;
    head(bare(Kind::Google, google)).await.unwrap();
    head(bare(Kind::Azure, azure)).await.unwrap();
    // A region's own are not mixed with them.
    head(with(bare(Kind::Google, google), json!({"bearer_token": "wrong"}))).await.unwrap_err();
    head(with(bare(Kind::Azure, azure), json!({"sas_token": "sig=wrong"}))).await.unwrap_err();
    // A service account of the environment does not say where: without an endpoint the way leads to Google, here through a proxy.
    let elsewhere = json!({"name": "a", "url": "gs://bucket", "options": {"proxy_url": google, "allow_http": true}});
    head(elsewhere).await.unwrap_err();
    let mut nameless = bare(Kind::Azure, azure);
    nameless["options"].as_object_mut().unwrap().remove("account_name");
    assert!(refusal(nameless).contains("Account must be specified"));
    let error = refusal(json!({"name": "a", "url": "az://bucket", "options": {"use_emulator": true}}));
    assert!(error.starts_with("regions[0].options.use_emulator: AZURITE_BLOB_STORAGE_URL"), "{error}");
}

/// The request's id stands in no text of object_store's: it can only come from the wire.
#[tokio::test]
async fn what_every_kind_of_provider_answers_is_seen_on_the_wire() {
    for kind in [Kind::Google, Kind::Azure, Kind::Http] {
        let provider = provider(kind).await;
        let store = config(vec![region("a", kind, &provider.endpoint())]).build().unwrap();
        provider.fail(503, "");
        let error = store.head(&"folder/key".into()).await.unwrap_err();
        let Some(FailoverError::AllRegionsFailed { attempts, .. }) = FailoverError::find(&error) else { panic!("{error}") };
        let failure = attempts.iter().next().unwrap().failure().unwrap();
        assert_eq!((failure.http_status(), failure.request_id()), (Some(503), Some("id-7")), "{kind:?}: {error}");
    }
}
