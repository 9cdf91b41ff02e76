//! The error of a call that no region served.

use std::time::Duration;

use object_store::Error;

use super::Call;
use crate::error::{AttemptOutcome, Failure, SkipReason};
use crate::failover::config::NotFoundPolicy;
use crate::failover::race::Race;
use crate::request::Request;
use crate::types::FailureClass;

impl<'a, R: Request> Call<'a, R> {
    pub(in crate::failover) fn into_error(mut self) -> Error {
        if self.outcome.any_missing() {
            for region in self.scope.avoided.iter() {
                self.report_skipped(region, SkipReason::Avoided);
            }
        }
        self.report_failure();
        if self.outcome.all_unreachable() {
            self.engine.events.no_region_reachable(self.operation);
        }
        let reachable_decide = self.engine.not_found == NotFoundPolicy::Reachable;
        let path = self.request.target().to_string();
        if self.sent == 0 {
            self.outcome.into_circuits_open(self.operation, path)
        } else {
            self.outcome
                .into_error(self.operation, path, reachable_decide)
        }
    }

    pub(in crate::failover) fn into_deadline_error(
        mut self,
        race: &Race<'a, R::Response>,
    ) -> Error {
        let now = self.now;
        // A write in flight may take effect after the deadline.
        if let Some(attempt) = race.in_flight().next()
            && self.request.retry_safety().may_be_indeterminate()
        {
            let detail = "no response within the deadline of the call";
            let cause = Failure::new(FailureClass::Timeout, detail);
            return self.indeterminate(attempt.region, cause);
        }
        for attempt in race.in_flight() {
            let elapsed = now - attempt.started_at;
            self.outcome.add_report(
                self.name(attempt.region),
                AttemptOutcome::Unanswered,
                elapsed,
            );
        }
        let mut unasked = self.untried;
        for (region, reason) in race.pending_regions() {
            unasked.remove(region);
            self.report_skipped(region, reason);
        }
        for region in unasked.iter() {
            self.report_skipped(region, SkipReason::NotReached);
        }
        self.report_failure();
        let limit = self.deadline - self.started_at;
        let reachable_decide = self.engine.not_found == NotFoundPolicy::Reachable;
        let path = self.request.target().to_string();
        self.outcome
            .into_deadline_error(self.operation, path, limit, reachable_decide)
    }

    pub(super) fn report_skipped(&mut self, region: usize, reason: SkipReason) {
        let outcome = AttemptOutcome::Skipped(reason);
        self.outcome
            .add_report(self.name(region), outcome, Duration::ZERO);
    }
}
