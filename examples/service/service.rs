//! What every handler needs, and which handler answers what.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use object_store_failover::FailoverStore;

use crate::guard::Token;
use crate::journal::Journal;
use crate::server::Stop;
use crate::stage::Stage;
use crate::{events, health, metrics, objects, operator, page};

/// A form with a token and a time is far below.
const LARGEST_FORM: usize = 4096;

pub(crate) struct Service {
    pub(crate) store: FailoverStore,
    pub(crate) journal: Journal,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) token: Token,
    /// Servers that the page may break; None over regions that are not ours.
    pub(crate) stage: Option<Stage>,
    /// Counted from 1.
    pub(crate) instance: u16,
    pub(crate) stop: Stop,
}

pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/objects/{*key}", get(objects::get))
        .route("/metrics", get(metrics::scrape))
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .route("/health", get(health::health))
        .route("/events", get(events::events))
        .route("/regions/{region}/{action}", post(operator::act).layer(DefaultBodyLimit::max(LARGEST_FORM)))
        .route_layer(middleware::from_fn(metrics::count))
        .with_state(service)
}
