//! Metrics, the page, events, and the end.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::journal::Level;
use crate::server;
use crate::site::{LONG, Site, TOKEN};

#[tokio::test]
async fn metrics_are_what_prometheus_reads_with_real_histograms() {
    let site = Site::embedded().await;
    for key in ["hello.txt", "no/such"] {
        site.get(&format!("/objects/{key}")).await;
    }
    site.ask("BREW", "/objects/hello.txt", &[]).await;
    let scraped = site.get("/metrics").await;
    assert!(scraped.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let series: BTreeSet<_> = scraped.text().lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(series).collect();
    let has = |wanted: &str| assert!(series.contains(wanted), "{wanted} is not in\n{}", scraped.text());
    has("service_http_requests_total{method=\"GET\",route=\"/objects/{*key}\",status=\"200\"}");
    has("service_http_requests_total{method=\"GET\",route=\"/objects/{*key}\",status=\"404\"}");
    has("service_http_requests_total{method=\"other\",route=\"/objects/{*key}\",status=\"405\"}");
    has("object_store_failover_region_admitted{bucket_region=\"us-east-1\",store=\"service\"}");
    has("object_store_failover_requests_total{operation=\"get\",result=\"not_found\",store=\"service\"}");
    has("object_store_failover_request_duration_seconds_bucket{operation=\"get\",store=\"service\",le=\"+Inf\"}");
    has("service_http_request_duration_seconds_bucket{route=\"/objects/{*key}\",le=\"+Inf\"}");
    assert!(!scraped.text().contains("quantile="), "summaries cannot be added up");
    assert!(!scraped.text().contains("hello.txt"), "no label is ever a key");
}

/// The series of a line, its labels in order; the value must be a number.
fn series(line: &str) -> String {
    let (series, value) = line.rsplit_once(' ').unwrap();
    value.parse::<f64>().unwrap_or_else(|error| panic!("{line}: {error}"));
    let Some((name, labels)) = series.split_once('{') else { return series.to_owned() };
    let labels = labels.strip_suffix("\"}").unwrap_or_else(|| panic!("{line}"));
    let mut labels: Vec<_> = labels.split("\",").map(|label| format!("{label}\"")).collect();
    // `le` comes last in the exporter's text, whatever its name.
    labels.sort_by_key(|label| (label.starts_with("le="), label.clone()));
    assert!(labels.iter().all(|label| label.contains("=\"")), "{line}");
    format!("{name}{{{}}}", labels.join(","))
}

#[tokio::test]
async fn the_page_is_whole_in_itself_and_tells_no_secret() {
    let site = Site::embedded().await;
    let (page, again) = (site.get("/").await, site.get("/").await);
    let text = page.text();
    assert!(text.contains("data-actions=\"drain undrain force_open:for"), "the page offers what there is");
    assert!(!text.contains(TOKEN) && !text.contains("@NONCE@") && !text.contains("://"), "a secret, a hole, or something from elsewhere");
    let policy = page.header("content-security-policy").unwrap();
    let nonce = policy.split('\'').find_map(|part| part.strip_prefix("nonce-")).unwrap();
    assert!(text.contains(&format!("<script nonce=\"{nonce}\">")));
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_ne!(Some(policy), again.header("content-security-policy"), "a nonce is used once");
}

#[tokio::test]
async fn events_are_kept_for_those_who_come_later() {
    let site = Site::embedded().await;
    site.post("/regions/us-east-1/drain").await;
    site.post("/regions/us-east-1/undrain").await;
    let all = read(&site, &[], 2).await;
    assert!(
        all.contains("operator: drained\"") && all.contains("operator: no longer drained, undone\"") && all.contains("\"us-east-1\""),
        "{all}"
    );
    let first = all.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    let rest = read(&site, &[("last-event-id", &first)], 1).await;
    assert!(!rest.contains("operator: drained\"") && rest.contains("operator: no longer drained"), "{rest}");
    let of_another_life = read(&site, &[("last-event-id", "another:7")], 2).await;
    assert!(of_another_life.contains("operator: drained\""), "{of_another_life}");
}

#[tokio::test]
async fn a_reader_who_lags_behind_is_told_so() {
    let site = Site::embedded().await;
    let mut events = site.send("GET", "/events", &[], "").await.into_body().into_data_stream();
    for number in 0..1000 {
        site.service.journal.note(Level::Info, None, format!("note {number}"));
    }
    let first = timeout(LONG, events.next()).await.unwrap().unwrap().unwrap();
    let text = String::from_utf8(first.to_vec()).unwrap();
    assert!(text.contains("event: lagged"), "{text}");
}

/// So many events of a stream that does not end.
async fn read(site: &Site, headers: &[(&str, &str)], count: usize) -> String {
    let mut events = site.send("GET", "/events", headers, "").await.into_body().into_data_stream();
    let mut text = String::new();
    while text.matches("\n\n").count() < count {
        text += std::str::from_utf8(&timeout(LONG, events.next()).await.unwrap().unwrap().unwrap()).unwrap();
    }
    text
}

#[tokio::test]
async fn it_lives_and_is_ready_while_a_region_is_in_use() {
    let site = Site::embedded().await;
    for path in ["/live", "/ready", "/health"] {
        assert_eq!(site.get(path).await.status, StatusCode::OK, "{path}");
    }
    for region in crate::site::REGIONS {
        site.post(&format!("/regions/{region}/drain")).await;
    }
    assert_eq!(site.get("/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get("/live").await.status, StatusCode::OK);
}

#[tokio::test]
async fn it_ends_when_asked_to_though_a_page_still_listens() {
    let site = Site::embedded().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(server::serve(listener, Arc::clone(&site.service)));
    let mut page = TcpStream::connect(address).await.unwrap();
    page.write_all(b"GET /events HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    page.read_u8().await.unwrap();
    site.ask.send(true).unwrap();
    timeout(LONG, serving).await.unwrap().unwrap().unwrap();
    timeout(LONG, page.read_to_end(&mut Vec::new())).await.unwrap().unwrap();
}
