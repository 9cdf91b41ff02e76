//! One call on its way: what has happened so far, and what is due next.
//!
//! A round goes through stages. In *rotation* one region after the other is asked, as the plan says. A region that does not have
//! the object turns the call into a *search* of all others at once. Where no region in use is left, the *last resort* asks the
//! regions whose circuits are open, all at once. A round that ends with nothing may be followed by another, after a pause.

mod due;

use std::time::Duration;

use object_store::Error;

use super::config::NotFoundPolicy;
use super::outcome::Outcome;
use super::race::{Attempt, Race};
use super::{Core, Route, Served};
use crate::error::{AttemptOutcome, LeftOut};
use crate::failure::{Failure, FailureClass};
use crate::health::{CircuitClass, Permit};
use crate::operation::Operation;
use crate::plan::{Order, Plan};
use crate::region::RegionSet;
use crate::request::Request;
use crate::time::{self, Instant};

pub(super) struct Call<'a, R> {
    core: &'a Core,
    request: &'a R,
    operation: Operation,
    class: CircuitClass,
    began: Instant,
    deadline: Instant,
    order: Order,
    plan: Plan,
    stage: Stage,
    round: u32,
    /// Regions that this call may use at all.
    allowed: RegionSet,
    /// Regions that this round has not asked yet.
    untried: RegionSet,
    /// Those of them that were in use when the plan was made, and are no longer: only the last resort asks them.
    passed_over: RegionSet,
    /// Regions whose part in this answer broke before: they come last, the first of them first.
    broken: &'a [usize],
    sent: u32,
    /// Permits of regions that refused: charged once another region has served.
    refused: Vec<Permit>,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Rotation,
    Search,
    Exhausted,
}

impl<'a, R: Request> Call<'a, R> {
    pub(super) fn new(core: &'a Core, request: &'a R, route: Route<'a>) -> Self {
        let (operation, class) = (request.operation(), request.class());
        let began = time::now();
        let (order, broken) = match route {
            Route::Rotation => (core.rotation.next_order(operation, &core.dice), &[][..]),
            Route::Ordered(order) => (order, &[][..]),
            Route::After(broken) => (Order::after(broken, core.regions.len()), broken),
        };
        let allowed = core.regions.all();
        let mut call = Self {
            core,
            request,
            operation,
            class,
            began,
            deadline: time::after(began, core.limits.total(operation)),
            order,
            plan: Plan::unknown(order),
            stage: Stage::Rotation,
            round: 1,
            allowed,
            untried: allowed,
            passed_over: RegionSet::default(),
            broken,
            sent: 0,
            refused: Vec::new(),
            outcome: Outcome::new(allowed),
        };
        call.make_plan(began);
        call
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    // What has happened.

    /// A region has served: those that refused the same request were at fault after all.
    pub(super) fn on_served<A>(&mut self, attempt: Attempt, answer: A) -> Served<A> {
        let now = time::now();
        for permit in self.refused.drain(..) {
            permit.fail(now);
        }
        attempt.permit.answered(now);
        Served { answer, region: attempt.region, permit: attempt.permit, attempts: self.sent }
    }

    /// A region has answered with an error; returns it if it is the caller's answer.
    pub(super) fn on_error(&mut self, attempt: Attempt, error: Error) -> Option<Error> {
        let now = time::now();
        let failure = Failure::of(&error);
        let Attempt { region, permit, began, .. } = attempt;
        if failure.is_answer() {
            permit.succeed(now);
            return Some(error);
        }
        let absent = failure.is_absence() && self.request.asks_for_object();
        if absent {
            permit.succeed(now);
            if self.core.not_found == NotFoundPolicy::First || self.core.authority == Some(region) {
                return Some(error);
            }
            if self.stage == Stage::Rotation {
                self.stage = Stage::Search;
            }
        } else if failure.is_regions_fault() {
            permit.fail(now);
        } else if failure.class() == FailureClass::Throttled {
            permit.throttled(now);
        } else {
            permit.answered(now);
            self.refused.push(permit);
        }
        self.outcome.tell(&self.core.regions.get(region).name, AttemptOutcome::Failed(failure.clone()), now - began);
        self.outcome.learn(region, failure, absent, error);
        None
    }

    /// A region has not answered in time. Where the time was not the region's own, that says nothing about it.
    pub(super) fn on_timeout(&mut self, attempt: Attempt) {
        let now = time::now();
        let elapsed = now - attempt.began;
        if !attempt.shortened {
            attempt.permit.fail(now);
        }
        let failure = Failure::new(FailureClass::Timeout, "no answer within the attempt limit");
        self.outcome.learn_failure(attempt.region, &failure);
        self.outcome.tell(&self.core.regions.get(attempt.region).name, AttemptOutcome::Failed(failure), elapsed);
    }

    /// The probe that this call waited for has been answered.
    pub(super) fn on_granted(&mut self, region: usize, permit: Permit, race: &mut Race<'a, R::Answer>) {
        self.start(region, permit, 1, time::now(), race);
    }

    /// The probe that this call waited for has failed, or took longer than anyone waits.
    pub(super) fn on_sent_away(&mut self, region: usize) {
        self.outcome.may_retry_after(self.core.patience);
        self.leave_out(region, time::now());
    }

    // How it ends.

    pub(super) fn into_error(self) -> Error {
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
        let now = time::now();
        for attempt in race.in_the_air() {
            let name = &self.core.regions.get(attempt.region).name;
            self.outcome.tell(name, AttemptOutcome::Unanswered, now - attempt.began);
        }
        for region in self.untried.iter() {
            self.outcome.tell(&self.core.regions.get(region).name, AttemptOutcome::LeftOut(LeftOut::NotReached), Duration::ZERO);
        }
        let limit = self.deadline - self.began;
        let reachable = self.core.not_found == NotFoundPolicy::Reachable;
        self.outcome.into_deadline_error(self.operation, self.request.target().to_string(), limit, reachable)
    }
}
