//! The Prometheus recorder of the process, and the service's own metrics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::{counter, describe_counter, describe_histogram, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::service::Service;

/// Histogram buckets of docs/metrics.md: they contain the default timeouts of the calls.
const BUCKETS: [f64; 16] = [
    0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0,
];
/// Interval of the upkeep; the exporter's own default.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

const REQUESTS: &str = "service_http_requests_total";
const DURATION: &str = "service_http_request_duration_seconds";

/// Installs the recorder. Call it before building the store.
///
/// Without explicit buckets the exporter renders summaries, which cannot be aggregated over
/// instances. There is no idle timeout: it would remove a gauge that does not change, and with it
/// an alert in the middle of an outage.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".into()), &BUCKETS)?
        .install_recorder()?;
    describe_counter!(REQUESTS, "HTTP responses by route, method and status.");
    describe_histogram!(DURATION, "Time to the response headers, by route.");
    Ok(handle)
}

/// Moves samples into their buckets periodically: without scrapes they would accumulate.
pub async fn run_upkeep(handle: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP_INTERVAL).await;
        handle.run_upkeep();
    }
}

pub async fn scrape(State(service): State<Arc<Service>>) -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        service.metrics.render(),
    )
}

/// Middleware: records a request by its route and not by its path, which has unbounded cardinality.
pub async fn record_request(request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let method = method_label(request.method());
    let started_at = Instant::now();
    let response = next.run(request).await;
    let elapsed = started_at.elapsed().as_secs_f64();
    let status = response.status().as_str().to_owned();
    histogram!(DURATION, "route" => route.clone()).record(elapsed);
    counter!(REQUESTS, "route" => route, "method" => method, "status" => status).increment(1);
    response
}

/// Clients may send any method: all but the usual ones share a label.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}
