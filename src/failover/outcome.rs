//! What a call has learned so far, and the error that it returns.
//!
//! | how the regions ended | the caller gets |
//! |---|---|
//! | all lack the object | their own `NotFound` or `Precondition`, unchanged |
//! | some lack it, the others failed, refused or were skipped | `Undecided`: it may exist |
//! | all refused, for one reason | that refusal |
//! | nothing was sent | `CircuitsOpen` |
//! | anything else | `AllRegionsFailed` |

use std::sync::Arc;
use std::time::Duration;

use object_store::Error;

use crate::error::{AttemptOutcome, AttemptReports, FailoverError, Failure};
use crate::region::RegionSet;
use crate::types::{FailureClass, Operation, Verdict};

pub(super) struct CallOutcome {
    allowed: RegionSet,
    /// Regions that the caller excluded: they may hold the object.
    avoided: RegionSet,
    /// None while nothing has failed. The first region serves most calls.
    details: Option<Box<CallDetails>>,
}

#[derive(Default)]
struct CallDetails {
    reports: AttemptReports,
    /// Regions without the object.
    without_object: RegionSet,
    /// Those of them whose 404 may be that of another server.
    foreign: RegionSet,
    /// One of them returned a 404, and not only another version.
    not_found: bool,
    /// Their error: a failed precondition rather than a 404, if there was one.
    missing_error: Option<Error>,
    /// Regions that rejected the request, for a reason that is not known to be their fault.
    refused: RegionSet,
    refusals: Vec<(FailureClass, Error)>,
    /// Regions without a connection or response in this round.
    unreached: RegionSet,
    /// At least one failure is transient.
    transient: bool,
    retry_after: Option<Duration>,
    /// A region was skipped because of a limit of this store: its response is unknown.
    own_limit: bool,
}

impl CallOutcome {
    pub(super) fn new(allowed: RegionSet, avoided: RegionSet) -> Self {
        Self {
            allowed,
            avoided,
            details: None,
        }
    }

    pub(super) fn add_report(
        &mut self,
        region: &Arc<str>,
        outcome: AttemptOutcome,
        elapsed: Duration,
    ) {
        let details = self.details();
        details.own_limit |= outcome.is_own_limit();
        details.reports.push(region, outcome, elapsed);
    }

    pub(super) fn record_error(
        &mut self,
        region: usize,
        failure: Failure,
        is_missing: bool,
        error: Error,
    ) {
        let details = self.details();
        if is_missing {
            details.without_object.insert(region);
            details.foreign.set(region, failure.is_foreign);
            details.not_found |= failure.class() == FailureClass::NotFound;
            if details.missing_error.is_none() || failure.class() == FailureClass::Precondition {
                details.missing_error = Some(error);
            }
        } else if failure.verdict() == Verdict::Deferred || failure.is_missing() {
            details.refused.insert(region);
            details.refusals.push((failure.class(), error));
        } else {
            self.record_failure(region, &failure);
        }
    }

    pub(super) fn record_failure(&mut self, region: usize, failure: &Failure) {
        let details = self.details();
        details.transient |= failure.is_transient();
        if failure.is_transport() {
            details.unreached.insert(region);
        }
    }

    /// The call did not wait for a region as long as the region may take.
    pub(super) fn record_own_limit(&mut self) {
        self.details().own_limit = true;
    }

    /// A skipped region may be asked again after this time.
    pub(super) fn may_retry_after(&mut self, time: Duration) {
        let details = self.details();
        details.retry_after = Some(details.retry_after.map_or(time, |known| known.min(time)));
    }

    /// When the first skipped region may be asked again; zero if none was skipped.
    pub(super) fn retry_after(&self) -> Duration {
        self.details
            .as_ref()
            .and_then(|details| details.retry_after)
            .unwrap_or_default()
    }

    pub(super) fn is_retryable(&self) -> bool {
        self.details
            .as_ref()
            .is_some_and(|details| details.transient)
    }

    pub(super) fn any_missing(&self) -> bool {
        !self.missing_regions().is_empty()
    }

    /// At least one region returned a 404.
    pub(super) fn is_missing(&self) -> bool {
        self.details
            .as_ref()
            .is_some_and(|details| details.not_found)
    }

    pub(super) fn is_missing_everywhere(&self) -> bool {
        let (missing, foreign) = (self.missing_regions(), self.foreign_regions());
        // Some real servers mark no 404. Beside a marked one, a 404 without a mark says nothing.
        let agree = foreign.is_empty() || foreign == missing;
        missing == self.allowed && self.avoided.is_empty() && agree
    }

