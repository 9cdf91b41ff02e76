//! Regions of every provider, built from documents, whose clients have no network: what they answer is written down beforehand.
//!
//! So any status, header and body reaches the real clients of object_store, and what this crate puts under them.

use std::sync::Arc;

use async_trait::async_trait;
use futures::TryStreamExt;
use http::HeaderMap;
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectMeta, ObjectStore};
use object_store_failover::{FailoverConfig, FailoverStore};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::answer::Answer;

/// What one region answers to every request, and the requests that came.
#[derive(Debug, Clone)]
pub struct Script(Arc<Mutex<Played>>);

#[derive(Debug)]
struct Played {
    answer: Answer,
    requests: Vec<(String, HeaderMap)>,
}

impl Default for Script {
    /// Lacks everything.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Played { answer: Answer::parse(b"404\n\n"), requests: Vec::new() })))
    }
}

impl Script {
    /// Answers so from now on.
    pub fn play(&self, answer: &Answer) {
        *self.0.lock() = Played { answer: answer.clone(), requests: Vec::new() };
    }

    /// The targets and headers of the requests since.
    pub fn requests(&self) -> Vec<(String, HeaderMap)> {
        self.0.lock().requests.clone()
    }
}

impl HttpConnector for Script {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Script {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut played = self.0.lock();
        played.requests.push((request.uri().to_string(), request.headers().clone()));
        let Answer { status, headers, body } = played.answer.clone();
        let has_body = request.method() != http::Method::HEAD;
        let mut response = HttpResponse::new(if has_body { body.into() } else { Vec::new().into() });
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}

/// A store of one region, and the same region as object_store has it.
pub struct Region {
    pub script: Script,
    pub store: FailoverStore,
    pub plain: Arc<dyn ObjectStore>,
}

/// A region of each provider.
pub fn regions() -> Vec<Region> {
    KINDS.iter().map(|(url, options)| Region::new(&region("a", url, options))).collect()
}

/// Two regions on S3.
pub struct Pair {
    pub scripts: [Script; 2],
    pub store: FailoverStore,
}

impl Region {
    fn new(region: &Value) -> Self {
        let script = Script::default();
        let config = over(json!([region]), std::slice::from_ref(&script));
        let (_, plain) = config.region_stores().unwrap().remove(0);
        Self { script, store: config.build().unwrap(), plain }
    }

    pub fn play(&self, answer: &Answer) {
        self.script.play(answer);
    }
}

impl Pair {
    pub fn new() -> Self {
        let scripts = [Script::default(), Script::default()];
        let [(url, options), ..] = KINDS;
        let store = over(json!([region("a", url, options), region("b", url, options)]), &scripts).build().unwrap();
        Self { scripts, store }
    }
}

/// All that a listing has, or why it ends.
pub async fn list(store: &dyn ObjectStore, prefix: &Path) -> object_store::Result<Vec<ObjectMeta>> {
    store.list(Some(prefix)).try_collect().await
}

fn region(name: &str, url: &str, options: &str) -> Value {
    let options: Value = serde_json::from_str(options).unwrap();
    json!({"name": name, "url": url, "options": options})
}

/// Every call is judged for itself: no circuit, no second round, regions in order.
fn over(regions: Value, scripts: &[Script]) -> FailoverConfig {
    let mut config: FailoverConfig = serde_json::from_value(json!({
        "regions": regions,
        "breaker": {"enabled": false},
        "retry": {"enabled": false},
        "rotation": {"policy": "nearest", "canary": 0},
        "writes": {"policy": "any", "home": "a"},
    }))
    .unwrap();
    for (region, script) in config.regions.iter_mut().zip(scripts) {
        region.connector = Some(Arc::new(script.clone()));
    }
    config
}

const KINDS: [(&str, &str); 4] = [
    ("s3://bucket", r#"{"region": "us-east-1", "access_key_id": "key", "secret_access_key": "secret"}"#),
    ("gs://bucket", r#"{"google_bearer_token": "token"}"#),
    ("az://bucket", r#"{"account_name": "account", "account_key": "a2V5"}"#),
    ("http://host/bucket", "{}"),
];
