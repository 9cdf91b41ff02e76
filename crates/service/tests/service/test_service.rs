//! A service whose router is called directly, without a socket.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use failover_service::auth::Token;
use failover_service::demo_servers::{self, DemoServers};
use failover_service::event_log::{self, EventLog};
use failover_service::metrics;
use failover_service::server::StopSignal;
use failover_service::service::{Service, router};
use metrics_exporter_prometheus::PrometheusHandle;
use object_store_failover::{FailoverConfig, FailoverStore};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tower::ServiceExt;

pub const TOKEN: &str = "a-token-of-the-tests";
pub const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-south-1"];
/// Limit that only a failing test reaches.
pub const LONG: Duration = Duration::from_secs(60);

pub struct TestService {
    pub service: Arc<Service>,
    pub stop: watch::Sender<bool>,
}

/// A response with its whole body.
pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl TestService {
    /// Over three demo servers.
    pub async fn demo() -> Self {
        let demo = DemoServers::start(server_runtime()).await.unwrap();
        let document = demo.document();
        Self::over(&document, Some(demo))
    }

    /// Over three demo servers, with trials due after 400 ms.
    pub async fn with_short_open_time() -> Self {
        let demo = DemoServers::start(server_runtime()).await.unwrap();
        let document = demo
            .document()
            .replace("open_for = \"5s\"", "open_for = \"400ms\"");
        assert!(document.contains("400ms"));
        Self::over(&document, Some(demo))
    }

    /// Over the regions of a configuration document.
    pub fn over(document: &str, demo: Option<DemoServers>) -> Self {
        let metrics = recorder();
        let config = FailoverConfig::from_toml(document).unwrap();
        let store: FailoverStore = config.build().unwrap();
        let (stop_sender, stop) = StopSignal::new();
        let events = store.subscribe();
        let service = Arc::new(Service {
            store,
            event_log: EventLog::new(),
            metrics,
            token: Token::new(TOKEN),
            demo,
            instance: 1,
            stop,
        });
        tokio::spawn(event_log::record_events(Arc::clone(&service), events));
        Self {
            service,
            stop: stop_sender,
        }
    }

    /// Sends a request. The body of the response is unread.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> axum::response::Response {
        let request = headers.iter().fold(
            Request::builder().method(method).uri(path),
            |request, (name, value)| request.header(*name, *value),
        );
        let request = request.body(Body::from(body)).unwrap();
        let response = router(Arc::clone(&self.service)).oneshot(request);
        tokio::time::timeout(LONG, response).await.unwrap().unwrap()
    }

    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> TestResponse {
        read_whole(self.send(method, path, headers, "").await).await
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.request("GET", path, &[]).await
    }

    /// Sends an operator request with the token.
    pub async fn post(&self, path: &str) -> TestResponse {
        let authorization = format!("Bearer {TOKEN}");
        self.request("POST", path, &[("authorization", &authorization)])
            .await
    }

    /// One region of `/health`.
    pub async fn region(&self, name: &str) -> Value {
        let health: Value = serde_json::from_slice(&self.get("/health").await.body).unwrap();
        let regions = health["regions"].as_array().unwrap();
        let region = regions.iter().find(|region| region["name"] == name);
        region.unwrap().clone()
    }
}

impl TestResponse {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub async fn read_whole(response: axum::response::Response) -> TestResponse {
    let (parts, body) = response.into_parts();
    let body = tokio::time::timeout(LONG, to_bytes(body, usize::MAX))
        .await
        .unwrap()
        .unwrap();
    TestResponse {
        status: parts.status,
        headers: parts.headers,
        body: body.to_vec(),
    }
}

/// Shared by all tests: a runtime must not be dropped inside another one.
fn server_runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| demo_servers::runtime().unwrap())
}

/// Shared by all tests: a process has one recorder.
fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| metrics::install().unwrap()).clone()
}
