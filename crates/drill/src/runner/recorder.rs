//! The record of a run: results of reads, faults and circuits, from which the report is made.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store_failover::CircuitState;
use object_store_failover::health::Transition;
use tokio::time::Instant;

use super::faults::Faults;
use super::timeline::Timeline;
use crate::environment::Deployment;
use crate::load::tally::{Outcome, Tally};
use crate::scenario::Action;

/// The most error lines to keep.
const LINES: usize = 3;

pub(crate) struct Recorder(Mutex<RunRecord>);

pub(crate) struct RunRecord {
    pub(crate) phase: usize,
    pub(crate) phases: Vec<Tally>,
    pub(crate) faults: Faults,
    /// The first reads that broke a bound, one line each.
    pub(crate) broken: Vec<String>,
    /// The first failed reads of total outages.
    pub(crate) excused: Vec<String>,
    /// The longest time in which no read was served although a region could.
    pub(crate) longest_gap: Duration,
    last_served: Option<Instant>,
    /// The start of the last part of the run, and the requests until then; `imbalance` is measured
    /// from here.
    pub(crate) last_part: Option<(Instant, Vec<u64>)>,
    /// The circuits at the end of the run.
    pub(crate) circuits_at_end: Vec<CircuitState>,
    /// Every transition of a circuit, in order of time.
    pub(crate) circuits: Vec<(Instant, usize, Transition)>,
    /// Reads that did not end after the load stopped.
    pub(crate) never_ended: usize,
    /// Actions that failed, which makes the run worthless.
    pub(crate) failed_actions: Vec<String>,
    pub(crate) timeline: Timeline,
    /// Reads since the last sample of the timeline.
    pub(crate) slice: Tally,
}

impl Recorder {
    pub(crate) fn new(phases: usize, regions: usize) -> Self {
        Self(Mutex::new(RunRecord {
            phase: 0,
            phases: (0..phases).map(|_| Tally::new()).collect(),
            faults: Faults::new(regions),
            broken: Vec::new(),
            excused: Vec::new(),
            longest_gap: Duration::ZERO,
            last_served: None,
            last_part: None,
            circuits_at_end: Vec::new(),
            circuits: Vec::new(),
            never_ended: 0,
            failed_actions: Vec::new(),
            timeline: Timeline::default(),
            slice: Tally::new(),
        }))
    }

    /// A poisoned lock is used: the panic of a reader is reported by its task.
    pub(crate) fn record(&self) -> MutexGuard<'_, RunRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the current phase and starts another.
    pub(crate) fn begin_phase(&self, phase: usize, deployment: &Deployment) {
        let (at, requests) = (Instant::now(), deployment.attempts());
        let mut record = self.record();
        record.end_phase(at, &requests);
        record.phase = phase;
        let tally = &mut record.phases[phase];
        tally.started_at = Some(at);
        tally.requests_before = requests;
    }

    /// Applies an action. A fault starts before it is applied and ends after the region is
    /// restored, so that no request in between is attributed to a healthy region.
    pub(crate) async fn apply(&self, region: usize, action: Action, deployment: &Deployment) {
        let is_failing = !self.record().faults.is_serving(region);
        if action == Action::Restore && !is_failing && !self.record().faults.is_affected(region) {
            return;
        }
        let usual = self.usual_duration();
        if action != Action::Restore {
            let (requests, circuit) =
                (deployment.attempts()[region], deployment.circuits()[region]);
            let mut record = self.record();
            let phase = record.phase;
            record
                .faults
                .begin(region, action, phase, Instant::now(), requests, circuit);
        }
        let requests = deployment.attempts()[region];
        if let Err(why) = deployment.environment.apply(region, action, usual).await {
            self.record().failed_actions.push(format!(
                "{} {}: {why}",
                deployment.names[region],
                action.state()
            ));
        }
        if action == Action::Restore {
            let mut record = self.record();
            let phase = record.phase;
            record.faults.end(region, phase, Instant::now(), requests);
        }
    }

    /// Records a pause of replication as a fault, for the charts; it is not harmful.
    pub(crate) fn on_replication(&self, action: Action, deployment: &Deployment) {
        let (at, requests, circuit) = (
            Instant::now(),
            deployment.attempts()[0],
            deployment.circuits()[0],
        );
        let mut record = self.record();
        let phase = record.phase;
        match action {
            Action::ResumeReplication => record.faults.end(0, phase, at, requests),
            _ => record.faults.begin(0, action, phase, at, requests, circuit),
        }
    }

    /// Records a transition of a circuit.
    pub(crate) fn on_circuit(&self, region: usize, change: Transition, deployment: &Deployment) {
        let (at, requests) = (Instant::now(), deployment.attempts()[region]);
        let mut record = self.record();
        record.circuits.push((at, region, change));
        record.faults.on_circuit(region, change.to, at, requests);
    }

    /// Records a read that ended now.
    pub(crate) fn on_read(&self, started_at: Instant, outcome: &Outcome, of_existing_key: bool) {
        let ended_at = Instant::now();
        let mut record = self.record();
        let record = &mut *record;
        let excused = record.faults.excuses(started_at, ended_at);
        record.phases[record.phase].count(outcome, ended_at - started_at, of_existing_key, excused);
        record
            .slice
            .count(outcome, ended_at - started_at, of_existing_key, excused);
        match outcome {
            Outcome::Served { region, .. } if of_existing_key => {
                record.faults.on_served(*region, started_at, ended_at);
                record.end_gap(ended_at);
            }
            Outcome::Failed { line, .. } if excused => keep_first(&mut record.excused, line),
            Outcome::Failed { line, .. }
            | Outcome::Wrong(line)
            | Outcome::Stale { home: true, line } => keep_first(&mut record.broken, line),
            _ => {}
        }
    }

    /// The median duration of reads before the first fault.
    fn usual_duration(&self) -> Duration {
        let record = self.record();
        let first = record.phases.first().and_then(|phase| phase.quantile(0.5));
        Duration::from_secs_f64(first.unwrap_or(0.0) / 1000.0)
    }
}

impl RunRecord {
    pub(crate) fn end_phase(&mut self, at: Instant, requests: &[u64]) {
        let tally = &mut self.phases[self.phase];
        if tally.started_at.is_some() && tally.ended_at.is_none() {
            tally.ended_at = Some(at);
            tally.requests_after = requests.to_vec();
        }
    }

    /// Time in which no region could serve is not a gap.
    pub(crate) fn end_gap(&mut self, at: Instant) {
        let could_serve = match self.faults.outages.last() {
            Some(outage) => match outage.first_restore {
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

fn keep_first(lines: &mut Vec<String>, line: &str) {
    if lines.len() < LINES {
        lines.push(line.to_owned());
    }
}
