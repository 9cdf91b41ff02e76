//! What the regions have seen: every attempt, who made it, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use super::circuits::Circuits;
use super::trace::Trace;
use super::truth::Ms;
use super::violation::{Invariant, Violation};
use crate::health::CircuitClass;

/// One request that has arrived at a region, or would have if anybody had listened.
#[derive(Debug)]
pub(super) struct Attempt {
    /// The call it belongs to; 0 where nobody's call made it.
    pub(super) call: u64,
    pub(super) region: usize,
    pub(super) class: Option<CircuitClass>,
    pub(super) ending: Option<Ending>,
    /// Another attempt of its call was in the air when it began, and none had found the object missing.
    pub(super) is_beside: bool,
}

/// How an attempt ended, as far as the head of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Served,
    Missing,
    /// Missing, and the region says that it was deleted.
    Deleted,
    NoBucket,
    Throttled,
    Failed,
    Dropped,
}

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) trace: Trace,
    pub(super) attempts: Vec<Attempt>,
    pub(super) circuits: Circuits,
    pub(super) violations: Vec<Violation>,
    /// Attempts that may have been made beside others only because somebody paid for a hedge.
    pub(super) hedges_seen: u64,
    in_the_air: BTreeSet<u64>,
    by_call: BTreeMap<u64, Vec<usize>>,
}

impl Ledger {
    pub(super) fn new(trace: Trace, circuits: Circuits) -> Self {
        Self {
            trace,
            attempts: Vec::new(),
            circuits,
            violations: Vec::new(),
            hedges_seen: 0,
            in_the_air: BTreeSet::new(),
            by_call: BTreeMap::new(),
        }
    }

    /// A request arrives.
    pub(super) fn begin(&mut self, call: u64, region: usize, class: Option<CircuitClass>, what: &str, now: Ms) -> u64 {
        self.hear(now);
        let id = self.attempts.len() as u64;
        let others: Vec<_> = self.of_call(call).collect();
        let is_alone = !others.iter().any(|other| other.ending.is_none());
        let is_search = others.iter().any(|other| matches!(other.ending, Some(Ending::Missing | Ending::Deleted)));
        let is_beside = call != 0 && !is_alone && !is_search;
        self.attempts.push(Attempt { region, class, ending: None, is_beside, call });
        if call != 0 {
            self.by_call.entry(call).or_default().push(id as usize);
        }
        self.in_the_air.insert(id);
        self.trace.note(now, format_args!("call {call} attempt {id} {what} at region {region}"));
        if let Some(class) = class {
            let found = self.circuits.begin(id, region, class, now);
            found.into_iter().for_each(|(invariant, why)| self.violate(invariant, call, why));
        }
        id
    }

    /// The head of its answer has come, or it is gone.
    pub(super) fn end(&mut self, id: u64, ending: Ending, now: Ms) {
        self.hear(now);
        if !self.in_the_air.remove(&id) {
            return;
        }
        let attempt = &mut self.attempts[id as usize];
        attempt.ending = Some(ending);
        let (call, region, class) = (attempt.call, attempt.region, attempt.class);
        self.trace.note(now, format_args!("call {call} attempt {id} at region {region}: {ending:?}"));
        if let Some(class) = class {
            self.circuits.end(id, region, class, ending);
        }
    }

    /// The attempts of one call so far; none for those that nobody's call has made.
    pub(super) fn of_call(&self, call: u64) -> impl Iterator<Item = &Attempt> {
        self.by_call.get(&call).into_iter().flatten().map(|id| &self.attempts[*id])
    }

    /// What circuits have done since.
    pub(super) fn hear(&mut self, now: Ms) {
        let (lines, wrong) = self.circuits.hear(now);
        lines.into_iter().for_each(|line| self.trace.note(now, format_args!("{line}")));
        wrong.into_iter().for_each(|(invariant, why)| self.violate(invariant, 0, why));
    }

    pub(super) fn violate(&mut self, invariant: Invariant, call: u64, why: String) {
        self.violations.push(Violation { invariant, call, why, events: self.trace.last() });
    }
}
