//! The checks at the end of a call: its response against the object history, its attempts against
//! its limits.

use object_store::{Error, ObjectMeta};
use object_store_failover::health::CircuitClass;
use object_store_failover::{FailoverError, Operation, internals};

use crate::attempt_log::{AttemptEnd, LoggedAttempt};
use crate::expectations::{Run, limit};
use crate::object_history::{Ms, Version};
use crate::scenario::Step;
use crate::violation::Invariant;
use crate::world::State;

/// One call and the state at its begin.
#[derive(Debug, Clone)]
pub(crate) struct CheckedCall<'a> {
    pub(crate) run: &'a Run,
    pub(crate) number: u64,
    pub(crate) step: &'a Step,
    pub(crate) since: Ms,
    /// Circuit transitions before the call.
    pub(crate) changes: u64,
    /// Regions whose read circuit was closed at the begin.
    pub(crate) closed: Vec<usize>,
}

impl CheckedCall<'_> {
    pub(crate) fn now(&self) -> Ms {
        self.run.world.now()
    }

    pub(crate) fn add_violation(&self, invariant: Invariant, why: impl Into<String>) {
        self.run
            .world
            .state()
            .log
            .add_violation(invariant, self.number, why.into());
    }

    /// The response headers or an error arrived: in time, and without too many attempts.
    pub(crate) fn on_head(&self, operation: Operation, readers: usize) {
        let (now, store) = (self.now(), &self.run.store);
        // A listing has no call options, and so no deadline of its own.
        let deadline = self.step.deadline.filter(|_| operation != Operation::List);
        let (elapsed, limit) = (
            now - self.since,
            limit(store, operation, readers, deadline, MAX_PUT_BYTES),
        );
        if elapsed > limit {
            self.add_violation(
                Invariant::EveryCallEnds,
                format!("{operation} took {elapsed} ms of {limit}"),
            );
        }
        self.run.world.state().log.drain_events(now);
        self.check_rounds(operation, readers);
        if is_read(operation) {
            self.check_hedges();
        }
    }

    fn check_rounds(&self, operation: Operation, readers: usize) {
        let rounds = u64::from(internals::rounds(&self.run.store, operation, readers));
        let mut attempts = vec![0u64; self.run.expectations.regions];
        self.run
            .world
            .state()
            .log
            .of_call(self.number)
            .for_each(|attempt| attempts[attempt.region] += 1);
        self.run.counters.lock().repeats += attempts
            .iter()
            .map(|count| count.saturating_sub(1))
            .sum::<u64>();
        if let Some(region) = attempts.iter().position(|count| *count > rounds) {
            let count = attempts[region];
            self.add_violation(
                Invariant::AttemptsWithinRounds,
                format!("{count} attempts at region {region} in {rounds} rounds"),
            );
        }
    }

    fn check_hedges(&self) {
        let mut state = self.run.world.state();
        let concurrent = state
            .log
            .of_call(self.number)
            .filter(|attempt| attempt.is_concurrent)
            .count() as u64;
        // While a circuit changes or is not closed, a concurrent attempt may be a raced trial.
        let only_hedges = state.log.circuits.changes() == self.changes
            && self.closed.len() == self.run.expectations.regions;
        if !only_hedges {
            return;
        }
        state.log.hedges_seen += concurrent;
        drop(state);
        if concurrent > 0 && self.run.scenario.settings.hedge.is_none() {
            self.add_violation(
                Invariant::WithinHedgeBudget,
                format!("{concurrent} concurrent attempts without [hedge]"),
            );
        }
    }

    /// The bytes of a response are those of a version that one of `readers` showed.
    pub(crate) fn on_bytes(&self, readers: &[usize], fits: impl Fn(&Version) -> bool) {
        let (now, state) = (self.now(), self.run.world.state());
        let key = &self.step.key;
        if state
            .history
            .visible_within(key, readers, self.since, now)
            .into_iter()
            .any(&fits)
        {
            return;
        }
        let older = state
            .history
            .versions(key)
            .iter()
            .find(|version| fits(version))
            .map(|version| version.id);
        drop(state);
        let (invariant, why) = match older {
            Some(id) if self.run.expectations.belongs_to_home(key) => (
                Invariant::NoResurrectedDelete,
                format!("version {id} of {key}, which home did not show during the call"),
            ),
            Some(id) => (
                Invariant::NoWrongByte,
                format!("version {id} of {key}, which no region showed during the call"),
            ),
            None => (
                Invariant::NoWrongByte,
                format!("bytes of no version of {key}"),
            ),
        };
        self.add_violation(invariant, why);
    }

    /// The ETag of `meta` is that of `version` in some region.
    pub(crate) fn is_of(&self, state: &State, version: &Version, meta: &ObjectMeta) -> bool {
        (0..self.run.expectations.regions)
            .any(|region| meta.e_tag == Some(state.tag(version, region)))
    }

    /// A read was served: no region that decides had reported a delete before.
    pub(crate) fn on_served(&self) {
        let state = self.run.world.state();
        let reported_delete = |attempt: &&LoggedAttempt| {
            let decides = self
                .run
                .expectations
                .home
                .is_none_or(|home| home == attempt.region);
            attempt.end == Some(AttemptEnd::Deleted)
                && decides
                && state.regions[attempt.region].records_wire
        };
        let found = state
            .log
            .of_call(self.number)
            .find(reported_delete)
            .map(|attempt| attempt.region);
        drop(state);
        if let Some(region) = found {
            self.add_violation(
                Invariant::NoResurrectedDelete,
                format!(
                    "region {region} responded that {} was deleted",
                    self.step.key
                ),
            );
        }
    }

    /// A read failed.
    pub(crate) fn on_error(&self, readers: &[usize], error: &Error) {
        if matches!(error, Error::NotFound { .. }) {
            return self.on_not_found(readers);
        }
        let is_unserved = matches!(
            FailoverError::find(error),
            Some(
                FailoverError::AllRegionsFailed { .. }
                    | FailoverError::CircuitsOpen { .. }
                    | FailoverError::Undecided { .. }
                    | FailoverError::DeadlineExceeded { .. }
            )
        );
        if is_unserved {
            self.on_unserved(readers);
        }
    }

    fn on_not_found(&self, readers: &[usize]) {
        let (now, expectations, key) = (self.now(), &self.run.expectations, &self.step.key);
        let state = self.run.world.state();
        let has_no_bucket = |region: &usize| {
            let mut attempts = state.log.of_call(self.number);
            attempts.any(|attempt| {
                attempt.region == *region && attempt.end == Some(AttemptEnd::NoBucket)
            })
        };
        // Correct: all regions agree that there is no such bucket.
        if readers.iter().all(has_no_bucket) {
            return;
        }
        // Correct: a delete marker was seen, and the key was written again while replicas lag.
        let is_deleted =
            expectations.has_delete_markers && state.history.was_ever_deleted(key, now);
        if is_deleted && (expectations.home.is_none() || expectations.authority.is_none()) {
            return;
        }
        let has_object = |region: &usize| {
            state
                .history
                .present_throughout(key, *region, self.since, now, |_| true)
        };
        let decides = |region: &usize| {
            !expectations.decides_by_reachable() || self.could_respond(&state, *region, now)
        };
        let contradicting = expectations
            .deciding(readers, key)
            .into_iter()
            .find(|region| has_object(region) && decides(region));
        drop(state);
        if let Some(region) = contradicting {
            self.add_violation(
                Invariant::NoFalseNotFound,
                format!("region {region} shows {key} during the whole call"),
            );
        }
    }

    /// Nothing prevented the region from responding within the call.
    fn could_respond(&self, state: &State, region: usize, now: Ms) -> bool {
        let is_in_use = self.closed.contains(&region)
            && state.log.circuits.is_closed(region, CircuitClass::Read);
        is_in_use
            && !self.run.expectations.is_throttled
            // A short deadline may end the call before the region is asked.
            && self.step.deadline.is_none()
            && self.was_healthy_and_fast(state, region, now)
    }

    /// Healthy during the call and long enough before it that no earlier fault has an effect, and
    /// with latencies far below every limit.
    fn was_healthy_and_fast(&self, state: &State, region: usize, now: Ms) -> bool {
        let latency = state.regions[region].latency;
        latency.tail == 0.0
            && latency.median < 20.0
            && latency.sigma < 0.6
            && state.was_healthy(region, self.since.saturating_sub(FAULT_MEMORY_MS), now)
    }

    /// No region served the read: every healthy region in use was asked.
    fn on_unserved(&self, readers: &[usize]) {
        let (now, state) = (self.now(), self.run.world.state());
        let was_asked = |region: usize| {
            state
                .log
                .of_call(self.number)
                .any(|attempt| attempt.region == region)
        };
        let skipped = readers
            .iter()
            .copied()
            .find(|region| !was_asked(*region) && self.could_respond(&state, *region, now));
        drop(state);
        if let Some(region) = skipped {
            self.add_violation(
                Invariant::EveryRegionIsAsked,
                format!("region {region} is healthy and in use, and was not asked"),
            );
        }
    }
}

fn is_read(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Get | Operation::Head | Operation::List | Operation::ListWithDelimiter
    )
}

const MAX_PUT_BYTES: usize = 1 << 20;
/// A throttled response is remembered for one second, `Retry-After` for ten.
const FAULT_MEMORY_MS: Ms = 12_000;
