//! Results of attempts and calls for metrics, events and the log. Nothing here decides.

use object_store::{Error, Result};

use crate::error::{FailoverError, Failure};
use crate::event::Events;
use crate::health::Permit;
use crate::metrics::{AttemptResult, RequestResult, RequestTimer};
use crate::runtime::clock::Instant;
use crate::types::FailureClass;

/// Records the failure of an attempt in the events and in its permit. The verdict is brought
/// separately, and may come later.
pub(crate) fn record_failure(
    events: &Events,
    region: usize,
    permit: &mut Permit,
    failure: &Failure,
    now: Instant,
) {
    events.record_error(region, failure);
    permit.record_result(AttemptResult::Failed(failure.class()), now);
}

/// Ends the measurement of a call with its result.
pub(crate) fn finish_request<T>(timer: RequestTimer<'_>, result: Result<T>) -> Result<T> {
    timer.finish(request_result(&result));
    result
}

/// The result of a call, as its caller sees it.
pub(crate) fn request_result<T>(result: &Result<T>) -> RequestResult {
    let Err(error) = result else {
        return RequestResult::Success;
    };
    match error {
        Error::NotFound { .. } => RequestResult::NotFound,
        Error::Precondition { .. } | Error::AlreadyExists { .. } => RequestResult::Precondition,
        Error::NotModified { .. } => RequestResult::NotModified,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => RequestResult::Denied,
        error => match FailoverError::find(error) {
            Some(error) => result_of_failover_error(error),
            None if Failure::of(error).class() == FailureClass::Caller => RequestResult::Rejected,
            None => RequestResult::Error,
        },
    }
}

fn result_of_failover_error(error: &FailoverError) -> RequestResult {
    match error {
        FailoverError::AllRegionsFailed { .. } => RequestResult::AllRegionsFailed,
        FailoverError::CircuitsOpen { .. } => RequestResult::CircuitOpen,
        FailoverError::DeadlineExceeded { .. } => RequestResult::Deadline,
        FailoverError::Undecided { .. } => RequestResult::Undecided,
        FailoverError::Indeterminate { .. } => RequestResult::Indeterminate,
        FailoverError::WritesDisabled { .. }
        | FailoverError::HomeRequired { .. }
        | FailoverError::NoRegionAllowed { .. } => RequestResult::Rejected,
        FailoverError::ReplicaDiverged { .. }
        | FailoverError::BodyLost { .. }
        | FailoverError::ListingLost { .. }
        | FailoverError::ListingOutOfOrder { .. }
        | FailoverError::TornRead { .. } => RequestResult::Error,
    }
}
