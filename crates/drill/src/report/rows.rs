//! The rows of the tables of one run.

use std::time::Duration;

use object_store_failover::CircuitState;
use object_store_failover::health::Transition;
use serde::Serialize;
use tokio::time::Instant;

use crate::environment::Deployment;
use crate::load::tally::Tally;
use crate::runner::faults::Fault;
use crate::runner::recorder::RunRecord;
use crate::scenario::Scenario;
use crate::units::millis;

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
    /// The slowest of the circuits that opened because of the phase's faults.
    pub(crate) circuit_opened_after_ms: Option<f64>,
    /// The slowest of the regions that were restored in this phase.
    pub(crate) served_again_after_ms: Option<f64>,
    /// By region, in the order of `Head::regions`.
    pub(crate) requests: Vec<u64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct FaultRow {
    pub(crate) region: String,
    pub(crate) fault: String,
    pub(crate) phase: &'static str,
    pub(crate) began_s: f64,
    pub(crate) ended_s: Option<f64>,
    /// False if the circuit was still open from an earlier fault.
    pub(crate) circuit_was_closed: bool,
    #[serde(rename = "requests_until_left_alone")]
    pub(crate) requests_until_opened: Option<u64>,
    pub(crate) circuit_opened_after_ms: Option<f64>,
    pub(crate) trials: Option<u64>,
    pub(crate) out_for_ms: Option<f64>,
    pub(crate) served_again_after_ms: Option<f64>,
    pub(crate) circuit_closed_after_ms: Option<f64>,
}

/// One transition of a circuit.
#[derive(Debug, Serialize)]
pub(crate) struct CircuitRow {
    pub(crate) after_s: f64,
    pub(crate) region: String,
    pub(crate) to: CircuitState,
    pub(crate) why: String,
}

/// The rows of the phases that started.
pub(crate) fn phases(scenario: &Scenario, record: &RunRecord) -> Vec<PhaseRow> {
    let started = scenario
        .phases
        .iter()
        .zip(&record.phases)
        .enumerate()
        .filter(|(_, (_, tally))| tally.started_at.is_some());
    started
        .map(|(index, (phase, tally))| row(phase.name, tally, index, record))
        .collect()
}

fn row(phase: &'static str, tally: &Tally, index: usize, record: &RunRecord) -> PhaseRow {
    let faults = &record.faults.all;
    let seconds = tally
        .started_at
        .zip(tally.ended_at)
        .map_or(0.0, |(started_at, ended)| {
            (ended - started_at).as_secs_f64()
        });
    let opened = faults
        .iter()
        .filter(|fault| fault.phase == index)
        .filter_map(Fault::opened_after)
        .max();
    let served = faults
        .iter()
        .filter(|fault| fault.phase_of_restore == index)
        .filter_map(Fault::served_after)
        .max();
    PhaseRow {
        phase,
        began_s: seconds_into(record, tally.started_at),
        seconds: (seconds * 100.0).round() / 100.0,
        reads: tally.reads,
        // An interrupted phase may have no duration.
        reads_per_second: if seconds > 0.0 {
            (tally.reads as f64 / seconds).round()
        } else {
            0.0
        },
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

/// The rows of the faults, in order of time.
pub(crate) fn faults(
    scenario: &Scenario,
    record: &RunRecord,
    deployment: &Deployment,
) -> Vec<FaultRow> {
    let row = |fault: &Fault| FaultRow {
        region: deployment.names[fault.region].to_string(),
        fault: fault.description(),
        phase: scenario.phases[fault.phase].name,
        began_s: seconds_into(record, Some(fault.at)),
        ended_s: fault.restored.map(|(at, _)| seconds_into(record, Some(at))),
        circuit_was_closed: fault.was_closed,
        requests_until_opened: fault
            .requests_until_opened()
            .filter(|_| fault.was_closed && fault.is_harmful()),
        circuit_opened_after_ms: fault.opened_after().map(millis),
        trials: fault.trials(),
        out_for_ms: fault.restored.map(|(at, _)| millis(at - fault.at)),
        served_again_after_ms: fault.served_after().map(millis),
        circuit_closed_after_ms: fault.closed_after().map(millis),
    };
    record.faults.all.iter().map(row).collect()
}

/// Every transition, in order of time.
pub(crate) fn circuits(record: &RunRecord, deployment: &Deployment) -> Vec<CircuitRow> {
    let row = |(at, region, change): &(Instant, usize, Transition)| CircuitRow {
        after_s: seconds_into(record, Some(*at)),
        region: deployment.names[*region].to_string(),
        to: change.to,
        why: change.reason.to_string(),
    };
    record.circuits.iter().map(row).collect()
}

/// Seconds since the start of the run.
fn seconds_into(record: &RunRecord, at: Option<Instant>) -> f64 {
    let started_at = record.phases.first().and_then(|phase| phase.started_at);
    let into: Option<Duration> = started_at
        .zip(at)
        .map(|(started_at, at)| at.saturating_duration_since(started_at));
    into.map_or(0.0, |time| millis(time) / 1000.0)
}
