//! The run as plain data: the table prints it, `--json` writes it.

use std::time::Duration;

use hdrhistogram::Histogram;
use object_store_failover::{CircuitState, Transition};
use serde::Serialize;

use crate::board::Marks;
use crate::clock::{Instant, millis};
use crate::faults::Fault;
use crate::scenario::Scenario;
use crate::stage::Stage;
use crate::tally::Tally;
use crate::tuning::Settings;
use crate::verdict::Verdict;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) head: Head,
    pub(crate) interrupted: bool,
    pub(crate) phases: Vec<PhaseRow>,
    pub(crate) faults: Vec<FaultRow>,
    pub(crate) circuits: Vec<CircuitRow>,
    pub(crate) verdict: Verdict,
}

/// What was run: printed first.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Head {
    pub(crate) scenario: &'static str,
    pub(crate) seed: u64,
    pub(crate) seconds: u64,
    pub(crate) regions: Vec<String>,
    pub(crate) concurrency: usize,
    pub(crate) objects: usize,
    pub(crate) object_bytes: u64,
    /// What may be read, where the regions are not ours.
    pub(crate) max_bytes: Option<u64>,
    /// Not known where the settings are in a file of the user's.
    pub(crate) settings: Option<Settings>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PhaseRow {
    pub(crate) phase: &'static str,
    pub(crate) seconds: f64,
    pub(crate) reads: u64,
    pub(crate) reads_per_second: f64,
    pub(crate) failed: u64,
    pub(crate) failed_in_total_outage: u64,
    pub(crate) wrong: u64,
    pub(crate) not_found: u64,
    pub(crate) undecided: u64,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) max_ms: Option<f64>,
    pub(crate) missing_key_p50_ms: Option<f64>,
    pub(crate) missing_key_p99_ms: Option<f64>,
    pub(crate) missing_key_max_ms: Option<f64>,
    /// The slowest of the circuits that opened on this phase's faults.
    pub(crate) circuit_opened_after_ms: Option<f64>,
    /// The slowest of the regions that returned in this phase.
    pub(crate) served_again_after_ms: Option<f64>,
    /// In the order of the head's regions.
    pub(crate) requests: Vec<u64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct FaultRow {
    pub(crate) region: String,
    pub(crate) fault: &'static str,
    pub(crate) phase: &'static str,
    /// False where the circuit was still open from the fault before.
    pub(crate) circuit_was_closed: bool,
    pub(crate) requests_until_left_alone: Option<u64>,
    pub(crate) circuit_opened_after_ms: Option<f64>,
    pub(crate) trials: Option<u64>,
    pub(crate) out_for_ms: Option<f64>,
    pub(crate) served_again_after_ms: Option<f64>,
    pub(crate) circuit_closed_after_ms: Option<f64>,
}

/// One change of a circuit.
#[derive(Debug, Serialize)]
pub(crate) struct CircuitRow {
    pub(crate) after_s: f64,
    pub(crate) region: String,
    pub(crate) to: CircuitState,
    pub(crate) why: String,
}

/// The rows of the phases that were begun.
pub(crate) fn phases(scenario: &Scenario, marks: &Marks) -> Vec<PhaseRow> {
    let begun = scenario.phases.iter().zip(&marks.phases).enumerate().filter(|(_, (_, tally))| tally.began.is_some());
    begun.map(|(index, (phase, tally))| row(phase.name, tally, index, &marks.faults.all)).collect()
}

fn row(phase: &'static str, tally: &Tally, index: usize, faults: &[Fault]) -> PhaseRow {
    let seconds = tally.began.zip(tally.ended).map_or(0.0, |(began, ended)| (ended - began).as_secs_f64());
    let opened = faults.iter().filter(|fault| fault.phase == index).filter_map(Fault::opened_after).max();
    let served = faults.iter().filter(|fault| fault.phase_of_return == index).filter_map(Fault::served_after).max();
    PhaseRow {
        phase,
        seconds: (seconds * 100.0).round() / 100.0,
        reads: tally.reads,
        // Right after Ctrl-C a phase may be no time old.
        reads_per_second: if seconds > 0.0 { (tally.reads as f64 / seconds).round() } else { 0.0 },
        failed: tally.failed,
        failed_in_total_outage: tally.excused,
        wrong: tally.wrong,
        not_found: tally.not_found,
        undecided: tally.undecided,
        p50_ms: quantile(&tally.served, 0.5),
        p99_ms: quantile(&tally.served, 0.99),
        max_ms: quantile(&tally.served, 1.0),
        missing_key_p50_ms: quantile(&tally.missing, 0.5),
        missing_key_p99_ms: quantile(&tally.missing, 0.99),
        missing_key_max_ms: quantile(&tally.missing, 1.0),
        circuit_opened_after_ms: opened.map(millis),
        served_again_after_ms: served.map(millis),
        requests: tally.requests(),
    }
}

/// The rows of the faults, in the order of time.
pub(crate) fn faults(scenario: &Scenario, marks: &Marks, stage: &Stage) -> Vec<FaultRow> {
    let row = |fault: &Fault| FaultRow {
        region: stage.names[fault.region].to_string(),
        fault: fault.act.state(),
        phase: scenario.phases[fault.phase].name,
        circuit_was_closed: fault.was_closed,
        requests_until_left_alone: fault.until_left_alone().filter(|_| fault.was_closed),
        circuit_opened_after_ms: fault.opened_after().map(millis),
        trials: fault.trials(),
        out_for_ms: fault.returned.map(|(at, _)| millis(at - fault.at)),
        served_again_after_ms: fault.served_after().map(millis),
        circuit_closed_after_ms: after(fault.returned.map(|(at, _)| at), fault.closed).map(millis),
    };
    marks.faults.all.iter().map(row).collect()
}

/// Every change of a circuit, in the order of time.
pub(crate) fn circuits(marks: &Marks, stage: &Stage) -> Vec<CircuitRow> {
    let began = marks.phases.first().and_then(|phase| phase.began);
    let row = |(at, region, change): &(Instant, usize, Transition)| CircuitRow {
        after_s: after(began, Some(*at)).map_or(0.0, |time| millis(time) / 1000.0),
        region: stage.names[*region].to_string(),
        to: change.to,
        why: change.reason.to_string(),
    };
    marks.circuits.iter().map(row).collect()
}

impl Fault {
    pub(crate) fn opened_after(&self) -> Option<Duration> {
        after(Some(self.at), self.opened.map(|(at, _)| at))
    }

    pub(crate) fn served_after(&self) -> Option<Duration> {
        after(self.returned.map(|(at, _)| at), self.served)
    }
}

impl Marks {
    pub(crate) fn all_closed(&self) -> bool {
        self.circuits_at_end.iter().all(|state| *state == CircuitState::Closed)
    }
}

fn after(from: Option<Instant>, until: Option<Instant>) -> Option<Duration> {
    from.zip(until).map(|(from, until)| until.saturating_duration_since(from))
}

fn quantile(times: &Histogram<u64>, share: f64) -> Option<f64> {
    (!times.is_empty()).then(|| millis(Duration::from_micros(times.value_at_quantile(share))))
}
