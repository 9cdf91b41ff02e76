//! Classify: what the error of an attempt means, what it says about its region, and whether it is
//! the response to the caller.

use object_store::Error;

use super::Call;
use crate::error::Failure;
use crate::failover::attempt::Attempt;
use crate::failover::config::NotFoundPolicy;
use crate::request::{OnMissing, Request};
use crate::types::{FailureClass, Operation, Verdict};

impl<R: Request> Call<'_, R> {
    /// What the error of an attempt means.
    pub(in crate::failover) fn classify(&self, attempt: &Attempt, error: &Error) -> Failure {
        let region = self.engine.regions.get(attempt.region);
        let mut failure = Failure::classify(error, attempt.evidence()).in_flavor(region.flavor);
        // A HEAD has no code. Some servers send no request id either.
        let is_proven_head = self.operation == Operation::Head && region.is_bucket_proven(self.now);
        failure.is_foreign = attempt.has_identity
            && attempt.recorder.is_some()
            && failure.class() == FailureClass::NotFound
            && !failure.is_marked()
            && !is_proven_head;
        // No read creates anything: another region may serve it.
        if !self.operation.is_write() && matches!(error, Error::AlreadyExists { .. }) {
            return failure.reclassify(FailureClass::Caller, FailureClass::Misconfigured);
        }
        failure
    }

    /// What the failure says about its region, for this request.
    pub(super) fn verdict(&self, failure: &Failure) -> Verdict {
        // A listing has no missing object: a 404 means that the bucket is missing.
        if failure.class() == FailureClass::NotFound
            && self.request.on_missing() == OnMissing::Misconfigured
        {
            return Verdict::Deferred;
        }
        failure.verdict()
    }

    /// The response of this region is the caller's, whatever other regions would say.
    pub(super) fn is_final(&self, region: usize, failure: &Failure) -> bool {
        // The rest of a response names its version and was accepted before: no refusal of it is
        // the caller's mistake, and the version is served where it still exists.
        if self.is_resume() {
            return false;
        }
        if failure.is_final() {
            return true;
        }
        // Another server at that address does not know the objects of the bucket.
        if failure.is_foreign {
            return false;
        }
        match self.request.on_missing() {
            OnMissing::Final => failure.is_missing(),
            OnMissing::SearchAll | OnMissing::TryNext => {
                failure.is_missing() && self.is_missing_everywhere(region, failure)
            }
            // The condition of a write failed.
            OnMissing::Misconfigured => failure.class() == FailureClass::Precondition,
        }
    }

    /// No other region can know better than this one that the object does not exist: home, where
    /// writes go only there, or a region with a delete marker, if it is home or no home is named.
    fn is_missing_everywhere(&self, region: usize, failure: &Failure) -> bool {
        let is_deleted =
            failure.is_delete_marker() && self.engine.home.is_none_or(|home| home == region);
        is_deleted
            || self.engine.authority == Some(region)
            || self.scope.home == Some(region)
            || self.engine.not_found == NotFoundPolicy::First
    }

    /// The call continues a response that broke.
    fn is_resume(&self) -> bool {
        !self.previously_failed.is_empty()
    }
}
