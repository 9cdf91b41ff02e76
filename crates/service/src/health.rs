//! `/live`, `/ready` and `/health`, for orchestrators, load balancers and people.
//!
//! `/live` reports only that the process runs. `/ready` and `/health` report whether regions can be
//! used and must not be liveness checks: an outage of the regions would restart every process at
//! once, repair nothing, and discard the state of the circuits.
//!
//! `/ready` is 200 as soon as a trial is due. Requests are the trials that close circuits, so a
//! load balancer that waited for a closed circuit would withhold the requests that close it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use object_store_failover::HealthSnapshot;
use object_store_failover::health::StoreStatus;

use crate::service::Service;

pub async fn live() -> &'static str {
    "alive\n"
}

/// The snapshot; 503 when no region is in use.
pub async fn health(State(service): State<Arc<Service>>) -> Response {
    let snapshot = service.store.health();
    respond(&snapshot, snapshot.status != StoreStatus::Down)
}

/// The snapshot; 503 when no region would admit a read: no circuit is closed and no trial is due.
/// Regions that an override excludes do not count.
pub async fn ready(State(service): State<Arc<Service>>) -> Response {
    let snapshot = service.store.health();
    let admits = snapshot.regions.iter().any(|region| region.read.admits);
    respond(&snapshot, admits)
}

fn respond(snapshot: &HealthSnapshot, is_ok: bool) -> Response {
    let status = if is_ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    match serde_json::to_string(snapshot) {
        Ok(text) => (status, headers, text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
