//! Custom HTTP connectors under regions of a document. There is no network; responses are scripted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use failover_testkit::{circuits, key, settings};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{
    ClientConfigKey, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutPayload,
};
use object_store_failover::{CircuitState, FailoverConfig, FailoverError, ServedBy};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// How the clients of a region behave.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Behavior {
    Serve,
    /// A 503 with a request id.
    Fail,
    /// Connecting fails.
    Refuse,
    /// The connection breaks after the request.
    Break,
    /// Creating a client fails.
    NoClient,
}

/// The connector of a region, and what it has recorded.
#[derive(Debug, Clone)]
struct ScriptedConnector(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    behavior: Mutex<Behavior>,
    clients: AtomicU32,
    user_agents: Mutex<Vec<Option<String>>>,
    requests: Mutex<Vec<String>>,
}

impl ScriptedConnector {
    fn new(behavior: Behavior) -> Self {
        let (user_agents, requests) = Default::default();
        Self(Arc::new(Shared {
            behavior: Mutex::new(behavior),
            clients: AtomicU32::new(0),
            user_agents,
            requests,
        }))
    }

    fn requests(&self) -> Vec<String> {
        self.0.requests.lock().clone()
    }
}

impl HttpConnector for ScriptedConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        self.0.clients.fetch_add(1, Ordering::Relaxed);
        self.0
            .user_agents
            .lock()
            .push(options.get_config_value(&ClientConfigKey::UserAgent));
        if *self.0.behavior.lock() == Behavior::NoClient {
            return Err(Error::Generic {
                store: "connector",
                source: "no client certificate".into(),
            });
        }
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for ScriptedConnector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.0
            .requests
            .lock()
            .push(format!("{} {}", request.method(), request.uri()));
        let response = http::Response::builder()
            .header("etag", "\"t\"")
            .header("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT");
        let broken = |kind, error: io::ErrorKind| Err(HttpError::new(kind, io::Error::from(error)));
        let response = match *self.0.behavior.lock() {
            Behavior::Serve => response
                .header("content-length", "5")
                .body(b"bytes".to_vec().into()),
            Behavior::Fail => response
                .status(503)
                .header("x-amz-request-id", "id-7")
                .body(Vec::new().into()),
            Behavior::Break => {
                return broken(HttpErrorKind::Interrupted, io::ErrorKind::ConnectionReset);
            }
            Behavior::Refuse | Behavior::NoClient => {
                return broken(HttpErrorKind::Connect, io::ErrorKind::ConnectionRefused);
            }
        };
        Ok(response.unwrap())
    }
}

fn s3(name: &str) -> Value {
    let options = json!({
        "region": "us-east-1",
        "access_key_id": "key",
        "secret_access_key": "secret",
        "user_agent": name,
    });
    json!({"name": name, "url": "s3://bucket", "options": options})
}

/// The document with one connector for each region.
fn config_over(document: Value, connectors: &[&ScriptedConnector]) -> FailoverConfig {
    let mut config: FailoverConfig = settings(document);
    for (region, connector) in config.regions.iter_mut().zip(connectors) {
        region.connector = Some(Arc::new(ScriptedConnector::clone(connector)));
    }
    config
}

fn regions(connectors: &[&ScriptedConnector]) -> FailoverConfig {
    config_over(
        json!({
            "regions": [s3("a"), s3("b")],
            "breaker": {"failure_threshold": 1},
            "retry": {"enabled": false},
        }),
        connectors,
    )
}

#[tokio::test]
async fn every_provider_uses_the_regions_connector() {
    let kinds = [
        s3("s3"),
        json!({
            "name": "google",
            "url": "gs://bucket",
            "options": {"google_bearer_token": "right"},
        }),
        json!({
            "name": "azure",
            "url": "az://bucket",
            "options": {"account_name": "account", "account_key": "cmlnaHQ="},
        }),
        json!({"name": "http", "url": "https://nowhere.invalid/bucket"}),
    ];
    for kind in kinds {
        let connector = ScriptedConnector::new(Behavior::Serve);
        let store = config_over(json!({"regions": [kind]}), &[&connector])
            .build()
            .unwrap();
        assert_eq!(
            store.get(&key()).await.unwrap().bytes().await.unwrap(),
            "bytes",
            "{kind}"
        );
        let requests = connector.requests();
        assert_eq!(requests.len(), 1, "{kind}");
        assert!(
            requests[0].starts_with("GET https://") && requests[0].ends_with("key"),
            "{requests:?}"
        );
    }
}

