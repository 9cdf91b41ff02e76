//! Clients of the caller's own under regions of a document: no network, every answer is scripted.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService};
use object_store::{ClientConfigKey, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutPayload};
use object_store_failover::{CircuitState, FailoverConfig, FailoverError, ServedBy};
use parking_lot::Mutex;
use serde_json::{Value, json};
use support::{circuits, key, settings};

/// What one region's clients do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    Serve,
    /// 503, with an id.
    Fail,
    /// There is no connection.
    Refuse,
    /// There was one, and it broke.
    Break,
    /// No client can be made.
    Nothing,
}

/// One region's connector, and what became of it.
#[derive(Debug, Clone)]
struct Scripted(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    does: Mutex<Does>,
    clients: AtomicU32,
    user_agents: Mutex<Vec<Option<String>>>,
    requests: Mutex<Vec<String>>,
}

impl Scripted {
    fn new(does: Does) -> Self {
        let (user_agents, requests) = Default::default();
        Self(Arc::new(Shared { does: Mutex::new(does), clients: AtomicU32::new(0), user_agents, requests }))
    }

    fn requests(&self) -> Vec<String> {
        self.0.requests.lock().clone()
    }
}

impl HttpConnector for Scripted {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        self.0.clients.fetch_add(1, Ordering::Relaxed);
        self.0.user_agents.lock().push(options.get_config_value(&ClientConfigKey::UserAgent));
        if *self.0.does.lock() == Does::Nothing {
            return Err(Error::Generic { store: "connector", source: "the smart card is not in its slot".into() });
        }
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Scripted {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.0.requests.lock().push(format!("{} {}", request.method(), request.uri()));
        let answer = http::Response::builder().header("etag", "\"t\"").header("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT");
        let broken = |kind, how: io::ErrorKind| Err(HttpError::new(kind, io::Error::from(how)));
        let answer = match *self.0.does.lock() {
            Does::Serve => answer.header("content-length", "5").body(b"bytes".to_vec().into()),
            Does::Fail => answer.status(503).header("x-amz-request-id", "id-of-ours").body(Vec::new().into()),
            Does::Break => return broken(HttpErrorKind::Interrupted, io::ErrorKind::ConnectionReset),
            Does::Refuse | Does::Nothing => return broken(HttpErrorKind::Connect, io::ErrorKind::ConnectionRefused),
        };
        Ok(answer.unwrap())
    }
}

fn s3(name: &str) -> Value {
    let options = json!({"region": "us-east-1", "access_key_id": "key", "secret_access_key": "secret", "user_agent": name});
    json!({"name": name, "url": "s3://bucket", "options": options})
}

/// The document with these connectors, one for each region.
fn over(document: Value, connectors: &[&Scripted]) -> FailoverConfig {
    let mut config: FailoverConfig = settings(document);
    for (region, connector) in config.regions.iter_mut().zip(connectors) {
        region.connector = Some(Arc::new(Scripted::clone(connector)));
    }
    config
}

fn regions(connectors: &[&Scripted]) -> FailoverConfig {
    over(json!({"regions": [s3("a"), s3("b")], "breaker": {"failure_threshold": 1}, "retry": {"enabled": false}}), connectors)
}

#[tokio::test]
async fn every_provider_makes_its_requests_through_the_regions_own_connector() {
    let kinds = [
        s3("s3"),
        json!({"name": "google", "url": "gs://bucket", "options": {"google_bearer_token": "right"}}),
        json!({"name": "azure", "url": "az://bucket", "options": {"account_name": "account", "account_key": "cmlnaHQ="}}),
        json!({"name": "http", "url": "https://nowhere.invalid/bucket"}),
    ];
    for kind in kinds {
        let connector = Scripted::new(Does::Serve);
        let store = over(json!({"regions": [kind]}), &[&connector]).build().unwrap();
        assert_eq!(store.get(&key()).await.unwrap().bytes().await.unwrap(), "bytes", "{kind}");
        let requests = connector.requests();
        assert_eq!(requests.len(), 1, "{kind}");
        assert!(requests[0].starts_with("GET https://") && requests[0].ends_with("key"), "{requests:?}");
    }
}

