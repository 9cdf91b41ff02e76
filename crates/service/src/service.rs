//! State shared by the handlers, and the routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use object_store_failover::FailoverStore;

use crate::auth::Token;
use crate::demo_servers::DemoServers;
use crate::event_log::EventLog;
use crate::server::StopSignal;
use crate::{events, health, metrics, objects, operator, page};

/// Body limit of an action: a form with a token and a duration is far smaller.
const MAX_FORM_BYTES: usize = 4096;

#[derive(Debug)]
pub struct Service {
    pub store: FailoverStore,
    pub event_log: EventLog,
    pub metrics: PrometheusHandle,
    pub token: Token,
    /// None over real regions, and in all instances but the first.
    pub demo: Option<DemoServers>,
    /// Counted from 1.
    pub instance: u16,
    pub stop: StopSignal,
}

pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/objects/{*key}", get(objects::get))
        .route("/metrics", get(metrics::scrape))
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .route("/health", get(health::health))
        .route("/events", get(events::events))
        .route(
            "/regions/{region}/{action}",
            post(operator::act).layer(DefaultBodyLimit::max(MAX_FORM_BYTES)),
        )
        .route_layer(middleware::from_fn(metrics::record_request))
        .with_state(service)
}
