//! One running call: its state, and what each event does to it.
//!
//! A round goes through stages. *Rotation* asks one region after the other, in the order of the
//! plan. A region without the object turns the call into a *search* of all others at once. Where
//! no region in use is left, the *last resort* asks the regions whose circuits are open, all at
//! once. A round that ends without a response may be followed by another, after a pause.

mod classify;
mod error;
mod probe;
mod retry;
mod schedule;
mod send;
mod slow_attempt;
mod telemetry;
mod throttle;

use std::sync::Arc;
use std::time::Duration;

use object_store::{Error, Result};

use self::telemetry::FailoverTrace;
use super::attempt::Attempt;
use super::detached::spawn_detached;
use super::hedge::Hedge;
use super::outcome::CallOutcome;
use super::race::Race;
use super::{Engine, Served, StartAt};
use crate::error::{AttemptOutcome, FailoverError, Failure, SendState};
use crate::health::Permit;
use crate::plan::{Order, Plan};
use crate::region::RegionSet;
use crate::request::{OnMissing, Request, RetrySafety, Scope};
use crate::runtime::clock::{self, Instant};
use crate::throttle::ThrottlePermit;
use crate::types::{CircuitClass, FailureClass, Operation, Verdict};

pub(super) struct Call<'a, R> {
    engine: &'a Engine,
    request: &'a R,
    operation: Operation,
    /// The circuit that its verdicts go to; None for operations without a circuit.
    class: Option<CircuitClass>,
    scope: Scope,
    started_at: Instant,
    /// The time of the last event. The clock is read once per event.
    now: Instant,
    deadline: Instant,
    order: Order,
    plan: Plan,
    stage: Stage,
    round: u32,
    /// Regions that this round has not asked yet.
    untried: RegionSet,
    /// Those of them that were in use when the plan was made, and then did not admit the call:
    /// only the last resort asks them.
    not_admitted: RegionSet,
    /// Regions that failed earlier in the same response, the longest ago first: asked last.
    previously_failed: &'a [usize],
    /// All other regions have been asked: these are asked again.
    retries_failed: bool,
    sent: u32,
    /// The retry budget refused an attempt: there are no further rounds.
    budget_exhausted: bool,
    /// Permits whose verdict is deferred: failures once another region serves the request.
    deferred: Vec<Permit>,
    outcome: CallOutcome,
    /// A write waits until this region admits a last-resort attempt again.
    slot_wait: Option<usize>,
    /// It has waited so before.
    has_waited: bool,
    /// Paid for and not sent yet.
    hedge: Option<Hedge>,
    /// Regions at their limit: asked when no other region is left, as soon as they admit the call.
    throttled: RegionSet,
    /// A throttle permit that is not used yet, and its region.
    throttle_permit: Option<(usize, ThrottlePermit)>,
    trace: FailoverTrace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A background probe: every region that admits it is asked once.
    Probe,
    Rotation,
    /// A region lacks the object: the others are asked at once, beside attempts in flight.
    SearchDue,
    Search,
    LastResort,
    Exhausted,
}

