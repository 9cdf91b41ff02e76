//! One call on its way: what has happened so far, and what is due next.
//!
//! A round goes through stages. In *rotation* one region after the other is asked, as the plan says. A region that does not have
//! the object turns the call into a *search* of all others at once. Where no region in use is left, the *last resort* asks the
//! regions whose circuits are open, all at once. A round that ends with nothing may be followed by another, after a pause.

mod account;
mod beside;
mod due;
mod paced;
mod probe;
mod round;

use std::sync::Arc;
use std::time::Duration;

use object_store::Error;

use self::account::Account;
use super::config::NotFoundPolicy;
use super::flight::Attempt;
use super::hedge::Hedge;
use super::outcome::Outcome;
use super::race::Race;
use super::{Core, Route, Served, overtaken};
use crate::error::{AttemptOutcome, FailoverError, LeftOut};
use crate::evidence::Sent;
use crate::failure::{Failure, FailureClass};
use crate::health::{CircuitClass, Permit};
use crate::operation::Operation;
use crate::pace::Slot;
use crate::plan::{Order, Plan};
use crate::region::RegionSet;
use crate::request::{Absence, Request, Safety, Scope};
use crate::time::{self, Instant};

pub(super) struct Call<'a, R> {
    core: &'a Core,
    request: &'a R,
    operation: Operation,
    /// Whose verdicts it brings; None for what no circuit hears of.
    class: Option<CircuitClass>,
    scope: Scope,
    began: Instant,
    /// When the last thing happened to it: one look at the clock for each.
    now: Instant,
    deadline: Instant,
    order: Order,
    plan: Plan,
    stage: Stage,
    round: u32,
    /// Regions that this round has not asked yet.
    untried: RegionSet,
    /// Those of them that were in use when the plan was made, and are no longer: only the last resort asks them.
    passed_over: RegionSet,
    /// Regions whose part in this answer broke before: they come last, the first of them first.
    broken: &'a [usize],
    sent: u32,
    /// The retry budget has refused it something: there are no further rounds.
    is_broke: bool,
    /// Permits of regions that refused: charged once another region has served.
    refused: Vec<Permit>,
    outcome: Outcome,
    /// Paid for, and not sent yet.
    hedge: Option<Hedge>,
    /// Regions that are at their limit: asked when no other is left, as soon as they let the call in.
    crowded: RegionSet,
    /// A place that a region has given, and that is not used yet.
    slot: Option<(usize, Slot)>,
    account: Account,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A probe: whoever lets it in is asked, and that is all.
    Probe,
    Rotation,
    /// A region lacks the object: the others are asked at once, whoever else is in the air.
    SearchDue,
    Search,
    LastResort,
    Exhausted,
}

