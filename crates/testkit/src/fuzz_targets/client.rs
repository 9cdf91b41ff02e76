//! Regions of every provider over a scripted HTTP client, without a network.
//!
//! Any status, header and body reaches the real clients of object_store and the transport layer of
//! the library.

use std::sync::Arc;

use async_trait::async_trait;
use futures::TryStreamExt;
use http::HeaderMap;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService,
};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectMeta, ObjectStore};
use object_store_failover::{FailoverConfig, FailoverStore};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::response::Response;

/// An HTTP client that sends one response to every request and records the requests.
#[derive(Debug, Clone)]
pub(crate) struct ScriptedClient(Arc<Mutex<ClientState>>);

#[derive(Debug)]
struct ClientState {
    response: Response,
    requests: Vec<(String, HeaderMap)>,
}

impl Default for ScriptedClient {
    /// Responds 404.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(ClientState {
            response: Response::parse(b"404\n\n"),
            requests: Vec::new(),
        })))
    }
}

impl ScriptedClient {
    /// Answers so from now on.
    pub(crate) fn respond_with(&self, response: &Response) {
        *self.0.lock() = ClientState {
            response: response.clone(),
            requests: Vec::new(),
        };
    }

    /// The targets and headers of the requests since the last `respond_with`.
    pub(crate) fn requests(&self) -> Vec<(String, HeaderMap)> {
        self.0.lock().requests.clone()
    }
}

impl HttpConnector for ScriptedClient {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for ScriptedClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut state = self.0.lock();
        state
            .requests
            .push((request.uri().to_string(), request.headers().clone()));
        let Response {
            status,
            headers,
            body,
        } = state.response.clone();
        let has_body = request.method() != http::Method::HEAD;
        let mut response = HttpResponse::new(if has_body {
            body.into()
        } else {
            Vec::new().into()
        });
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}

/// A failover store of one region, and the plain client of the same region.
pub(crate) struct Region {
    pub(crate) client: ScriptedClient,
    pub(crate) store: FailoverStore,
    pub(crate) plain: Arc<dyn ObjectStore>,
}

/// One region of each provider.
pub(crate) fn regions() -> Vec<Region> {
    KINDS
        .iter()
        .map(|(url, options)| Region::new(&region("a", url, options)))
        .collect()
}

/// A failover store of two regions on S3.
pub(crate) struct Pair {
    pub(crate) clients: [ScriptedClient; 2],
    pub(crate) store: FailoverStore,
}

impl Region {
    fn new(region: &Value) -> Self {
        let client = ScriptedClient::default();
        let config = config_over(json!([region]), std::slice::from_ref(&client));
        let (_, plain) = config.region_stores().unwrap().remove(0);
        Self {
            client,
            store: config.build().unwrap(),
            plain,
        }
    }

    pub(crate) fn respond_with(&self, response: &Response) {
        self.client.respond_with(response);
    }
}

impl Pair {
    pub(crate) fn new() -> Self {
        let clients = [ScriptedClient::default(), ScriptedClient::default()];
        let [(url, options), ..] = KINDS;
        let store = config_over(
            json!([region("a", url, options), region("b", url, options)]),
            &clients,
        )
        .build()
        .unwrap();
        Self { clients, store }
    }
}

/// Collects a listing.
pub(crate) async fn list(
    store: &dyn ObjectStore,
    prefix: &Path,
) -> object_store::Result<Vec<ObjectMeta>> {
    store.list(Some(prefix)).try_collect().await
}

fn region(name: &str, url: &str, options: &str) -> Value {
    let options: Value = serde_json::from_str(options).unwrap();
    json!({"name": name, "url": url, "options": options})
}

/// Each call is independent: no circuit, no retry, regions in order.
fn config_over(regions: Value, clients: &[ScriptedClient]) -> FailoverConfig {
    let mut config: FailoverConfig = serde_json::from_value(json!({
        "regions": regions,
        "breaker": {"enabled": false},
        "retry": {"enabled": false},
        "rotation": {"policy": "nearest", "canary": 0},
        "writes": {"policy": "any", "home": "a"},
    }))
    .unwrap();
    for (region, client) in config.regions.iter_mut().zip(clients) {
        region.connector = Some(Arc::new(client.clone()));
    }
    config
}

const KINDS: [(&str, &str); 4] = [
    (
        "s3://bucket",
        r#"{"region": "us-east-1", "access_key_id": "key", "secret_access_key": "secret"}"#,
    ),
    ("gs://bucket", r#"{"google_bearer_token": "token"}"#),
    (
        "az://bucket",
        r#"{"account_name": "account", "account_key": "a2V5"}"#,
    ),
    ("http://host/bucket", "{}"),
];
