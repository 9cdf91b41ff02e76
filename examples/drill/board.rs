//! The one place where readers, faults and circuits leave their marks; the table and the verdict are read off it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use object_store_failover::{CircuitState, Transition};

use crate::clock::{Instant, now};
use crate::faults::Faults;
use crate::scenario::Act;
use crate::stage::Stage;
use crate::tally::{Outcome, Tally};

/// More error lines tell nothing new.
const LINES: usize = 3;

pub(crate) struct Board(Mutex<Marks>);

pub(crate) struct Marks {
    pub(crate) phase: usize,
    pub(crate) phases: Vec<Tally>,
    pub(crate) faults: Faults,
    /// The first reads that broke a promise, each told in one line.
    pub(crate) broken: Vec<String>,
    /// The first of those failed reads that an outage excuses.
    pub(crate) excused: Vec<String>,
    /// When the last stretch of the run began, with the requests seen by then: full rotation is judged by it.
    pub(crate) last_stretch: Option<(Instant, Vec<u64>)>,
    /// Circuits at the end of the run.
    pub(crate) circuits_at_end: Vec<CircuitState>,
    /// Every change of a circuit, in the order of time.
    pub(crate) circuits: Vec<(Instant, usize, Transition)>,
    /// Reads that had not ended long after the load did.
    pub(crate) never_ended: usize,
}

impl Board {
    pub(crate) fn new(phases: usize, regions: usize) -> Self {
        Self(Mutex::new(Marks {
            phase: 0,
            phases: (0..phases).map(|_| Tally::new()).collect(),
            faults: Faults::new(regions),
            broken: Vec::new(),
            excused: Vec::new(),
            last_stretch: None,
            circuits_at_end: Vec::new(),
            circuits: Vec::new(),
            never_ended: 0,
        }))
    }

    /// A reader that panicked has been reported by its task; the marks of the others still stand.
    pub(crate) fn marks(&self) -> MutexGuard<'_, Marks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the phase before, if any, and begins this one.
    pub(crate) fn turn_to(&self, phase: usize, stage: &Stage) {
        let (at, requests) = (now(), stage.requests());
        let mut marks = self.marks();
        marks.end_phase(at, &requests);
        marks.phase = phase;
        let tally = &mut marks.phases[phase];
        tally.began = Some(at);
        tally.requests_before = requests;
    }

    /// Does something to a region, and notes it on the safe side.
    pub(crate) fn act(&self, region: usize, act: Act, stage: &Stage) {
        if act == Act::Revive {
            let phase = {
                let marks = self.marks();
                if marks.faults.is_alive(region) {
                    return;
                }
                marks.phase
            };
            let seen = self.seen(region, stage);
            stage.act(region, act);
            self.marks().faults.end(region, phase, now(), seen);
        } else {
            let seen = count(act, region, stage);
            let circuit = stage.circuits()[region];
            let mut marks = self.marks();
            let phase = marks.phase;
            marks.faults.begin(region, act, phase, now(), seen, circuit);
            drop(marks);
            stage.act(region, act);
        }
    }

    /// A circuit has changed.
    pub(crate) fn on_circuit(&self, region: usize, change: Transition, stage: &Stage) {
        let (at, seen) = (now(), self.seen(region, stage));
        let mut marks = self.marks();
        marks.circuits.push((at, region, change));
        marks.faults.on_circuit(region, change.to, at, seen);
    }

    /// A read has ended, just now.
    pub(crate) fn on_read(&self, began: Instant, outcome: &Outcome, on_existing_key: bool) {
        let ended = now();
        let mut marks = self.marks();
        let marks = &mut *marks;
        let excused = marks.faults.excuse(began, ended);
        marks.phases[marks.phase].count(outcome, ended - began, excused);
        match outcome {
            Outcome::Served(region) if on_existing_key => marks.faults.on_served(*region, began, ended),
            Outcome::Failed(line) if excused => note(&mut marks.excused, line),
            Outcome::Failed(line) | Outcome::Wrong(line) => note(&mut marks.broken, line),
            _ => {}
        }
    }

    /// What the region has seen by the count that fits its present fault.
    fn seen(&self, region: usize, stage: &Stage) -> u64 {
        let act = self.marks().faults.last(region).map_or(Act::Hang, |fault| fault.act);
        count(act, region, stage)
    }
}

impl Marks {
    pub(crate) fn end_phase(&mut self, at: Instant, requests: &[u64]) {
        let tally = &mut self.phases[self.phase];
        if tally.began.is_some() && tally.ended.is_none() {
            tally.ended = Some(at);
            tally.requests_after = requests.to_vec();
        }
    }
}

/// Nothing reaches a killed server, so what was sent there is known to the store alone.
fn count(act: Act, region: usize, stage: &Stage) -> u64 {
    if act == Act::Kill { stage.attempts()[region] } else { stage.requests()[region] }
}

fn note(lines: &mut Vec<String>, line: &str) {
    if lines.len() < LINES {
        lines.push(line.to_owned());
    }
}
