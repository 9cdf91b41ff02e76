//! How it is: for orchestrators, load balancers and people.
//!
//! `/live` says only that the process runs. `/ready` and `/health` say whether its regions can be used, and must never decide whether
//! it lives: an outage of the regions would restart every process of the fleet at once, heal nothing, and throw away what the
//! circuits know.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use object_store_failover::Status;

use crate::service::Service;

pub(crate) async fn live() -> &'static str {
    "alive\n"
}

/// The snapshot; 503 when no region is in use.
pub(crate) async fn health(State(service): State<Arc<Service>>) -> Response {
    let health = service.store.health();
    let status = if health.status == Status::Down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    match serde_json::to_string(&health) {
        Ok(text) => (status, [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
