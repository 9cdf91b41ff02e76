//! Further rounds: whether there is one, when it begins, and the plan that it follows.

use std::time::Duration;

use super::{Call, Stage};
use crate::failover::config::NotFoundPolicy;
use crate::plan::Plan;
use crate::region::RegionSet;
use crate::request::{OnMissing, Request};
use crate::runtime::clock::{self, Instant};
use crate::types::CircuitClass;

impl<R: Request> Call<'_, R> {
    /// When the next round begins, if there is one.
    pub(in crate::failover) fn next_round(&mut self) -> Option<Instant> {
        let now = self.now;
        let rounds = self
            .engine
            .retry
            .rounds(self.operation, self.scope.allowed.len());
        let is_decided =
            self.engine.not_found == NotFoundPolicy::Reachable && self.outcome.any_missing();
        if self.sent == 0
            || self.budget_exhausted
            || self.round >= rounds
            || !self.outcome.is_retryable()
            || is_decided
        {
            return None;
        }
        self.round += 1;
        let max_delay = self.engine.retry.max_delay_before(self.round);
        let jittered = clock::saturating_mul_f64(max_delay, self.engine.rng.unit());
        // The round does not begin before a region may be asked: `Retry-After` of all candidates.
        let candidates = self.outcome.retry_candidates();
        let (waiting, until) = self.engine.regions.waiting_for_retry_after(candidates, now);
        let retry_after = until
            .filter(|_| waiting == candidates)
            .map_or(Duration::ZERO, |until| until - now);
        let delay = jittered.max(self.outcome.retry_after()).max(retry_after);
        let begins_at = clock::saturating_add(now, delay);
        if begins_at >= self.deadline {
            return None;
        }
        self.report_retry(begins_at - now);
        Some(begins_at)
    }

    /// Begins a round over the regions without a response that stands.
    pub(in crate::failover) fn begin_round(&mut self) {
        self.untried = self.outcome.begin_round();
        self.not_admitted = RegionSet::default();
        self.throttled = RegionSet::default();
        // Only a read asks several regions at once.
        self.stage =
            if self.outcome.any_missing() && self.request.on_missing() == OnMissing::SearchAll {
                Stage::Search
            } else {
                Stage::Rotation
            };
        self.update_plan();
    }

    pub(super) fn update_plan(&mut self) {
        let (now, engine, allowed) = (self.now, self.engine, self.scope.allowed);
        // None while every circuit is closed and steady: the state of no region has to be read.
        let availabilities = self
            .class
            .and_then(|class| engine.regions.availabilities(class, now));
        let slow = engine.hedger.slow(&engine.regions, now);
        // A trial in another region would take a read away from the region that it belongs to.
        let may_be_trial = if self.request.may_be_trial() {
            self.scope.first.map_or(allowed, RegionSet::one)
        } else {
            RegionSet::default()
        };
        let probe_owned = if availabilities.is_some() && self.class == Some(CircuitClass::Read) {
            engine.regions.probe_owned_trials()
        } else {
            RegionSet::default()
        };
        self.plan = Plan::new(
            self.order,
            availabilities.as_deref(),
            may_be_trial.without(probe_owned),
            allowed,
            slow,
            engine.rotation.weights(),
            &engine.rng,
        );
        self.plan
            .deprioritize(engine.regions.waiting_for_retry_after(allowed, now).0);
    }
}