#[tokio::test]
async fn each_region_has_its_own_and_is_failed_over_from_by_what_that_one_says() {
    let (sick, well) = (Scripted::new(Does::Fail), Scripted::new(Does::Serve));
    let store = regions(&[&sick, &well]).build().unwrap();
    for _ in 0..4 {
        let found = store.get(&key()).await.unwrap();
        assert_eq!(&*found.extensions.get::<ServedBy>().unwrap().region, "b");
    }
    assert_eq!((circuits(&store)[0], sick.requests().len(), well.requests().len()), (CircuitState::Open, 1, 4));
    *well.0.does.lock() = Does::Fail;
    let error = store.get(&key()).await.unwrap_err();
    assert!(error.to_string().contains("id-of-ours"), "what it answers is seen: {error}");
}

#[tokio::test]
async fn stores_of_single_regions_go_through_it_too() {
    let (one, other) = (Scripted::new(Does::Serve), Scripted::new(Does::Serve));
    let stores = regions(&[&one, &other]).region_stores().unwrap();
    stores[1].1.get(&key()).await.unwrap();
    assert_eq!((one.requests().len(), other.requests().len()), (0, 1));
}

#[tokio::test]
async fn it_is_given_the_options_of_its_region() {
    let (one, other) = (Scripted::new(Does::Serve), Scripted::new(Does::Serve));
    regions(&[&one, &other]).build().unwrap();
    for (name, connector) in [("a", &one), ("b", &other)] {
        let user_agents = connector.0.user_agents.lock();
        assert!(!user_agents.is_empty() && user_agents.iter().all(|agent| agent.as_deref() == Some(name)), "{user_agents:?}");
    }
}

#[tokio::test]
async fn after_a_circuit_was_open_it_makes_new_clients() {
    let (sick, well) = (Scripted::new(Does::Serve), Scripted::new(Does::Refuse));
    let store = regions(&[&sick, &well]).build().unwrap();
    let before = sick.0.clients.load(Ordering::Relaxed);
    *sick.0.does.lock() = Does::Fail;
    store.get(&key()).await.unwrap_err();
    *sick.0.does.lock() = Does::Serve;
    store.get(&key()).await.unwrap();
    assert_eq!(sick.0.clients.load(Ordering::Relaxed), before + 1);
}

#[tokio::test]
async fn a_write_moves_on_only_where_it_says_that_nothing_was_sent() {
    let any = json!({"regions": [s3("a"), s3("b")], "writes": {"policy": "home", "home": "a"}, "retry": {"enabled": true}});
    for (does, asked, indeterminate) in [(Does::Refuse, 3, false), (Does::Break, 1, true)] {
        let (home, other) = (Scripted::new(does), Scripted::new(Does::Serve));
        let store = over(any.clone(), &[&home, &other]).build().unwrap();
        tokio::time::pause();
        let create = object_store::PutOptions { mode: object_store::PutMode::Create, ..Default::default() };
        let error = store.put_opts(&key(), PutPayload::from_static(b"new"), create).await.unwrap_err();
        tokio::time::resume();
        let unknown = matches!(FailoverError::find(&error), Some(FailoverError::Indeterminate { .. }));
        assert_eq!((home.requests().len(), unknown), (asked, indeterminate), "{does:?}: {error}");
        assert!(other.requests().is_empty());
    }
}

#[test]
fn one_that_makes_no_client_is_refused_with_the_path_of_its_region() {
    let (well, none) = (Scripted::new(Does::Serve), Scripted::new(Does::Nothing));
    let error = regions(&[&well, &none]).build().unwrap_err().to_string();
    assert!(error.starts_with("regions[1].options:") && error.contains("the smart card is not in its slot"), "{error}");
}

#[test]
fn regions_without_a_wire_refuse_it_and_no_document_holds_one() {
    let connector = Scripted::new(Does::Serve);
    let memory = over(json!({"regions": [{"name": "a", "url": "memory:///"}]}), &[&connector]).build().unwrap_err().to_string();
    assert_eq!(memory, "regions[0].connector: a memory store makes no connections");
    let document = json!({"regions": [{"name": "a", "url": "https://a.example/", "connector": "mine"}]});
    let error = serde_json::from_value::<FailoverConfig>(document).unwrap_err().to_string();
    assert!(error.contains("unknown field `connector`"), "{error}");
}
