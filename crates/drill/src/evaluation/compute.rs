//! How each measure is computed from the record of a run.

use std::collections::BTreeSet;
use std::time::Duration;

use object_store_failover::CircuitState;

use super::{Evaluation, Measured};
use crate::load::tally::Tally;
use crate::runner::faults::Fault;
use crate::scenario::{Action, BREAK_AT_BYTE, NetworkFault};
use crate::units::millis;

/// The fewest requests per region that give a meaningful share.
const MIN_REQUESTS: u64 = 30;
/// The fewest reads that have a 99th percentile.
const MIN_READS_FOR_P99: u64 = 100;
/// Tolerance for a busy machine, beyond an attempt limit and a stall limit.
const SLACK: Duration = Duration::from_secs(1);
/// A larger imbalance may be the effect of a ramp.
const IMBALANCE_OF_RAMP: f64 = 0.25;

pub(super) fn count(run: &Evaluation<'_>, of: impl Fn(&Tally) -> u64) -> Measured {
    Ok(run.record.phases.iter().map(of).sum::<u64>() as f64)
}

pub(super) fn failed(run: &Evaluation<'_>) -> Measured {
    let reads: u64 = run.record.phases.iter().map(|phase| phase.reads).sum();
    if reads == 0 {
        return Err("nothing was read".into());
    }
    count(run, |phase| phase.failed - phase.excused)
}

pub(super) fn longest(run: &Evaluation<'_>, of: impl Fn(&Tally) -> f64) -> Measured {
    Ok(run.record.phases.iter().map(of).fold(0.0, f64::max))
}

pub(super) fn longest_gap(run: &Evaluation<'_>) -> Measured {
    Ok(millis(run.record.longest_gap))
}

pub(super) fn requests_to_failing(run: &Evaluation<'_>) -> Measured {
    harmful(run).try_fold(0.0, |sum, fault| {
        Ok(sum + fault.requests().ok_or("a region did not recover")? as f64)
    })
}

pub(super) fn open(run: &Evaluation<'_>) -> Measured {
    let states = run.record.circuits_at_end.iter();
    Ok(states
        .filter(|state| **state != CircuitState::Closed)
        .count() as f64)
}

fn harmful<'a>(run: &Evaluation<'a>) -> impl Iterator<Item = &'a Fault> + use<'a> {
    run.record
        .faults
        .all
        .iter()
        .filter(|fault| fault.is_harmful())
}

/// Faults that started with a closed circuit and have ended.
fn evaluated<'a>(run: &Evaluation<'a>) -> impl Iterator<Item = &'a Fault> + use<'a> {
    harmful(run).filter(|fault| fault.was_closed && fault.restored.is_some())
}

pub(super) fn detect(run: &Evaluation<'_>) -> Measured {
    evaluated(run)
        .filter_map(Fault::opened_after)
        .max()
        .map(millis)
        .ok_or_else(|| "no circuit opened".into())
}

pub(super) fn late(run: &Evaluation<'_>) -> Measured {
    let most = u64::from(run.tuning.breaker.failure_threshold) + run.readers as u64;
    let unopened: Vec<_> = evaluated(run)
        .filter(|fault| fault.opened.is_none())
        .map(|fault| &*run.deployment.names[fault.region])
        .collect();
    let worst = evaluated(run)
        .filter_map(Fault::requests_until_opened)
        .max()
        .ok_or("no fault started with a closed circuit")?;
    match worst.saturating_sub(most) {
        0 if !unopened.is_empty() => Err(format!(
            "the circuit of {} never opened: increase --seconds or --concurrency",
            unopened.join(", ")
        )),
        late => Ok(late as f64),
    }
}

/// Phases in which regions were failing, with these regions.
fn failing_phases<'a>(
    run: &Evaluation<'a>,
) -> impl Iterator<Item = (&'a Tally, BTreeSet<usize>)> + use<'a> {
    let faults = &run.record.faults.all;
    run.record
        .phases
        .iter()
        .enumerate()
        .filter_map(move |(index, phase)| {
            let failing = faults.iter().filter(|fault| {
                fault.is_harmful()
                    && fault.phase <= index
                    && index < fault.phase_of_restore.max(fault.phase + 1)
            });
            let regions: BTreeSet<_> = failing.map(|fault| fault.region).collect();
            (!regions.is_empty()).then_some((phase, regions))
        })
}

fn healthy<'a>(run: &Evaluation<'a>) -> Result<&'a Tally, String> {
    run.record
        .phases
        .first()
        .filter(|phase| phase.reads > 0)
        .ok_or_else(|| "nothing was read before the fault".into())
}

