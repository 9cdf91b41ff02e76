//! The rows of one run's tables.

use std::time::Duration;

use object_store_failover::{CircuitState, Transition};
use serde::Serialize;

use crate::clock::{Instant, millis};
use crate::ground::Stage;
use crate::load::tally::Tally;
use crate::play::board::Marks;
use crate::play::faults::Fault;
use crate::scenario::Scenario;

#[derive(Debug, Serialize)]
pub(crate) struct PhaseRow {
    pub(crate) phase: &'static str,
    pub(crate) began_s: f64,
    pub(crate) seconds: f64,
    pub(crate) reads: u64,
    pub(crate) reads_per_second: f64,
    pub(crate) failed: u64,
    pub(crate) failed_in_total_outage: u64,
    pub(crate) wrong: u64,
    pub(crate) stale: u64,
    pub(crate) stale_elsewhere: u64,
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
    pub(crate) fault: String,
    pub(crate) phase: &'static str,
    pub(crate) began_s: f64,
    pub(crate) ended_s: Option<f64>,
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
    begun.map(|(index, (phase, tally))| row(phase.name, tally, index, marks)).collect()
}

fn row(phase: &'static str, tally: &Tally, index: usize, marks: &Marks) -> PhaseRow {
    let faults = &marks.faults.all;
    let seconds = tally.began.zip(tally.ended).map_or(0.0, |(began, ended)| (ended - began).as_secs_f64());
    let opened = faults.iter().filter(|fault| fault.phase == index).filter_map(Fault::opened_after).max();
    let served = faults.iter().filter(|fault| fault.phase_of_return == index).filter_map(Fault::served_after).max();
    PhaseRow {
        phase,
        began_s: seconds_into(marks, tally.began),
        seconds: (seconds * 100.0).round() / 100.0,
        reads: tally.reads,
        // Right after Ctrl-C a phase may be no time old.
        reads_per_second: if seconds > 0.0 { (tally.reads as f64 / seconds).round() } else { 0.0 },
        failed: tally.failed,
        failed_in_total_outage: tally.excused,
        wrong: tally.wrong,
        stale: tally.stale,
        stale_elsewhere: tally.stale_elsewhere,
        not_found: tally.not_found,
        undecided: tally.undecided,
        p50_ms: tally.quantile(0.5),
        p99_ms: tally.quantile(0.99),
        max_ms: tally.quantile(1.0),
        missing_key_p50_ms: tally.missing_quantile(0.5),
        missing_key_p99_ms: tally.missing_quantile(0.99),
        missing_key_max_ms: tally.missing_quantile(1.0),
        circuit_opened_after_ms: opened.map(millis),
        served_again_after_ms: served.map(millis),
        requests: tally.requests(),
    }
}

/// The rows of the faults, in the order of time.
pub(crate) fn faults(scenario: &Scenario, marks: &Marks, stage: &Stage) -> Vec<FaultRow> {
    let row = |fault: &Fault| FaultRow {
        region: stage.names[fault.region].to_string(),
        fault: fault.told(),
        phase: scenario.phases[fault.phase].name,
        began_s: seconds_into(marks, Some(fault.at)),
        ended_s: fault.returned.map(|(at, _)| seconds_into(marks, Some(at))),
        circuit_was_closed: fault.was_closed,
        requests_until_left_alone: fault.until_left_alone().filter(|_| fault.was_closed && fault.is_harm()),
        circuit_opened_after_ms: fault.opened_after().map(millis),
        trials: fault.trials(),
        out_for_ms: fault.returned.map(|(at, _)| millis(at - fault.at)),
        served_again_after_ms: fault.served_after().map(millis),
        circuit_closed_after_ms: fault.closed_after().map(millis),
    };
    marks.faults.all.iter().map(row).collect()
}

/// Every change of a circuit, in the order of time.
pub(crate) fn circuits(marks: &Marks, stage: &Stage) -> Vec<CircuitRow> {
    let row = |(at, region, change): &(Instant, usize, Transition)| CircuitRow {
        after_s: seconds_into(marks, Some(*at)),
        region: stage.names[*region].to_string(),
        to: change.to,
        why: change.reason.to_string(),
    };
    marks.circuits.iter().map(row).collect()
}

/// Seconds since the run began.
fn seconds_into(marks: &Marks, at: Option<Instant>) -> f64 {
    let began = marks.phases.first().and_then(|phase| phase.began);
    let into: Option<Duration> = began.zip(at).map(|(began, at)| at.saturating_duration_since(began));
    into.map_or(0.0, |time| millis(time) / 1000.0)
}
