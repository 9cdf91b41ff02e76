//! What is checked when a call has ended: its answer against the truth, its attempts against its limits.

use object_store::{Error, ObjectMeta};

use super::ledger::{Attempt, Ending};
use super::plan::Step;
use super::rules::{Stage, limit};
use super::truth::{Ms, Version};
use super::violation::Invariant;
use super::world::State;
use crate::error::FailoverError;
use crate::health::CircuitClass;
use crate::operation::Operation;

/// One call, from its beginning on.
#[derive(Debug, Clone)]
pub(super) struct Asked<'a> {
    pub(super) stage: &'a Stage,
    pub(super) number: u64,
    pub(super) step: &'a Step,
    pub(super) since: Ms,
    /// Changes of circuits until it began.
    pub(super) changes: u64,
    /// Regions whose circuit for reads was closed when it began.
    pub(super) closed: Vec<usize>,
}

impl Asked<'_> {
    pub(super) fn now(&self) -> Ms {
        self.stage.world.now()
    }

    pub(super) fn violate(&self, invariant: Invariant, why: impl Into<String>) {
        self.stage.world.state().ledger.violate(invariant, self.number, why.into());
    }

    /// The head of an answer, or the error in its place, has come: nobody was asked too often, and it came in time.
    pub(super) fn on_head(&self, operation: Operation, readers: usize) {
        let (now, store) = (self.now(), &self.stage.store);
        // A listing has no options that could say so.
        let own = self.step.deadline.filter(|_| operation != Operation::List);
        let limit = limit(store, operation, readers, own, LARGEST);
        if now - self.since > limit {
            self.violate(Invariant::EveryCallEnds, format!("{operation} took {} ms, and {limit} are allowed", now - self.since));
        }
        let rounds = u64::from(store.core().retry.rounds(operation, readers));
        let mut state = self.stage.world.state();
        state.ledger.hear(now);
        let mut asked = vec![0u64; self.stage.rules.regions];
        state.ledger.of_call(self.number).for_each(|attempt| asked[attempt.region] += 1);
        self.stage.tally.lock().repeats += asked.iter().map(|times| times.saturating_sub(1)).sum::<u64>();
        let is_quiet = state.ledger.circuits.changes() == self.changes && self.closed.len() == self.stage.rules.regions;
        let beside = state.ledger.of_call(self.number).filter(|attempt| attempt.is_beside).count() as u64;
        if is_quiet && !operation.is_write() {
            state.ledger.hedges_seen += beside;
        }
        drop(state);
        if let Some((region, times)) = asked.iter().enumerate().find(|(_, times)| **times > rounds) {
            self.violate(Invariant::AttemptsWithinRounds, format!("region {region} was asked {times} times in {rounds} rounds"));
        }
        if is_quiet && beside > 0 && self.stage.plan.settings.hedge.is_none() && !operation.is_write() {
            self.violate(Invariant::WithinHedgeBudget, format!("{beside} attempts beside others, without [hedge]"));
        }
    }

    /// Bytes that were given: which versions they may be of.
    pub(super) fn on_bytes(&self, readers: &[usize], fits: impl Fn(&Version) -> bool) {
        let (now, state) = (self.now(), self.stage.world.state());
        let key = &self.step.key;
        if state.truth.shown_within(key, readers, self.since, now).into_iter().any(&fits) {
            return;
        }
        let older = state.truth.versions(key).iter().find(|version| fits(version)).map(|version| version.id);
        drop(state);
        let (invariant, why) = match older {
            Some(id) if self.stage.rules.is_homes(key) => {
                (Invariant::NoResurrectedDelete, format!("version {id} of {key}, which home did not show during the call"))
            }
            Some(id) => (Invariant::NoWrongByte, format!("version {id} of {key}, which nobody showed during the call")),
            None => (Invariant::NoWrongByte, format!("bytes of no version of {key}")),
        };
        self.violate(invariant, why);
    }

    /// The metadata is that of a version whose bytes it may be.
    pub(super) fn is_of(&self, state: &State, version: &Version, meta: &ObjectMeta) -> bool {
        let tags = (0..self.stage.rules.regions).map(|region| state.tag(version, region));
        tags.into_iter().any(|tag| meta.e_tag == Some(tag))
    }

    /// A read has been served: nobody who has the say had told of a delete before.
    pub(super) fn on_served(&self) {
        let state = self.stage.world.state();
        let has_say = |attempt: &&Attempt| {
            let counts = self.stage.rules.home.is_none_or(|home| home == attempt.region);
            attempt.ending == Some(Ending::Deleted) && counts && state.sites[attempt.region].reports
        };
        let found = state.ledger.of_call(self.number).find(has_say).map(|attempt| attempt.region);
        drop(state);
        if let Some(region) = found {
            self.violate(Invariant::NoResurrectedDelete, format!("region {region} said that {} was deleted", self.step.key));
        }
    }

    /// A read has failed.
    pub(super) fn on_error(&self, readers: &[usize], error: &Error) {
        if matches!(error, Error::NotFound { .. }) {
            return self.on_not_found(readers);
        }
        let came_to_nothing = matches!(
            FailoverError::find(error),
            Some(
                FailoverError::AllRegionsFailed { .. }
                    | FailoverError::CircuitsOpen { .. }
                    | FailoverError::Undecided { .. }
                    | FailoverError::DeadlineExceeded { .. }
            )
        );
        if came_to_nothing {
            self.on_nobody_served(readers);
        }
    }

    fn on_not_found(&self, readers: &[usize]) {
        let (now, rules, key) = (self.now(), &self.stage.rules, &self.step.key);
        let state = self.stage.world.state();
        let has_no_bucket = |region: &usize| {
            let mut attempts = state.ledger.of_call(self.number);
            attempts.any(|attempt| attempt.region == *region && attempt.ending == Some(Ending::NoBucket))
        };
        // All agree that there is no such bucket; or a delete is known, and the key was written anew while replicas lag.
        let all_strange = readers.iter().all(has_no_bucket);
        let is_deleted = rules.has_markers && state.truth.was_ever_deleted(key, now);
        let may_be_marked = is_deleted && (rules.home.is_none() || rules.authority.is_none());
        if all_strange || may_be_marked {
            return;
        }
        let holds = |region: &usize| state.truth.held(key, *region, self.since, now, |_| true);
        let counts = |region: &usize| !rules.asks_the_reachable() || self.could_answer(&state, *region, now);
        let held = rules.witnesses(readers).into_iter().find(|region| holds(region) && counts(region));
        drop(state);
        if let Some(region) = held {
            self.violate(Invariant::NoFalseNotFound, format!("region {region} shows {key} all the time"));
        }
    }

    /// Nothing has kept the region from answering.
    fn could_answer(&self, state: &State, region: usize, now: Ms) -> bool {
        let is_in_use = self.closed.contains(&region) && state.ledger.circuits.is_closed(region, CircuitClass::Read);
        is_in_use && !self.stage.rules.is_paced && self.step.deadline.is_none() && self.was_never_slow(state, region, now)
    }

    /// Well during the call and so long before it that nothing of it lasts; and it answers well within any limit.
    fn was_never_slow(&self, state: &State, region: usize, now: Ms) -> bool {
        let latency = state.sites[region].latency;
        latency.tail == 0.0 && latency.median < 20.0 && latency.sigma < 0.6 && state.was_well(region, self.since.saturating_sub(WELL), now)
    }

    /// The read came to nothing: whoever was well and in use was asked.
    fn on_nobody_served(&self, readers: &[usize]) {
        let (now, state) = (self.now(), self.stage.world.state());
        let was_asked = |region: usize| state.ledger.of_call(self.number).any(|attempt| attempt.region == region);
        let left_out = readers.iter().copied().find(|region| !was_asked(*region) && self.could_answer(&state, *region, now));
        drop(state);
        // Who gives a call less than an attempt has said that it need not get far.
        if let Some(region) = left_out {
            self.violate(Invariant::EveryRegionIsAsked, format!("region {region} is well and in use, and was not asked"));
        }
    }
}

/// No put is larger.
const LARGEST: usize = 1 << 20;
/// Throttling is remembered for a second, and a wish to be left alone for ten.
const WELL: Ms = 12_000;
