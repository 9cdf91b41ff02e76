//! Reports of one call: failovers, retries, missing keys. Nothing here decides.

use std::time::Duration;

use super::Call;
use crate::error::Failure;
use crate::failover::config::NotFoundPolicy;
use crate::failover::hedge::Hedge;
use crate::failover::record_failure;
use crate::health::Permit;
use crate::metrics::NotFoundClass;
use crate::request::Request;
use crate::types::FailureClass;

/// The failure that the next attempt moves on from.
#[derive(Debug, Default)]
pub(super) struct FailoverTrace {
    failed: Option<(usize, FailureClass)>,
}

impl FailoverTrace {
    pub(super) fn on_failure(&mut self, from: usize, class: FailureClass) {
        if class.causes_failover() {
            self.failed = Some((from, class));
        }
    }
}

impl<R: Request> Call<'_, R> {
    /// Records the failure of an attempt in events, metrics and the budget of its hedge.
    pub(super) fn record_failure(
        &mut self,
        region: usize,
        permit: &mut Permit,
        hedge: Option<Hedge>,
        failure: &Failure,
    ) {
        record_failure(&self.engine.events, region, permit, failure, self.now);
        self.trace.on_failure(region, failure.class());
        if failure.class().is_failing() {
            hedge.into_iter().for_each(Hedge::failed);
        }
    }

    /// An attempt on region `to` has been sent.
    pub(super) fn report_failover(&mut self, to: usize) {
        if let Some((from, reason)) = self.trace.failed.take().filter(|(from, _)| *from != to) {
            self.engine.metrics.on_failover(from, to, reason);
            self.engine
                .events
                .log_failover(self.operation, from, to, reason);
        }
    }

    /// Another round begins after `delay`: a retry, not a failover.
    pub(super) fn report_retry(&mut self, delay: Duration) {
        self.trace.failed = None;
        self.engine.metrics.on_retry(self.operation, self.round - 1);
        self.engine
            .events
            .log_retry(self.operation, self.round - 1, delay);
    }

    /// A region served the request.
    pub(super) fn report_success(&self) {
        if self.round > 1 {
            self.engine.metrics.on_retry_served();
        }
        let lagging = self.outcome.missing_regions();
        lagging
            .iter()
            .for_each(|region| self.engine.metrics.on_lagging(region));
        if self.outcome.is_missing() {
            self.report_not_found(NotFoundClass::Lagging);
        }
    }

    /// The response of one region ends the call.
    pub(super) fn report_final_response(&self, failure: &Failure) {
        if failure.class() == FailureClass::NotFound {
            self.report_not_found(if failure.is_delete_marker() {
                NotFoundClass::Deleted
            } else {
                NotFoundClass::Missing
            });
        }
    }

    /// No region served the request.
    pub(super) fn report_failure(&self) {
        if self.outcome.is_missing() {
            let decided = self.engine.not_found == NotFoundPolicy::Reachable
                || self.outcome.is_missing_everywhere();
            self.report_not_found(if decided {
                NotFoundClass::Missing
            } else {
                NotFoundClass::Undecided
            });
        }
    }

    /// The rest of a previously_failed response is no request of its own.
    fn report_not_found(&self, class: NotFoundClass) {
        if self.previously_failed.is_empty() {
            self.engine.metrics.on_not_found(class);
        }
    }
}
