//! Metrics, the page, events, health checks, and shutdown.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;
use failover_service::event_log::Level;
use failover_service::server;
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::test_service::{LONG, REGIONS, TOKEN, TestService};

#[tokio::test]
async fn metrics_are_prometheus_text_with_histograms() {
    let service = TestService::demo().await;
    for key in ["hello.txt", "no/such"] {
        service.get(&format!("/objects/{key}")).await;
    }
    service.request("BREW", "/objects/hello.txt", &[]).await;
    let metrics = service.get("/metrics").await;
    let content_type = metrics.header("content-type").unwrap();
    assert!(content_type.starts_with("text/plain; version=0.0.4"));
    let series: BTreeSet<_> = metrics
        .text()
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(parse_series)
        .collect();
    for expected in [
        "service_http_requests_total{method=\"GET\",route=\"/objects/{*key}\",status=\"200\"}",
        "service_http_requests_total{method=\"GET\",route=\"/objects/{*key}\",status=\"404\"}",
        "service_http_requests_total{method=\"other\",route=\"/objects/{*key}\",status=\"405\"}",
        "service_http_request_duration_seconds_bucket{route=\"/objects/{*key}\",le=\"+Inf\"}",
        "object_store_failover_region_admitted{bucket_region=\"us-east-1\",store=\"service\"}",
        "object_store_failover_requests_total\
         {operation=\"get\",result=\"not_found\",store=\"service\"}",
        "object_store_failover_request_duration_seconds_bucket\
         {operation=\"get\",store=\"service\",le=\"+Inf\"}",
    ] {
        assert!(
            series.contains(expected),
            "{expected} is not in\n{}",
            metrics.text()
        );
    }
    assert!(
        !metrics.text().contains("quantile="),
        "summaries cannot be aggregated"
    );
    assert!(
        !metrics.text().contains("hello.txt"),
        "a label contains a key"
    );
}

/// The series of a line with sorted labels. Fails if the value is not a number.
fn parse_series(line: &str) -> String {
    let (series, value) = line.rsplit_once(' ').unwrap();
    value
        .parse::<f64>()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let Some((name, labels)) = series.split_once('{') else {
        return series.to_owned();
    };
    let labels = labels
        .strip_suffix("\"}")
        .unwrap_or_else(|| panic!("{line}"));
    let mut labels: Vec<_> = labels
        .split("\",")
        .map(|label| format!("{label}\""))
        .collect();
    // The exporter writes `le` last.
    labels.sort_by_key(|label| (label.starts_with("le="), label.clone()));
    assert!(labels.iter().all(|label| label.contains("=\"")), "{line}");
    format!("{name}{{{}}}", labels.join(","))
}

#[tokio::test]
async fn page_is_self_contained_and_without_secrets() {
    let service = TestService::demo().await;
    let (page, second) = (service.get("/").await, service.get("/").await);
    let text = page.text();
    assert!(
        text.contains("data-actions=\"drain undrain force_open:for"),
        "the page does not have the actions"
    );
    for placeholder in [
        "@STYLE@",
        "@SCRIPT@",
        "@NONCE@",
        "@ACTIONS@",
        "@BREAKS@",
        "@INSTANCE@",
    ] {
        assert!(!text.contains(placeholder), "{placeholder}");
    }
    assert!(
        !text.contains(TOKEN) && !text.contains("://"),
        "a secret, or an external resource"
    );
    let policy = page.header("content-security-policy").unwrap();
    let nonce = policy
        .split('\'')
        .find_map(|part| part.strip_prefix("nonce-"))
        .unwrap();
    assert!(text.contains(&format!("<script nonce=\"{nonce}\">")));
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_ne!(
        Some(policy),
        second.header("content-security-policy"),
        "the nonce was used twice"
    );
}

#[tokio::test]
async fn events_are_stored_for_later_clients() {
    let service = TestService::demo().await;
    service.post("/regions/us-east-1/drain").await;
    service.post("/regions/us-east-1/undrain").await;
    let all = read_events(&service, &[], 2).await;
    assert!(
        all.contains("override set: drained\"")
            && all.contains("override ended: drained\"")
            && all.contains("\"us-east-1\""),
        "{all}"
    );
    let first_id = all
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap()
        .to_owned();
    let rest = read_events(&service, &[("last-event-id", &first_id)], 1).await;
    assert!(
        !rest.contains("override set: drained\"") && rest.contains("override ended: drained"),
        "{rest}"
    );
    // The id of another run is ignored.
    let all = read_events(&service, &[("last-event-id", "another:7")], 2).await;
    assert!(all.contains("override set: drained\""), "{all}");
}

#[tokio::test]
async fn demo_server_actions_are_logged() {
    let service = TestService::demo().await;
    for action in ["kill", "revive", "hang", "revive"] {
        service.post(&format!("/regions/us-east-1/{action}")).await;
    }
    let events = read_events(&service, &[], 4).await;
    for text in ["killed", "hung", "revived"] {
        let text = format!("\"demo server {text}\"");
        assert!(events.contains(&text), "{text} is not in {events}");
    }
}

#[tokio::test]
async fn slow_event_reader_gets_the_number_missed() {
    let service = TestService::demo().await;
    let mut events = service
        .send("GET", "/events", &[], "")
        .await
        .into_body()
        .into_data_stream();
    for number in 0..1000 {
        let text = format!("entry {number}");
        service.service.event_log.push(Level::Info, None, text);
    }
    let first = timeout(LONG, events.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let text = String::from_utf8(first.to_vec()).unwrap();
    assert!(text.contains("event: lagged"), "{text}");
}

/// The first `count` events of the stream.
async fn read_events(service: &TestService, headers: &[(&str, &str)], count: usize) -> String {
    let mut events = service
        .send("GET", "/events", headers, "")
        .await
        .into_body()
        .into_data_stream();
    let mut text = String::new();
    while text.matches("\n\n").count() < count {
        let chunk = timeout(LONG, events.next()).await.unwrap().unwrap();
        text += std::str::from_utf8(&chunk.unwrap()).unwrap();
    }
    text
}

#[tokio::test]
async fn service_is_not_ready_when_all_regions_are_drained() {
    let service = TestService::demo().await;
    for path in ["/live", "/ready", "/health"] {
        assert_eq!(service.get(path).await.status, StatusCode::OK, "{path}");
    }
    for region in REGIONS {
        service.post(&format!("/regions/{region}/drain")).await;
    }
    assert_eq!(
        service.get("/ready").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(service.get("/live").await.status, StatusCode::OK);
}

#[tokio::test]
async fn shutdown_ends_open_event_streams() {
    let service = TestService::demo().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(server::serve(listener, Arc::clone(&service.service)));
    let mut client = TcpStream::connect(address).await.unwrap();
    client
        .write_all(b"GET /events HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    client.read_u8().await.unwrap();
    service.stop.send(true).unwrap();
    timeout(LONG, server).await.unwrap().unwrap().unwrap();
    timeout(LONG, client.read_to_end(&mut Vec::new()))
        .await
        .unwrap()
        .unwrap();
}