    /// A region that is known to serve the bucket lacks the object.
    fn any_marked(&self) -> bool {
        let foreign = self.foreign_regions();
        !self.missing_regions().without(foreign).is_empty() || foreign == self.allowed
    }

    /// Regions without the object whose 404 may be that of another server.
    fn foreign_regions(&self) -> RegionSet {
        self.details
            .as_ref()
            .map_or_else(RegionSet::default, |details| details.foreign)
    }

    /// Regions without the object.
    pub(super) fn missing_regions(&self) -> RegionSet {
        self.details
            .as_ref()
            .map_or_else(RegionSet::default, |details| details.without_object)
    }

    /// The regions of the next round: those without a response that stands.
    pub(super) fn retry_candidates(&self) -> RegionSet {
        self.details.as_ref().map_or(self.allowed, |details| {
            self.allowed
                .without(details.without_object)
                .without(details.refused)
        })
    }

    pub(super) fn begin_round(&mut self) -> RegionSet {
        if let Some(details) = &mut self.details {
            details.unreached = RegionSet::default();
            details.retry_after = None;
        }
        self.retry_candidates()
    }

    /// None of several regions could be reached.
    pub(super) fn all_unreachable(&self) -> bool {
        self.allowed.len() > 1
            && self
                .details
                .as_ref()
                .is_some_and(|details| details.unreached == self.allowed)
    }

    pub(super) fn into_circuits_open(mut self, operation: Operation, path: String) -> Error {
        let details = self.take();
        let retry_after = details.retry_after.unwrap_or(OVERRIDE_RETRY_AFTER);
        FailoverError::CircuitsOpen {
            operation,
            path,
            retry_after,
            attempts: details.reports,
        }
        .into()
    }

    pub(super) fn into_deadline_error(
        mut self,
        operation: Operation,
        path: String,
        limit: Duration,
        reachable_decide: bool,
    ) -> Error {
        if self.any_missing() {
            return self.into_error(operation, path, reachable_decide);
        }
        FailoverError::DeadlineExceeded {
            operation,
            path,
            limit,
            attempts: self.take().reports,
        }
        .into()
    }

    pub(super) fn into_error(
        mut self,
        operation: Operation,
        path: String,
        reachable_decide: bool,
    ) -> Error {
        // A region that this store did not wait for, or did not ask, was not out of reach.
        let own_limit = self
            .details
            .as_ref()
            .is_some_and(|details| details.own_limit);
        let decided =
            (reachable_decide && !own_limit && self.any_marked()) || self.is_missing_everywhere();
        let CallDetails {
            reports: attempts,
            missing_error,
            refused,
            refusals,
            ..
        } = self.take();
        if let Some(missing_error) = missing_error {
            return if decided {
                missing_error
            } else {
                FailoverError::Undecided {
                    operation,
                    path,
                    attempts,
                }
                .into()
            };
        }
        let all = FailoverError::AllRegionsFailed {
            operation,
            path: path.clone(),
            attempts,
        };
        if refused == self.allowed {
            common_refusal(operation, &refusals, &path, all)
        } else {
            all.into()
        }
    }

    fn details(&mut self) -> &mut CallDetails {
        self.details.get_or_insert_default()
    }

    fn take(&mut self) -> CallDetails {
        self.details
            .take()
            .map_or_else(CallDetails::default, |details| *details)
    }
}

/// The `retry_after` of an error where only an operator's override excludes the regions.
const OVERRIDE_RETRY_AFTER: Duration = Duration::from_secs(30);

/// The error of a call that every region refused in the same way, if object_store has a variant
/// for it. Its source names every region.
///
/// All errors must be of that variant: a 301 beside a missing bucket is no `NotFound`. A put needs
/// no object: its 404 means that the bucket is missing.
fn common_refusal(
    operation: Operation,
    refusals: &[(FailureClass, Error)],
    path: &str,
    all: FailoverError,
) -> Error {
    let every = |is: fn(&Error) -> bool| refusals.iter().all(|(_, error)| is(error));
    let (path, source) = (path.to_owned(), Box::new(all));
    if every(|error| matches!(error, Error::Unauthenticated { .. })) {
        Error::Unauthenticated { path, source }
    } else if refusals
        .iter()
        .all(|(class, _)| *class == FailureClass::Unauthorized)
    {
        // A listing reports its 403 in a generic error.
        Error::PermissionDenied { path, source }
    } else if operation != Operation::Put && every(|error| matches!(error, Error::NotFound { .. }))
    {
        Error::NotFound { path, source }
    } else if every(|error| matches!(error, Error::NotSupported { .. })) {
        Error::NotSupported { source }
    } else {
        (*source).into()
    }
}
