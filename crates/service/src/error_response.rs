//! Status codes and texts for failed reads. Endpoints and keys of the regions are not sent.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use object_store::Error;
use object_store::path::Path;
use object_store_failover::FailoverError;

/// `Retry-After` of most failures: last-resort attempts detect a recovered region within this time.
const RETRY_SOON: Duration = Duration::from_secs(1);

/// The response to an error of the store.
pub fn error_response(key: &Path, error: &Error) -> Response {
    // At TRACE only: the error has the key and the regions' endpoints.
    tracing::trace!(%key, %error, "read failed");
    if let Some(error) = FailoverError::find(error) {
        return failover_response(error);
    }
    match error {
        Error::NotFound { .. } => text_response(StatusCode::NOT_FOUND, "not found"),
        Error::NotModified { .. } => StatusCode::NOT_MODIFIED.into_response(),
        Error::Precondition { .. } => text_response(
            StatusCode::PRECONDITION_FAILED,
            "the object has another version than the condition requires",
        ),
        Error::InvalidPath { .. } => text_response(StatusCode::BAD_REQUEST, "invalid key"),
        Error::NotSupported { .. } | Error::NotImplemented { .. } => text_response(
            StatusCode::NOT_IMPLEMENTED,
            "the regions do not support this operation",
        ),
        // 502 and not 403: the regions reject the service's credentials, not the client's.
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => text_response(
            StatusCode::BAD_GATEWAY,
            "the regions reject this service's credentials",
        ),
        _ => text_response(StatusCode::BAD_GATEWAY, "the regions reject this request"),
    }
}

fn failover_response(error: &FailoverError) -> Response {
    match error {
        FailoverError::CircuitsOpen { retry_after, .. } => {
            unavailable(*retry_after, "no region admits requests")
        }
        FailoverError::AllRegionsFailed { .. } => unavailable(RETRY_SOON, "all regions failed"),
        FailoverError::DeadlineExceeded { .. } => unavailable(RETRY_SOON, "deadline exceeded"),
        FailoverError::Undecided { .. } => unavailable(
            RETRY_SOON,
            "not found in some regions and no response from the others",
        ),
        _ => text_response(
            StatusCode::BAD_GATEWAY,
            "the regions disagree about this object",
        ),
    }
}

/// 503 with `Retry-After`. The header holds whole seconds: rounded up, at least 1.
fn unavailable(retry_after: Duration, reason: &'static str) -> Response {
    let seconds = retry_after.as_secs_f64().ceil().max(1.0);
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(RETRY_AFTER, format!("{seconds:.0}"))],
        format!("{reason}; retry later\n"),
    )
        .into_response()
}

/// A status with its reason as text.
pub fn text_response(status: StatusCode, reason: &str) -> Response {
    (status, format!("{reason}\n")).into_response()
}
