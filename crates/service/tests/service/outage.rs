//! Outages of one region and of all regions.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use failover_service::demo_servers::ServerAction;
use futures::StreamExt;
use tokio::time::{sleep, timeout};

use crate::objects::content;
use crate::test_service::{LONG, REGIONS, TestResponse, TestService};

const LARGE_BYTES: usize = 8 * 1024 * 1024;

impl TestService {
    fn apply(&self, region: &str, action: ServerAction) {
        let demo = self.service.demo.as_ref().unwrap();
        assert!(demo.apply(region, action));
    }

    fn apply_to_all(&self, action: ServerAction) {
        for region in REGIONS {
            self.apply(region, action);
        }
    }

    /// Polls until the path has this status.
    async fn wait_for(&self, path: &str, status: StatusCode) {
        let reached = async {
            while self.get(path).await.status != status {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LONG, reached).await.unwrap();
    }
}

#[tokio::test]
async fn body_is_streamed_and_survives_its_region() {
    let service = TestService::demo().await;
    let response = service.send("GET", "/objects/large.bin", &[], "").await;
    let region = response.headers()["x-served-by"]
        .to_str()
        .unwrap()
        .to_owned();
    let mut body = response.into_body().into_data_stream();
    let mut read = body.next().await.unwrap().unwrap().to_vec();
    assert!(
        read.len() < LARGE_BYTES / 2,
        "{} bytes at once: the body was buffered",
        read.len()
    );
    service.apply(&region, ServerAction::Kill);
    while let Some(chunk) = timeout(LONG, body.next()).await.unwrap() {
        read.extend_from_slice(&chunk.unwrap());
    }
    assert!(
        read == content(0..LARGE_BYTES),
        "wrong content or length: {} bytes",
        read.len()
    );
}

#[tokio::test]
async fn outage_of_all_regions_is_503_with_retry_after() {
    let service = TestService::demo().await;
    service.apply_to_all(ServerAction::Kill);
    let mut responses = Vec::new();
    // Until every circuit is open, and at least 20.
    while service.get("/ready").await.status == StatusCode::OK || responses.len() < 20 {
        responses.push(service.get("/objects/hello.txt").await);
        assert!(responses.len() < 1000, "the circuits stay closed");
    }
    for response in &responses {
        assert_unavailable(response);
        assert!(
            !response.text().contains("127.0.0.1") && !response.text().contains("hello.txt"),
            "{}",
            response.text()
        );
    }
    assert!(
        responses
            .iter()
            .any(|response| response.text().contains("admits")),
        "no request was rejected by an open circuit"
    );
    let range = [("range", "bytes=0-1")];
    assert_unavailable(&service.request("GET", "/objects/hello.txt", &range).await);
    assert_eq!(service.get("/live").await.status, StatusCode::OK);
    assert_eq!(
        service.get("/health").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(service.region(REGIONS[0]).await["read"]["state"], "open");
    let head = service.request("HEAD", "/objects/hello.txt", &[]).await;
    assert_eq!(head.status, StatusCode::SERVICE_UNAVAILABLE);

    service.apply_to_all(ServerAction::Revive);
    service.wait_for("/objects/hello.txt", StatusCode::OK).await;
}

/// Without limits an outage adds seven entries a second and pushes out its own start.
#[tokio::test]
async fn event_log_keeps_the_start_of_an_outage() {
    let service = TestService::demo().await;
    service.apply_to_all(ServerAction::Kill);
    let started_at = Instant::now();
    // Long enough for all circuits to open and for some last-resort attempts.
    while started_at.elapsed() < Duration::from_millis(3_500) {
        service.get("/objects/hello.txt").await;
        sleep(Duration::from_millis(20)).await;
    }
    let (entries, _) = service.service.event_log.entries_after(0);
    let texts: Vec<_> = entries
        .iter()
        .map(|entry| serde_json::to_value(&**entry).unwrap()["text"].to_string())
        .collect();
    let count = |part: &str| texts.iter().filter(|text| text.contains(part)).count();
    assert_eq!(count("read circuit open: 5 "), 3, "{texts:?}");
    assert_eq!(count("no region reachable"), 1, "{texts:?}");
    // No entry of a last-resort attempt.
    let known = ["circuit open: 5 ", "no region reachable", "region failing"];
    assert!(
        texts
            .iter()
            .all(|text| known.iter().any(|part| text.contains(part))),
        "{texts:?}"
    );
}

/// Without requests no circuit closes, and a load balancer sends none to an instance that is not
/// ready.
#[tokio::test]
async fn service_without_requests_becomes_ready_again() {
    let service = TestService::with_short_open_time().await;
    service.apply_to_all(ServerAction::Kill);
    while service.get("/ready").await.status == StatusCode::OK {
        service.get("/objects/hello.txt").await;
    }
    service.apply_to_all(ServerAction::Revive);
    service.wait_for("/ready", StatusCode::OK).await;
    assert_eq!(
        service.get("/health").await.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "no circuit is closed yet"
    );
    for region in REGIONS {
        service.post(&format!("/regions/{region}/drain")).await;
    }
    assert_eq!(
        service.get("/ready").await.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "a drained region admits no trial"
    );
    for region in REGIONS {
        service.post(&format!("/regions/{region}/undrain")).await;
    }
    // The following requests are the trials.
    let healthy = async {
        while service.get("/health").await.status != StatusCode::OK {
            let read = service.get("/objects/hello.txt").await;
            assert_eq!(read.status, StatusCode::OK);
        }
    };
    timeout(LONG, healthy).await.unwrap();
}

#[tokio::test]
async fn undecided_key_is_503_and_not_404() {
    let service = TestService::demo().await;
    for region in &REGIONS[1..] {
        service.apply(region, ServerAction::Kill);
    }
    for _ in 0..8 {
        assert_unavailable(&service.get("/objects/no/such").await);
    }
    assert_eq!(
        service.get("/objects/hello.txt").await.status,
        StatusCode::OK
    );
    assert_eq!(
        service.get("/ready").await.status,
        StatusCode::OK,
        "one region is enough"
    );
}

fn assert_unavailable(response: &TestResponse) {
    assert_eq!(
        response.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        response.text()
    );
    let seconds: u64 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}
