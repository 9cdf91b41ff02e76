//! Attempt: one request to one region, and the time that it gets.

use std::future;
use std::sync::Arc;

use futures::FutureExt;

use super::Call;
use crate::failover::attempt::{self, Attempt, AttemptFuture, InFlight};
use crate::failover::race::Race;
use crate::health::Permit;
use crate::region::RegionState;
use crate::request::Request;
use crate::runtime::clock;
use crate::transport::{self, WireRecorder};

impl<'a, R: Request> Call<'a, R> {
    /// Sends one attempt. Its limit is the smaller of the region's limit and an equal share of the
    /// remaining time for each of `remaining_regions`.
    pub(super) fn send(
        &mut self,
        region: usize,
        mut permit: Permit,
        remaining_regions: usize,
        race: &mut Race<'a, R::Response>,
    ) {
        let now = self.now;
        let state = self.engine.regions.get(region);
        let own = state
            .timeouts
            .attempt(self.operation)
            .saturating_add(self.request.extra_time());
        let remaining = self.deadline.saturating_duration_since(now);
        let share = remaining / remaining_regions.max(1) as u32;
        let expects_prompt_response = self.request.expects_prompt_response();
        permit.on_sent(self.operation, expects_prompt_response, own, now);
        self.report_failover(region);
        self.sent += 1;
        let slow_at = self.slow_at(region, permit.is_trial());
        let (recorder, future) = self.launch(state, slow_at.is_some() && permit.is_trial());
        // A trial that may lose the race outlives the call. It gets the region's whole limit: a
        // far region needs it to respond.
        let (limit, truncated_by_deadline) = match future {
            AttemptFuture::Owned(_) => (own, false),
            AttemptFuture::Borrowed(_) => (own.min(share), share < own.mul_f64(UNTRUNCATED_SHARE)),
        };
        let report_wait_at =
            expects_prompt_response.then(|| clock::saturating_add(now, state.health.silence()));
        race.start(InFlight {
            attempt: Attempt {
                region,
                permit,
                started_at: now,
                truncated_by_deadline,
                recorder,
                has_identity: state.has_identity,
                hedge: self.hedge.take(),
            },
            future,
            limit: clock::saturating_add(now, limit),
            slow_at,
            is_slow: false,
            report_wait_at,
            silence_signal: None,
        });
    }

    /// The future of the attempt. A trial that may lose the race must be able to outlive the call.
    fn launch(
        &self,
        state: &'a RegionState,
        may_lose: bool,
    ) -> (Option<Arc<WireRecorder>>, AttemptFuture<'a, R::Response>) {
        let request: &'a R = self.request;
        if may_lose
            && let Some((recorder, future)) = transport::watch_some(state.records_wire, || {
                attempt::catch_panic(|| request.attempt_owned(state))
                    .unwrap_or_else(|error| Some(future::ready(Err(error)).boxed()))
            })
        {
            return (recorder, AttemptFuture::Owned(future));
        }
        let (recorder, future) = transport::watch(state.records_wire, || {
            attempt::catch_panic(|| request.attempt(state))
                .unwrap_or_else(|error| future::ready(Err(error)).boxed())
        });
        (recorder, AttemptFuture::Borrowed(future))
    }
}

/// A limit of at least this share of the region's own still charges the region: without this
/// tolerance the time spent before the attempt would truncate every limit that equals the deadline.
const UNTRUNCATED_SHARE: f64 = 0.99;