pub(super) fn extra_load(run: &Evaluation<'_>) -> Measured {
    let healthy = healthy(run)?;
    let before = healthy.requests().iter().sum::<u64>() as f64 / healthy.reads as f64;
    let of_others = |(phase, failing): (&Tally, BTreeSet<usize>)| {
        let others = phase
            .requests()
            .iter()
            .enumerate()
            .filter(|(index, _)| !failing.contains(index))
            .map(|(_, count)| count)
            .sum::<u64>();
        (phase.reads > 0 && failing.len() < run.deployment.len())
            .then(|| others as f64 / phase.reads as f64 / before)
    };
    failing_phases(run)
        .filter_map(of_others)
        .reduce(f64::max)
        .ok_or_else(|| "no phase had a fault in some but not all regions".into())
}

pub(super) fn p99_ratio(run: &Evaluation<'_>) -> Measured {
    let enough = |phase: &Tally| {
        (phase.served.len() >= MIN_READS_FOR_P99)
            .then(|| phase.quantile(0.99))
            .flatten()
    };
    let before = enough(healthy(run)?).ok_or("too few reads before the fault")?;
    let worst = failing_phases(run)
        .filter_map(|(phase, _)| enough(phase))
        .reduce(f64::max);
    worst
        .map(|during| during / before)
        .ok_or_else(|| "too few reads during a fault".into())
}

pub(super) fn refetched(run: &Evaluation<'_>) -> Measured {
    let left = run
        .deployment
        .environment
        .body_bytes()
        .ok_or("not counted")?;
    let within_body = |action: &Action| {
        matches!(
            action,
            Action::Network(NetworkFault::Reset | NetworkFault::Stall | NetworkFault::Truncate)
        )
    };
    if !harmful(run).any(|fault| fault.actions.iter().any(within_body)) {
        return Err("no fault interrupts bodies".into());
    }
    let interrupted = run
        .deployment
        .environment
        .interrupted()
        .ok_or("not counted")?;
    if interrupted == 0 {
        return Err("no body was interrupted: larger objects, or increase --seconds".into());
    }
    let delivered: u64 = run.record.phases.iter().map(|phase| phase.bytes).sum();
    Ok(left.saturating_sub(delivered) as f64 / (interrupted * BREAK_AT_BYTE) as f64)
}

/// A fault in a region that got no request proves nothing.
pub(super) fn unmet(run: &Evaluation<'_>) -> Measured {
    let unmet = evaluated(run).find(|fault| fault.requests() == Some(0));
    unmet.map_or(Ok(0.0), |fault| {
        Err(format!(
            "{} got no request while it was {}",
            run.deployment.names[fault.region],
            fault.description()
        ))
    })
}

pub(super) fn uncounted(run: &Evaluation<'_>) -> Measured {
    let arrived = run.deployment.environment.requests().ok_or("not counted")?;
    Ok(arrived
        .iter()
        .zip(run.deployment.attempts())
        .map(|(arrived, sent)| arrived.saturating_sub(sent))
        .sum::<u64>() as f64)
}

pub(super) fn too_slow(run: &Evaluation<'_>) -> Measured {
    let limit = run.tuning.attempt + run.tuning.stall + SLACK;
    let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
    count(run, |phase| phase.served.count_between(micros, u64::MAX))
}

pub(super) fn imbalance(run: &Evaluation<'_>) -> Measured {
    let (since, before) = run
        .record
        .last_part
        .as_ref()
        .ok_or("the run ended before the last part")?;
    let after = run
        .record
        .phases
        .last()
        .map(|phase| phase.requests_after.clone())
        .unwrap_or_default();
    let requests: Vec<_> = after
        .iter()
        .zip(before)
        .map(|(after, before)| after.saturating_sub(*before))
        .collect();
    let sum: u64 = requests.iter().sum();
    if sum < MIN_REQUESTS * run.deployment.len() as u64 {
        return Err("too few requests: increase --seconds or --concurrency".into());
    }
    let fair = 1.0 / run.deployment.len() as f64;
    let off = |count: &u64| (*count as f64 / sum as f64 - fair).abs() / fair;
    let furthest = requests.iter().map(off).fold(0.0, f64::max);
    let ramping = run
        .record
        .circuits
        .last()
        .is_some_and(|(at, ..)| *at + run.tuning.breaker.ramp > *since);
    if furthest > IMBALANCE_OF_RAMP && ramping {
        return Err("a circuit closed too late for its ramp to end: increase --seconds".into());
    }
    Ok(furthest)
}

pub(super) fn not_found_class(run: &Evaluation<'_>, class: &str) -> Measured {
    run.not_found
        .get(class)
        .map(|count| *count as f64)
        .ok_or_else(|| "not counted".into())
}

impl Fault {
    pub(crate) fn opened_after(&self) -> Option<Duration> {
        Some(self.opened?.0.saturating_duration_since(self.at))
    }

    pub(crate) fn served_after(&self) -> Option<Duration> {
        Some(self.served?.saturating_duration_since(self.restored?.0))
    }

    pub(crate) fn closed_after(&self) -> Option<Duration> {
        Some(self.closed?.saturating_duration_since(self.restored?.0))
    }
}
