//! Every attempt that arrived at a region: its call, and how it ended.

use std::collections::{BTreeMap, BTreeSet};

use object_store_failover::health::CircuitClass;

use crate::circuit_checker::CircuitChecker;
use crate::object_history::Ms;
use crate::trace::Trace;
use crate::violation::{Invariant, Violation};

/// One request that a caller's operation, or a probe, sent to a region.
#[derive(Debug)]
pub(crate) struct LoggedAttempt {
    /// The call it belongs to; 0 for a probe.
    pub(crate) call: u64,
    pub(crate) region: usize,
    /// None for deletes, which have no circuit.
    pub(crate) class: Option<CircuitClass>,
    pub(crate) end: Option<AttemptEnd>,
    /// It began while another attempt of its call was in flight, and not because a region had
    /// responded that the object is missing: a hedge, or a raced trial.
    pub(crate) is_concurrent: bool,
}

/// How an attempt ended, up to the headers of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptEnd {
    Served,
    Missing,
    /// Missing, with a delete marker.
    Deleted,
    NoBucket,
    Throttled,
    Failed,
    Dropped,
}

#[derive(Debug)]
pub(crate) struct AttemptLog {
    pub(crate) trace: Trace,
    pub(crate) attempts: Vec<LoggedAttempt>,
    pub(crate) circuits: CircuitChecker,
    pub(crate) violations: Vec<Violation>,
    /// Concurrent attempts that only a hedge explains.
    pub(crate) hedges_seen: u64,
    in_flight: BTreeSet<u64>,
    by_call: BTreeMap<u64, Vec<usize>>,
}

impl AttemptLog {
    pub(crate) fn new(trace: Trace, circuits: CircuitChecker) -> Self {
        Self {
            trace,
            attempts: Vec::new(),
            circuits,
            violations: Vec::new(),
            hedges_seen: 0,
            in_flight: BTreeSet::new(),
            by_call: BTreeMap::new(),
        }
    }

    /// A request arrives; returns its id.
    pub(crate) fn begin(
        &mut self,
        call: u64,
        region: usize,
        class: Option<CircuitClass>,
        what: &str,
        now: Ms,
    ) -> u64 {
        // Transitions that led to this attempt come first in the trace and in the checks.
        self.drain_events(now);
        let id = self.attempts.len() as u64;
        let others: Vec<_> = self.of_call(call).collect();
        let is_alone = !others.iter().any(|other| other.end.is_none());
        // A search for a missing key asks several regions at once without a hedge.
        let is_search = others
            .iter()
            .any(|other| matches!(other.end, Some(AttemptEnd::Missing | AttemptEnd::Deleted)));
        let is_concurrent = call != 0 && !is_alone && !is_search;
        self.attempts.push(LoggedAttempt {
            region,
            class,
            end: None,
            is_concurrent,
            call,
        });
        if call != 0 {
            self.by_call.entry(call).or_default().push(id as usize);
        }
        self.in_flight.insert(id);
        self.trace.record(
            now,
            format_args!("call {call} attempt {id} {what} at region {region}"),
        );
        if let Some(class) = class {
            let found = self.circuits.begin(id, region, class, is_long(what), now);
            found
                .into_iter()
                .for_each(|(invariant, why)| self.add_violation(invariant, call, why));
        }
        id
    }

    /// The response headers arrived, or the attempt was dropped. Only the first end counts.
    pub(crate) fn end(&mut self, id: u64, end: AttemptEnd, now: Ms) {
        self.drain_events(now);
        if !self.in_flight.remove(&id) {
            return;
        }
        let attempt = &mut self.attempts[id as usize];
        attempt.end = Some(end);
        let (call, region, class) = (attempt.call, attempt.region, attempt.class);
        self.trace.record(
            now,
            format_args!("call {call} attempt {id} at region {region}: {end:?}"),
        );
        if let Some(class) = class {
            self.circuits.end(id, region, class, end);
        }
    }

    /// The attempts of one call so far; empty for probes.
    pub(crate) fn of_call(&self, call: u64) -> impl Iterator<Item = &LoggedAttempt> {
        self.by_call
            .get(&call)
            .into_iter()
            .flatten()
            .map(|id| &self.attempts[*id])
    }

    /// Records the circuit transitions since the last call.
    pub(crate) fn drain_events(&mut self, now: Ms) {
        let (lines, found) = self.circuits.drain_events(now);
        lines
            .into_iter()
            .for_each(|line| self.trace.record(now, format_args!("{line}")));
        found
            .into_iter()
            .for_each(|(invariant, why)| self.add_violation(invariant, 0, why));
    }

    pub(crate) fn add_violation(&mut self, invariant: Invariant, call: u64, why: String) {
        self.violations.push(Violation {
            invariant,
            call,
            why,
            events: self.trace.last(),
        });
    }
}

/// Requests whose duration grows with the number of keys or bytes of an object.
fn is_long(what: &str) -> bool {
    ["list_with_delimiter", "copy", "rename"]
        .iter()
        .any(|name| what.starts_with(name))
}