#[tokio::test]
async fn each_region_fails_over_by_its_own_connector() {
    let (failing, healthy) = (
        ScriptedConnector::new(Behavior::Fail),
        ScriptedConnector::new(Behavior::Serve),
    );
    let store = regions(&[&failing, &healthy]).build().unwrap();
    for _ in 0..4 {
        let found = store.get(&key()).await.unwrap();
        assert_eq!(&*found.extensions.get::<ServedBy>().unwrap().region, "b");
    }
    assert_eq!(
        (
            circuits(&store)[0],
            failing.requests().len(),
            healthy.requests().len()
        ),
        (CircuitState::Open, 1, 4)
    );
    *healthy.0.behavior.lock() = Behavior::Fail;
    let error = store.get(&key()).await.unwrap_err();
    assert!(
        error.to_string().contains("id-7"),
        "the response's request id is recorded: {error}"
    );
}

#[tokio::test]
async fn region_stores_use_the_connector() {
    let (one, other) = (
        ScriptedConnector::new(Behavior::Serve),
        ScriptedConnector::new(Behavior::Serve),
    );
    let stores = regions(&[&one, &other]).region_stores().unwrap();
    stores[1].1.get(&key()).await.unwrap();
    assert_eq!((one.requests().len(), other.requests().len()), (0, 1));
}

#[tokio::test]
async fn connector_receives_the_regions_options() {
    let (one, other) = (
        ScriptedConnector::new(Behavior::Serve),
        ScriptedConnector::new(Behavior::Serve),
    );
    regions(&[&one, &other]).build().unwrap();
    for (name, connector) in [("a", &one), ("b", &other)] {
        let user_agents = connector.0.user_agents.lock();
        assert!(
            !user_agents.is_empty()
                && user_agents
                    .iter()
                    .all(|agent| agent.as_deref() == Some(name)),
            "{user_agents:?}"
        );
    }
}

#[tokio::test]
async fn recovered_circuit_makes_a_new_client() {
    let (failing, healthy) = (
        ScriptedConnector::new(Behavior::Serve),
        ScriptedConnector::new(Behavior::Refuse),
    );
    let store = regions(&[&failing, &healthy]).build().unwrap();
    let before = failing.0.clients.load(Ordering::Relaxed);
    *failing.0.behavior.lock() = Behavior::Fail;
    store.get(&key()).await.unwrap_err();
    *failing.0.behavior.lock() = Behavior::Serve;
    store.get(&key()).await.unwrap();
    assert_eq!(failing.0.clients.load(Ordering::Relaxed), before + 1);
}

#[tokio::test]
async fn write_is_retried_only_if_unsent() {
    let any = json!({
        "regions": [s3("a"), s3("b")],
        "writes": {"policy": "home", "home": "a"},
        "retry": {"enabled": true},
    });
    for (behavior, expected_requests, indeterminate) in
        [(Behavior::Refuse, 3, false), (Behavior::Break, 1, true)]
    {
        let (home, other) = (
            ScriptedConnector::new(behavior),
            ScriptedConnector::new(Behavior::Serve),
        );
        let store = config_over(any.clone(), &[&home, &other]).build().unwrap();
        tokio::time::pause();
        let create = object_store::PutOptions {
            mode: object_store::PutMode::Create,
            ..Default::default()
        };
        let error = store
            .put_opts(&key(), PutPayload::from_static(b"new"), create)
            .await
            .unwrap_err();
        tokio::time::resume();
        let unknown = matches!(
            FailoverError::find(&error),
            Some(FailoverError::Indeterminate { .. })
        );
        assert_eq!(
            (home.requests().len(), unknown),
            (expected_requests, indeterminate),
            "{behavior:?}: {error}"
        );
        assert!(other.requests().is_empty());
    }
}

#[test]
fn failing_connector_is_reported_with_its_region() {
    let (healthy, none) = (
        ScriptedConnector::new(Behavior::Serve),
        ScriptedConnector::new(Behavior::NoClient),
    );
    let error = regions(&[&healthy, &none]).build().unwrap_err().to_string();
    assert!(
        error.starts_with("regions[1].options:") && error.contains("no client certificate"),
        "{error}"
    );
}

#[test]
fn regions_without_http_reject_a_connector() {
    let connector = ScriptedConnector::new(Behavior::Serve);
    let memory = config_over(
        json!({"regions": [{"name": "a", "url": "memory:///"}]}),
        &[&connector],
    )
    .build()
    .unwrap_err()
    .to_string();
    assert_eq!(
        memory,
        "regions[0].connector: a memory store makes no connections"
    );
    let document =
        json!({"regions": [{"name": "a", "url": "https://a.example/", "connector": "mine"}]});
    let error = serde_json::from_value::<FailoverConfig>(document)
        .unwrap_err()
        .to_string();
    assert!(error.contains("unknown field `connector`"), "{error}");
}