impl<'a, R: Request> Call<'a, R> {
    pub(super) fn plan(
        engine: &'a Engine,
        request: &'a R,
        start: StartAt<'a>,
        started_at: Instant,
    ) -> Self {
        let (operation, scope) = (request.operation(), request.scope());
        let (order, previously_failed) = match (scope.first, start) {
            (_, StartAt::AfterFailed(previously_failed)) => (
                Order::after(previously_failed, engine.regions.len()),
                previously_failed,
            ),
            (Some(first), _) => (Order::first(first), &[][..]),
            (None, StartAt::Order(order)) => (order, &[][..]),
            (None, StartAt::Rotation) => {
                (engine.rotation.next_order(operation, &engine.rng), &[][..])
            }
        };
        let total = engine
            .timeouts
            .total(operation, scope.allowed.len())
            .saturating_add(
                request
                    .extra_time()
                    .saturating_mul(scope.allowed.len() as u32),
            );
        let limit = scope.deadline.map_or(total, |own| own.min(total));
        let mut call = Self {
            engine,
            request,
            operation,
            class: request.circuit(),
            scope,
            started_at,
            now: started_at,
            deadline: clock::saturating_add(started_at, limit),
            order,
            plan: Plan::unknown(order),
            stage: if request.is_probe() {
                Stage::Probe
            } else {
                Stage::Rotation
            },
            round: 1,
            untried: scope.allowed,
            not_admitted: RegionSet::default(),
            previously_failed,
            retries_failed: false,
            sent: 0,
            budget_exhausted: false,
            deferred: Vec::new(),
            outcome: CallOutcome::new(scope.allowed, scope.avoided),
            slot_wait: None,
            has_waited: false,
            hedge: None,
            throttled: RegionSet::default(),
            throttle_permit: None,
            trace: FailoverTrace::default(),
        };
        engine.resolve_metrics();
        call.update_plan();
        engine.budget.deposit();
        if request.expects_prompt_response() {
            engine.hedger.deposit();
        }
        call
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    // Events.

    pub(super) fn update_now(&mut self) {
        self.now = clock::now();
    }

    /// This process or task did not run for a while: the time is not charged to the call.
    pub(super) fn on_late(&mut self, late: Duration) {
        self.deadline = clock::saturating_add(self.deadline, late);
    }

    /// A region served the request. Deferred refusals of other regions become failures, and the
    /// attempts that lost the race end.
    pub(super) fn on_success(
        &mut self,
        mut attempt: Attempt,
        response: R::Response,
        race: &mut Race<'a, R::Response>,
    ) -> Served<R::Response> {
        let now = self.now;
        self.note_bucket(attempt.region);
        for permit in self.deferred.drain(..) {
            permit.record(Verdict::Failure, now);
        }
        attempt.permit.on_response(now);
        attempt.hedge.take().into_iter().for_each(Hedge::won);
        let hedged = race
            .in_flight()
            .any(|other| other.started_at < attempt.started_at);
        for loser in race.drain_losers() {
            let region = self.engine.regions.get(loser.attempt.region);
            spawn_detached(
                loser,
                region.flavor,
                Arc::clone(&region.throttle),
                &self.engine.events,
            );
        }
        self.report_success();
        let Attempt { region, permit, .. } = attempt;
        Served {
            response,
            region,
            permit,
            attempts: self.sent,
            hedged,
            at: now,
        }
    }

    /// The region has responded as only one with the bucket does.
    fn note_bucket(&self, region: usize) {
        let state = self.engine.regions.get(region);
        if state.has_identity && !self.operation.is_write() {
            state.bucket_seen.set(self.now);
        }
    }

    /// Records a failed attempt: in the circuit and throttle of its region, in metrics and events,
    /// and in the outcome of the call.
    ///
    /// # Errors
    ///
    /// The error that ends the call: a final response, or a write that must not be repeated.
    pub(super) fn record(
        &mut self,
        attempt: Attempt,
        failure: Failure,
        error: Error,
    ) -> Result<()> {
        let now = self.now;
        let Attempt {
            region,
            mut permit,
            started_at,
            hedge,
            ..
        } = attempt;
        self.record_throttling(region, &failure);
        self.record_failure(region, &mut permit, hedge, &failure);
        let verdict = self.verdict(&failure);
        // A region that responds with an error is not silent.
        if verdict == Verdict::Failure && !failure.is_transport() {
            permit.on_activity(now);
        }
        self.deferred.extend(permit.record(verdict, now));
        if failure.class() == FailureClass::NotFound && failure.code().is_some() {
            self.note_bucket(region);
        }
        let missing = failure.is_missing() && self.request.on_missing().may_be_in_another_region();
        if self.is_final(region, &failure) {
            self.report_final_response(&failure);
            return Err(error);
        }
        if missing {
            // The other regions are asked at once: each of them may have the object.
            if self.stage == Stage::Rotation && self.request.on_missing() == OnMissing::SearchAll {
                self.stage = Stage::SearchDue;
            }
        } else {
            self.check_retry_safety(region, &failure)?;
        }
        let outcome = AttemptOutcome::Failed(failure.clone());
        self.outcome
            .add_report(self.name(region), outcome, now - started_at);
        self.outcome.record_error(region, failure, missing, error);
        Ok(())
    }

    /// Records an attempt without a response within its limit. A limit that the deadline of the
    /// call has shortened says nothing about the region.
    ///
    /// # Errors
    ///
    /// The error that ends the call: a write that must not be repeated.
    pub(super) fn record_timeout(&mut self, mut attempt: Attempt) -> Result<()> {
        let now = self.now;
        attempt.permit.abandon(now);
        let failure = attempt.timeout();
        let Attempt {
            region,
            mut permit,
            started_at,
            truncated_by_deadline,
            hedge,
            ..
        } = attempt;
        if truncated_by_deadline {
            self.outcome.record_own_limit();
            self.trace.on_failure(region, failure.class());
        } else {
            self.record_failure(region, &mut permit, hedge, &failure);
            permit.record(failure.verdict(), now);
        }
        self.check_retry_safety(region, &failure)?;
        self.outcome.record_failure(region, &failure);
        let outcome = AttemptOutcome::Failed(failure);
        self.outcome
            .add_report(self.name(region), outcome, now - started_at);
        Ok(())
    }

    /// The trial of another call ended well: the region admits this call.
    pub(super) fn on_admitted(
        &mut self,
        region: usize,
        mut permit: Permit,
        race: &mut Race<'a, R::Response>,
    ) {
        // It has waited already: a region at its limit serves it all the same.
        self.acquire(region)
            .into_iter()
            .for_each(|throttle| permit.hold(throttle));
        self.send(region, permit, 1, race);
    }

    /// The trial of another call failed, or took longer than a call waits for it.
    pub(super) fn on_rejected(&mut self, region: usize, race: &mut Race<'a, R::Response>) {
        if self.slot_wait == Some(region) {
            self.slot_wait = None;
            return self.try_last_resort(region, race);
        }
        self.outcome.may_retry_after(self.engine.last_resort_wait);
        self.skip(region);
    }

    // Decisions.

    /// Ends a call whose request must not be sent again after this failure.
    fn check_retry_safety(&mut self, region: usize, failure: &Failure) -> Result<()> {
        let may_have_taken_effect = match self.request.retry_safety() {
            RetrySafety::Repeatable => return Ok(()),
            RetrySafety::IfUnsent | RetrySafety::SingleUseUnknown => {
                failure.may_have_taken_effect()
            }
            RetrySafety::NonAtomic => failure.sent() != SendState::No,
            RetrySafety::SingleUse => false,
        };
        if may_have_taken_effect {
            return Err(self.indeterminate(region, failure.clone()));
        }
        if self.request.retry_safety().is_single_use() {
            self.untried = RegionSet::default();
            self.round = u32::MAX;
        }
        Ok(())
    }

    fn indeterminate(&self, region: usize, cause: Failure) -> Error {
        let (region, path) = (
            Arc::clone(self.name(region)),
            self.request.target().to_string(),
        );
        FailoverError::Indeterminate {
            operation: self.operation,
            path,
            region,
            cause,
        }
        .into()
    }

    fn name(&self, region: usize) -> &'a Arc<str> {
        &self.engine.regions.get(region).name
    }
}
