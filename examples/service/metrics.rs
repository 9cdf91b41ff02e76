//! The recorder that the whole process writes to, and what the service itself writes.
//!
//! Instances are processes of their own, so that one recorder is one instance, as it is where they run on machines of their own:
//! Prometheus tells them apart by their targets.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::{counter, describe_counter, describe_histogram, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::clock::{now, pause};
use crate::service::Service;

/// Those of docs/metrics.md: they hold the limits that calls have by default.
const SECONDS: [f64; 16] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0];
/// How often samples are put into their buckets where nobody scrapes; the exporter's own default.
const UPKEEP: Duration = Duration::from_secs(5);

const REQUESTS: &str = "service_http_requests_total";
const DURATION: &str = "service_http_request_duration_seconds";

/// Installs the recorder: before the store is built, so that nothing is missed.
///
/// Histograms must be told their buckets, or the exporter renders summaries, which cannot be added up over instances. There is no idle
/// timeout on purpose: a gauge that vanishes because nothing changed would end an alert in the middle of an outage.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let handle =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_duration_seconds".into()), &SECONDS)?.install_recorder()?;
    describe_counter!(REQUESTS, "Requests that were answered, by route, method and status.");
    describe_histogram!(DURATION, "Time to the headers of an answer, by route.");
    Ok(handle)
}

/// Keeps histograms small while nobody scrapes.
pub(crate) async fn keep(handle: PrometheusHandle) {
    loop {
        pause(UPKEEP).await;
        handle.run_upkeep();
    }
}

pub(crate) async fn scrape(State(service): State<Arc<Service>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], service.metrics.render())
}

/// Counts a request by its route, never by its path: keys have no end.
pub(crate) async fn count(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let method = name(request.method());
    let began = now();
    let response = next.run(request).await;
    histogram!(DURATION, "route" => route.clone()).record(began.elapsed().as_secs_f64());
    counter!(REQUESTS, "route" => route, "method" => method, "status" => response.status().as_str().to_owned()).increment(1);
    response
}

/// A method is whatever a client writes: only the usual ones become labels.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}
