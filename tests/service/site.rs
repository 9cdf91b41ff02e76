//! A service to be asked, without a socket: requests go straight into its router.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use object_store_failover::{FailoverConfig, FailoverStore};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tower::ServiceExt;

use crate::guard::Token;
use crate::journal::Journal;
use crate::server::Stop;
use crate::service::{Service, router};
use crate::stage::{Stage, servers_runtime};
use crate::{journal, metrics};

pub const TOKEN: &str = "a-token-of-the-tests";
pub const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-south-1"];
/// Far more than anything here takes; reached only by a test that fails.
pub const LONG: Duration = Duration::from_secs(60);

pub struct Site {
    pub service: Arc<Service>,
    pub ask: watch::Sender<bool>,
}

/// An answer, with its whole body.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Site {
    /// Over three servers of its own.
    pub async fn embedded() -> Self {
        let stage = Stage::build(servers()).await.unwrap();
        let document = stage.document();
        Self::over(&document, Some(stage))
    }

    /// The same, whose circuits are due for a trial soon.
    pub async fn impatient() -> Self {
        let stage = Stage::build(servers()).await.unwrap();
        let document = stage.document().replace("open_for = \"5s\"", "open_for = \"400ms\"");
        assert!(document.contains("400ms"));
        Self::over(&document, Some(stage))
    }

    /// Over regions that are somebody else's.
    pub fn over(document: &str, stage: Option<Stage>) -> Self {
        let metrics = recorder();
        let store: FailoverStore = toml::from_str::<FailoverConfig>(document).unwrap().build().unwrap();
        let (ask, stop) = Stop::new();
        let (events, token) = (store.subscribe(), Token::new(TOKEN));
        let service = Arc::new(Service { store, journal: Journal::new(), metrics, token, stage, instance: 1, stop });
        tokio::spawn(journal::keep(Arc::clone(&service), events));
        Self { service, ask }
    }

    /// The answer as it comes, its body unread.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &'static str) -> axum::response::Response {
        let request =
            headers.iter().fold(Request::builder().method(method).uri(path), |request, (name, value)| request.header(*name, *value));
        let answer = router(Arc::clone(&self.service)).oneshot(request.body(Body::from(body)).unwrap());
        tokio::time::timeout(LONG, answer).await.unwrap().unwrap()
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        whole(self.send(method, path, headers, "").await).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[]).await
    }

    /// As an operator who has the token.
    pub async fn post(&self, path: &str) -> Answer {
        self.ask("POST", path, &[("authorization", &format!("Bearer {TOKEN}"))]).await
    }

    /// The region's part of `/health`.
    pub async fn region(&self, name: &str) -> Value {
        let health: Value = serde_json::from_slice(&self.get("/health").await.body).unwrap();
        health["regions"].as_array().unwrap().iter().find(|region| region["name"] == name).unwrap().clone()
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub async fn whole(answer: axum::response::Response) -> Answer {
    let (parts, body) = answer.into_parts();
    let body = tokio::time::timeout(LONG, to_bytes(body, usize::MAX)).await.unwrap().unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// The bytes of the example's objects.
pub fn bytes(range: std::ops::Range<usize>) -> Vec<u8> {
    range.map(|place| (place % 251) as u8).collect()
}

/// It outlives every test: a runtime must not be dropped within another.
fn servers() -> &'static Runtime {
    static SERVERS: OnceLock<Runtime> = OnceLock::new();
    SERVERS.get_or_init(|| servers_runtime().unwrap())
}

/// A process has one recorder, and this process is many services.
fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| metrics::install().unwrap()).clone()
}
