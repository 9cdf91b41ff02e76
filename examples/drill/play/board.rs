//! The one place where readers, faults and circuits leave their marks; the table and the verdict are read off it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store_failover::{CircuitState, Transition};

use super::faults::Faults;
use super::timeline::Timeline;
use crate::clock::{Instant, now};
use crate::ground::Stage;
use crate::load::tally::{Outcome, Tally};
use crate::scenario::Act;

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
    /// The longest time in which no read was served although some region could.
    pub(crate) longest_gap: Duration,
    last_served: Option<Instant>,
    /// When the last stretch of the run began, with the requests seen by then: full rotation is judged by it.
    pub(crate) last_stretch: Option<(Instant, Vec<u64>)>,
    /// Circuits at the end of the run.
    pub(crate) circuits_at_end: Vec<CircuitState>,
    /// Every change of a circuit, in the order of time.
    pub(crate) circuits: Vec<(Instant, usize, Transition)>,
    /// Reads that had not ended long after the load did.
    pub(crate) never_ended: usize,
    /// Deeds that could not be done: the run is worth nothing.
    pub(crate) undone: Vec<String>,
    pub(crate) timeline: Timeline,
    /// Reads of the slice that is not on the timeline yet.
    pub(crate) slice: Tally,
}

impl Board {
    pub(crate) fn new(phases: usize, regions: usize) -> Self {
        Self(Mutex::new(Marks {
            phase: 0,
            phases: (0..phases).map(|_| Tally::new()).collect(),
            faults: Faults::new(regions),
            broken: Vec::new(),
            excused: Vec::new(),
            longest_gap: Duration::ZERO,
            last_served: None,
            last_stretch: None,
            circuits_at_end: Vec::new(),
            circuits: Vec::new(),
            never_ended: 0,
            undone: Vec::new(),
            timeline: Timeline::default(),
            slice: Tally::new(),
        }))
    }

    /// A reader that panicked has been reported by its task; the marks of the others still stand.
    pub(crate) fn marks(&self) -> MutexGuard<'_, Marks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the phase before, if any, and begins this one.
    pub(crate) fn turn_to(&self, phase: usize, stage: &Stage) {
        let (at, requests) = (now(), stage.attempts());
        let mut marks = self.marks();
        marks.end_phase(at, &requests);
        marks.phase = phase;
        let tally = &mut marks.phases[phase];
        tally.began = Some(at);
        tally.requests_before = requests;
    }

    /// Does something to a region, and notes it on the safe side: a fault begins before it is made, and ends after it is mended.
    pub(crate) async fn act(&self, region: usize, act: Act, stage: &Stage) {
        let is_out = !self.marks().faults.is_alive(region);
        if act == Act::Revive && !is_out && !self.marks().faults.is_touched(region) {
            return;
        }
        let usual = self.usual();
        if act != Act::Revive {
            let (seen, circuit) = (stage.attempts()[region], stage.circuits()[region]);
            let mut marks = self.marks();
            let phase = marks.phase;
            marks.faults.begin(region, act, phase, now(), seen, circuit);
        }
        let seen = stage.attempts()[region];
        if let Err(why) = stage.ground.act(region, act, usual).await {
            self.marks().undone.push(format!("{} {}: {why}", stage.names[region], act.state()));
        }
        if act == Act::Revive {
            let mut marks = self.marks();
            let phase = marks.phase;
            marks.faults.end(region, phase, now(), seen);
        }
    }

    /// Replication has been paused, or goes on: for the picture, no region is the worse for it.
    pub(crate) fn on_replication(&self, act: Act, stage: &Stage) {
        let (at, seen, circuit) = (now(), stage.attempts()[0], stage.circuits()[0]);
        let mut marks = self.marks();
        let phase = marks.phase;
        match act {
            Act::ResumeReplication => marks.faults.end(0, phase, at, seen),
            _ => marks.faults.begin(0, act, phase, at, seen, circuit),
        }
    }

    /// A circuit has changed.
    pub(crate) fn on_circuit(&self, region: usize, change: Transition, stage: &Stage) {
        let (at, seen) = (now(), stage.attempts()[region]);
        let mut marks = self.marks();
        marks.circuits.push((at, region, change));
        marks.faults.on_circuit(region, change.to, at, seen);
    }

    /// A read has ended, just now.
    pub(crate) fn on_read(&self, began: Instant, outcome: &Outcome, of_existing_key: bool) {
        let ended = now();
        let mut marks = self.marks();
        let marks = &mut *marks;
        let excused = marks.faults.excuse(began, ended);
        marks.phases[marks.phase].count(outcome, ended - began, of_existing_key, excused);
        marks.slice.count(outcome, ended - began, of_existing_key, excused);
        match outcome {
            Outcome::Served { region, .. } if of_existing_key => {
                marks.faults.on_served(*region, began, ended);
                marks.end_gap(ended);
            }
            Outcome::Failed { line, .. } if excused => note(&mut marks.excused, line),
            Outcome::Failed { line, .. } | Outcome::Wrong(line) | Outcome::Stale { home: true, line } => note(&mut marks.broken, line),
            _ => {}
        }
    }

    /// How long a read takes while all is well.
    fn usual(&self) -> Duration {
        let marks = self.marks();
        let first = marks.phases.first().and_then(|phase| phase.quantile(0.5));
        Duration::from_secs_f64(first.unwrap_or(0.0) / 1000.0)
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

    /// Time in which nobody could have served is no gap.
    pub(crate) fn end_gap(&mut self, at: Instant) {
        let could_serve = match self.faults.outages.last() {
            Some(outage) => match outage.first_return {
                Some(back) => self.last_served.max(Some(back)),
                None => return,
            },
            None => self.last_served,
        };
        if let Some(since) = could_serve {
            self.longest_gap = self.longest_gap.max(at.saturating_duration_since(since));
        }
        self.last_served = Some(at);
    }
}

fn note(lines: &mut Vec<String>, line: &str) {
    if lines.len() < LINES {
        lines.push(line.to_owned());
    }
}