impl<'a, R: Request> Call<'a, R> {
    pub(super) fn new(core: &'a Core, request: &'a R, route: Route<'a>, began: Instant) -> Self {
        let (operation, scope) = (request.operation(), request.scope());
        let (order, broken) = match (scope.first, route) {
            (_, Route::After(broken)) => (Order::after(broken, core.regions.len()), broken),
            (Some(first), _) => (Order::first(first), &[][..]),
            (None, Route::Ordered(order)) => (order, &[][..]),
            (None, Route::Rotation) => (core.rotation.next_order(operation, &core.dice), &[][..]),
        };
        let total = core
            .limits
            .total(operation, scope.allowed.len())
            .saturating_add(request.extra_time().saturating_mul(scope.allowed.len() as u32));
        let mut call = Self {
            core,
            request,
            operation,
            class: request.circuit(),
            scope,
            began,
            now: began,
            deadline: time::after(began, scope.deadline.map_or(total, |own| own.min(total))),
            order,
            plan: Plan::unknown(order),
            stage: if request.is_probe() { Stage::Probe } else { Stage::Rotation },
            round: 1,
            untried: scope.allowed,
            passed_over: RegionSet::default(),
            broken,
            sent: 0,
            is_broke: false,
            refused: Vec::new(),
            outcome: Outcome::new(scope.allowed),
            hedge: None,
            crowded: RegionSet::default(),
            slot: None,
            account: Account::default(),
        };
        core.wake_metrics();
        call.make_plan();
        core.budget.on_request();
        if request.is_timed() {
            core.hedging.on_request();
        }
        call
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    // What has happened.

    /// Something has.
    pub(super) fn awoke(&mut self) {
        self.now = time::now();
    }

    /// A region has served: those that refused the same request were at fault after all, and the others were overtaken.
    pub(super) fn on_served(&mut self, mut attempt: Attempt, answer: R::Answer, race: &mut Race<'a, R::Answer>) -> Served<R::Answer> {
        let now = self.now;
        for permit in self.refused.drain(..) {
            permit.fail(now);
        }
        attempt.permit.answered(now);
        attempt.hedge.take().into_iter().for_each(Hedge::won);
        let hedged = race.in_the_air().any(|other| other.began < attempt.began);
        for flight in race.overtaken() {
            let region = self.core.regions.get(flight.attempt.region);
            overtaken::run_on(flight, region.flavor, Arc::clone(&region.pace), &self.core.events);
        }
        self.tell_of_answer();
        Served { answer, region: attempt.region, permit: attempt.permit, attempts: self.sent, hedged, at: now }
    }

    /// A region has answered with an error; returns it if it is the caller's answer.
    pub(super) fn on_error(&mut self, attempt: Attempt, error: Error) -> Option<Error> {
        let now = self.now;
        let failure = Failure::seen(&error, attempt.evidence()).in_flavor(self.core.regions.get(attempt.region).flavor);
        let Attempt { region, mut permit, began, hedge, .. } = attempt;
        self.keep_pace(region, &failure, now);
        self.take_down(region, &mut permit, hedge, &failure, now);
        let absent = failure.is_absence() && matches!(self.request.absence(), Absence::Search | Absence::MoveOn);
        if failure.is_answer() || (failure.is_absence() && self.request.absence() == Absence::Final) {
            permit.succeed(now);
            self.tell_of_final(&failure);
            return Some(error);
        }
        if absent {
            permit.succeed(now);
            if self.core.not_found == NotFoundPolicy::First || self.is_final(region, &failure) {
                self.tell_of_final(&failure);
                return Some(error);
            }
            if self.stage == Stage::Rotation && self.request.absence() == Absence::Search {
                self.stage = Stage::SearchDue;
            }
        } else {
            self.charge(permit, &failure, now);
            if let Some(end) = self.may_not_go_on(region, &failure) {
                return Some(end);
            }
        }
        self.outcome.tell(&self.core.regions.get(region).name, AttemptOutcome::Failed(failure.clone()), now - began);
        self.outcome.learn(region, failure, absent, error);
        None
    }

    fn charge(&mut self, mut permit: Permit, failure: &Failure, now: Instant) {
        if failure.is_regions_fault() {
            if !failure.is_transport() {
                permit.heard(now);
            }
            permit.fail(now);
        } else if failure.class() == FailureClass::Throttled {
            permit.throttled(now);
        } else if failure.class() == FailureClass::Conflict {
            permit.succeed(now);
        } else {
            permit.answered(now);
            self.refused.push(permit);
        }
    }

    /// The end of a call that must not be sent again, if this failure is it.
    fn may_not_go_on(&mut self, region: usize, failure: &Failure) -> Option<Error> {
        match self.request.safety() {
            Safety::Repeatable => None,
            Safety::OnlyUnsent | Safety::OnceForAll if failure.may_have_been_done() => Some(self.indeterminate(region, failure.clone())),
            Safety::InSteps if failure.sent() != Sent::No => Some(self.indeterminate(region, failure.clone())),
            Safety::OnlyUnsent | Safety::InSteps => None,
            Safety::Once | Safety::OnceForAll => {
                self.untried = RegionSet::default();
                self.round = u32::MAX;
                None
            }
        }
    }

    fn indeterminate(&self, region: usize, cause: Failure) -> Error {
        let region = Arc::clone(&self.core.regions.get(region).name);
        FailoverError::Indeterminate { operation: self.operation, path: self.request.target().to_string(), region, cause }.into()
    }

    /// A region has not answered in time. Where the time was not the region's own, that says nothing about it. Returns the call's
    /// error if that ends it.
    pub(super) fn on_timeout(&mut self, mut attempt: Attempt) -> Option<Error> {
        let now = self.now;
        attempt.permit.give_up(now);
        let (region, elapsed, evidence) = (attempt.region, now - attempt.began, attempt.evidence());
        let failure = Failure::new(FailureClass::Timeout, "no answer within the attempt limit");
        let failure = Failure { sent: evidence.map_or(failure.sent, |evidence| evidence.sent), ..failure };
        if !attempt.shortened {
            self.take_down(region, &mut attempt.permit, attempt.hedge.take(), &failure, now);
            attempt.permit.fail(now);
        }
        self.account.moves_on(region, failure.class());
        if let Some(end) = self.may_not_go_on(region, &failure) {
            return Some(end);
        }
        self.outcome.learn_failure(region, &failure);
        self.outcome.tell(&self.core.regions.get(region).name, AttemptOutcome::Failed(failure), elapsed);
        None
    }

    /// The probe that this call waited for has been answered.
    pub(super) fn on_granted(&mut self, region: usize, permit: Permit, race: &mut Race<'a, R::Answer>) {
        let now = self.now;
        let mut permit = permit;
        // It has waited its turn: where the region is at its limit it goes all the same.
        self.enter(region, now).into_iter().for_each(|slot| permit.keep(slot));
        self.start(region, permit, 1, now, race);
    }

    /// The probe that this call waited for has failed, or took longer than anyone waits.
    pub(super) fn on_sent_away(&mut self, region: usize) {
        self.outcome.may_retry_after(self.core.patience);
        self.leave_out(region, self.now);
    }

    /// Nobody can know better than this region that the object does not exist: home, where writes go only there, or a region that has
    /// seen it deleted, if that is home or none is named. (A body that has begun may be finished where the object still is: its
    /// version is named.)
    fn is_final(&self, region: usize, failure: &Failure) -> bool {
        let deleted = failure.is_delete_marker() && self.broken.is_empty() && self.core.home.is_none_or(|home| home == region);
        deleted || self.core.authority == Some(region)
    }

    // How it ends.

    pub(super) fn into_error(self) -> Error {
        self.tell_of_failure();
        if self.outcome.nobody_was_reached() {
            self.core.events.local_network_suspect(self.operation);
        }
        let reachable = self.core.not_found == NotFoundPolicy::Reachable;
        let path = self.request.target().to_string();
        if self.sent == 0 {
            self.outcome.circuits_open(self.operation, path)
        } else {
            self.outcome.into_error(self.operation, path, reachable)
        }
    }

    pub(super) fn into_deadline_error(mut self, race: &Race<'a, R::Answer>) -> Error {
        let now = self.now;
        if let Some(attempt) =
            race.in_the_air().next().filter(|_| matches!(self.request.safety(), Safety::OnlyUnsent | Safety::InSteps | Safety::OnceForAll))
        {
            return self.indeterminate(attempt.region, Failure::new(FailureClass::Timeout, "no answer within the limit of the call"));
        }
        for attempt in race.in_the_air() {
            let name = &self.core.regions.get(attempt.region).name;
            self.outcome.tell(name, AttemptOutcome::Unanswered, now - attempt.began);
        }
        let waited_for: Vec<_> = race.waited_for().collect();
        let known = |region: &usize| waited_for.iter().any(|(other, _)| other == region);
        let others: Vec<_> = self.untried.iter().filter(|region| !known(region)).map(|region| (region, LeftOut::NotReached)).collect();
        for (region, why) in waited_for.iter().copied().chain(others) {
            self.outcome.tell(&self.core.regions.get(region).name, AttemptOutcome::LeftOut(why), Duration::ZERO);
        }
        self.tell_of_failure();
        let limit = self.deadline - self.began;
        let reachable = self.core.not_found == NotFoundPolicy::Reachable;
        self.outcome.into_deadline_error(self.operation, self.request.target().to_string(), limit, reachable)
    }
}
