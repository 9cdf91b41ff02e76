//! What a client is told when there is no object for it. Addresses and requests of the regions stay with us.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use object_store::Error;
use object_store::path::Path;
use object_store_failover::FailoverError;

/// Early probes find a region that is back within this time.
const SOON: Duration = Duration::from_secs(1);

/// The answer to an error.
pub(crate) fn refuse(key: &Path, error: &Error) -> Response {
    // The story has keys and addresses in it, so it is nothing for the log of every day.
    tracing::trace!(%key, %error, "not served");
    if let Some(story) = FailoverError::find(error) {
        return unserved(story);
    }
    match error {
        Error::NotFound { .. } => say(StatusCode::NOT_FOUND, "no such object"),
        Error::NotModified { .. } => StatusCode::NOT_MODIFIED.into_response(),
        Error::Precondition { .. } => say(StatusCode::PRECONDITION_FAILED, "the object is not the version that was asked for"),
        Error::InvalidPath { .. } => say(StatusCode::BAD_REQUEST, "this is no key"),
        Error::NotSupported { .. } | Error::NotImplemented { .. } => say(StatusCode::NOT_IMPLEMENTED, "the regions cannot do this"),
        // Ours, not the client's: the credentials of this service are refused everywhere.
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => say(StatusCode::BAD_GATEWAY, "the regions refuse this service"),
        _ => say(StatusCode::BAD_GATEWAY, "the regions could not make sense of this request"),
    }
}

fn unserved(story: &FailoverError) -> Response {
    match story {
        FailoverError::CircuitsOpen { retry_after, .. } => later(*retry_after, "no region admits a request now"),
        FailoverError::AllRegionsFailed { .. } => later(SOON, "no region could serve this"),
        FailoverError::DeadlineExceeded { .. } => later(SOON, "no region has served this in time"),
        FailoverError::Undecided { .. } => later(SOON, "some regions do not have this object, and the others cannot tell"),
        _ => say(StatusCode::BAD_GATEWAY, "the regions do not agree about this object"),
    }
}

/// Whole seconds are all that the header can say; less than one would be none.
fn later(wait: Duration, why: &'static str) -> Response {
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, format!("{seconds:.0}"))], format!("{why}; try again later\n")).into_response()
}

/// A status with its reason, as text.
pub(crate) fn say(status: StatusCode, why: &str) -> Response {
    (status, format!("{why}\n")).into_response()
}
