//! How it is: for orchestrators, load balancers and people.
//!
//! `/live` says only that the process runs. `/ready` and `/health` say whether its regions can be used, and must never decide whether
//! it lives: an outage of the regions would restart every process of the fleet at once, heal nothing, and throw away what the
//! circuits know.
//!
//! `/ready` decides whether requests come, and requests are the trials that close circuits. So it says yes as soon as a trial is due: a
//! gate that waited for a closed circuit would keep the request away that closes it, for ever.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use object_store_failover::{HealthSnapshot, Status};

use crate::service::Service;

pub(crate) async fn live() -> &'static str {
    "alive\n"
}

/// The snapshot; 503 when no region is in use.
pub(crate) async fn health(State(service): State<Arc<Service>>) -> Response {
    let health = service.store.health();
    told(&health, health.status != Status::Down)
}

/// The snapshot; 503 when a read would find nobody: no circuit is closed, and no trial is due. What an operator has taken out does not
/// count.
pub(crate) async fn ready(State(service): State<Arc<Service>>) -> Response {
    let health = service.store.health();
    told(&health, health.regions.iter().any(|region| region.read.admits))
}

fn told(health: &HealthSnapshot, is_well: bool) -> Response {
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match serde_json::to_string(health) {
        Ok(text) => (status, [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
