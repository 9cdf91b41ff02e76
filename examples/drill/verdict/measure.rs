//! What is measured of a run, each figure by its name.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Run;
use crate::clock::millis;
use crate::load::tally::Tally;
use crate::play::faults::Fault;
use crate::scenario::{Act, BEFORE_THE_END, Spoil};

/// Fewer requests than this per region say nothing about shares.
const ENOUGH: u64 = 30;
/// What a busy machine may add to a read that has met both limits.
const SLACK: Duration = Duration::from_secs(1);
/// Fewer reads than this have no 99th percentile.
const ENOUGH_FOR_P99: u64 = 100;

pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// For `--help` and docs.
    pub(crate) about: &'static str,
    pub(crate) of: fn(&Run<'_>) -> Measured,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Ratio,
    /// Milliseconds.
    Time,
}

/// The figure; or why this run cannot tell.
pub(crate) type Measured = Result<f64, String>;

const fn measure(name: &'static str, unit: Unit, about: &'static str, of: fn(&Run<'_>) -> Measured) -> Measure {
    Measure { name, unit, about, of }
}

/// Everything that is measured.
pub(crate) const MEASURES: &[Measure] = &[
    measure("failed", Unit::Count, "reads that failed while a region could serve", failed),
    measure("wrong", Unit::Count, "reads with wrong bytes, NotFound for a key that exists, an object where there is none", |run| {
        count(run, |phase| phase.wrong)
    }),
    measure("stale", Unit::Count, "older versions of keys under home_prefixes", |run| count(run, |phase| phase.stale)),
    measure("stale_elsewhere", Unit::Count, "older versions of other keys that were overwritten or deleted", |run| {
        count(run, |phase| phase.stale_elsewhere)
    }),
    measure("hung", Unit::Count, "reads that had not ended past all limits", |run| Ok(run.marks.never_ended as f64)),
    measure("dishonest", Unit::Count, "errors of a total outage that do not name every region", |run| count(run, |phase| phase.dishonest)),
    measure("detect", Unit::Time, "from a fault to its open circuit, the slowest", detect),
    measure("rto", Unit::Time, "the longest time in which no read was served although a region could", |run| {
        Ok(millis(run.marks.longest_gap))
    }),
    measure("worst", Unit::Time, "the longest read of a key that exists, whatever came of it", |run| {
        Ok(run.marks.phases.iter().map(|phase| phase.slowest).fold(0.0, f64::max))
    }),
    measure("worst_missing", Unit::Time, "the longest read of a key that does not exist", |run| {
        Ok(run.marks.phases.iter().map(|phase| phase.slowest_missing).fold(0.0, f64::max))
    }),
    measure("sick_requests", Unit::Count, "requests to sick regions, from the fault to the return", |run| {
        harms(run).try_fold(0.0, |sum, fault| Ok(sum + fault.requests().ok_or("a region did not return")? as f64))
    }),
    measure("late", Unit::Count, "requests to a sick region beyond failure_threshold + readers, while its circuit was closed", late),
    measure("extra_load", Unit::Ratio, "requests per read to the other regions during a fault, against those to all before", extra_load),
    measure("p99_ratio", Unit::Ratio, "p99 during faults against before", p99_ratio),
    measure(
        "refetched",
        Unit::Ratio,
        "bytes of bodies that left the regions and were not needed, against those that broken ones had brought",
        refetched,
    ),
    measure("too_slow", Unit::Count, "reads that took longer than an attempt's limit, a stall and a second", too_slow),
    measure("worst_error", Unit::Time, "the longest failed read of a total outage", |run| {
        Ok(run.marks.phases.iter().map(|phase| phase.slowest_excused).fold(0.0, f64::max))
    }),
    measure("imbalance", Unit::Ratio, "how far the furthest region's share is from an equal one at the end, as a part of that", imbalance),
    measure("open", Unit::Count, "circuits that are not closed at the end", |run| {
        let open = run.marks.circuits_at_end.iter().filter(|state| **state != object_store_failover::CircuitState::Closed);
        Ok(open.count() as f64)
    }),
    measure("undecided", Unit::Count, "reads of missing keys that nobody could decide", |run| count(run, |phase| phase.undecided)),
    measure("undecided_before", Unit::Count, "the same, before anything was done", |run| {
        Ok(run.marks.phases.first().map_or(0, |phase| phase.undecided) as f64)
    }),
    measure("unmet", Unit::Count, "faults in a region that nobody asked meanwhile", unmet),
    measure("uncounted", Unit::Count, "requests that reached a region, and that the store does not count as its own", uncounted),
    measure("lagging", Unit::Count, "reads of keys that one region missed and another had", |run| class(run, "lagging")),
    measure("deleted", Unit::Count, "reads of missing keys that a delete marker decided", |run| class(run, "deleted")),
];

fn count(run: &Run<'_>, of: impl Fn(&Tally) -> u64) -> Measured {
    Ok(run.marks.phases.iter().map(of).sum::<u64>() as f64)
}

fn failed(run: &Run<'_>) -> Measured {
    let reads: u64 = run.marks.phases.iter().map(|phase| phase.reads).sum();
    if reads == 0 {
        return Err("nothing was read".into());
    }
    count(run, |phase| phase.failed - phase.excused)
}

fn harms<'a>(run: &Run<'a>) -> impl Iterator<Item = &'a Fault> + use<'a> {
    run.marks.faults.all.iter().filter(|fault| fault.is_harm())
}

/// Faults that met a closed circuit and lasted until they were mended.
fn judged<'a>(run: &Run<'a>) -> impl Iterator<Item = &'a Fault> + use<'a> {
    harms(run).filter(|fault| fault.was_closed && fault.returned.is_some())
}

fn detect(run: &Run<'_>) -> Measured {
    judged(run).filter_map(Fault::opened_after).max().map(millis).ok_or_else(|| "no circuit opened".into())
}

fn late(run: &Run<'_>) -> Measured {
    let most = u64::from(run.tuning.breaker.failure_threshold) + run.readers as u64;
    let unopened: Vec<_> = judged(run).filter(|fault| fault.opened.is_none()).map(|fault| &*run.stage.names[fault.region]).collect();
    let worst = judged(run).filter_map(Fault::until_left_alone).max().ok_or("no fault met a closed circuit")?;
    match worst.saturating_sub(most) {
        0 if !unopened.is_empty() => {
            Err(format!("the circuit of {} never opened in so short a time: more --seconds or --concurrency", unopened.join(", ")))
        }
        late => Ok(late as f64),
    }
}

/// Phases in which some region was sick, with the regions that were.
fn sick_phases<'a>(run: &Run<'a>) -> impl Iterator<Item = (&'a Tally, BTreeSet<usize>)> + use<'a> {
    let faults = &run.marks.faults.all;
    run.marks.phases.iter().enumerate().filter_map(move |(index, phase)| {
        let sick =
            faults.iter().filter(|fault| fault.is_harm() && fault.phase <= index && index < fault.phase_of_return.max(fault.phase + 1));
        let regions: BTreeSet<_> = sick.map(|fault| fault.region).collect();
        (!regions.is_empty()).then_some((phase, regions))
    })
}

fn healthy<'a>(run: &Run<'a>) -> Result<&'a Tally, String> {
    run.marks.phases.first().filter(|phase| phase.reads > 0).ok_or_else(|| "nothing was read before the fault".into())
}

fn extra_load(run: &Run<'_>) -> Measured {
    let healthy = healthy(run)?;
    let before = healthy.requests().iter().sum::<u64>() as f64 / healthy.reads as f64;
    let of_others = |(phase, sick): (&Tally, BTreeSet<usize>)| {
        let others = phase.requests().iter().enumerate().filter(|(index, _)| !sick.contains(index)).map(|(_, count)| count).sum::<u64>();
        (phase.reads > 0 && sick.len() < run.stage.len()).then(|| others as f64 / phase.reads as f64 / before)
    };
    sick_phases(run).filter_map(of_others).reduce(f64::max).ok_or_else(|| "no region was well all the time".into())
}

fn p99_ratio(run: &Run<'_>) -> Measured {
    let enough = |phase: &Tally| (phase.served.len() >= ENOUGH_FOR_P99).then(|| phase.quantile(0.99)).flatten();
    let before = enough(healthy(run)?).ok_or("too few reads before the fault")?;
    let worst = sick_phases(run).filter_map(|(phase, _)| enough(phase)).reduce(f64::max);
    worst.map(|during| during / before).ok_or_else(|| "too few reads during a fault".into())
}

fn refetched(run: &Run<'_>) -> Measured {
    let left = run.stage.ground.body_bytes().ok_or("not counted")?;
    let in_mid_body = |act: &Act| matches!(act, Act::Spoil(Spoil::Reset | Spoil::Stall | Spoil::Truncate));
    if !harms(run).any(|fault| fault.acts.iter().any(in_mid_body)) {
        return Err("no body was to be broken".into());
    }
    let struck = run.stage.ground.struck().ok_or("not counted")?;
    if struck == 0 {
        return Err("nothing was broken: larger objects, or more --seconds".into());
    }
    let delivered: u64 = run.marks.phases.iter().map(|phase| phase.bytes).sum();
    Ok(left.saturating_sub(delivered) as f64 / (struck * BEFORE_THE_END) as f64)
}

/// A fault that met nobody proves nothing.
fn unmet(run: &Run<'_>) -> Measured {
    let unmet = judged(run).find(|fault| fault.requests() == Some(0));
    unmet.map_or(Ok(0.0), |fault| Err(format!("{} was not asked while it was {}", run.stage.names[fault.region], fault.told())))
}

fn uncounted(run: &Run<'_>) -> Measured {
    let arrived = run.stage.ground.requests().ok_or("not counted")?;
    Ok(arrived.iter().zip(run.stage.attempts()).map(|(arrived, sent)| arrived.saturating_sub(sent)).sum::<u64>() as f64)
}

fn too_slow(run: &Run<'_>) -> Measured {
    let limit = run.tuning.attempt + run.tuning.stall + SLACK;
    let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
    count(run, |phase| phase.served.count_between(micros, u64::MAX))
}

fn imbalance(run: &Run<'_>) -> Measured {
    let (since, before) = run.marks.last_stretch.as_ref().ok_or("the run was ended before")?;
    let after = run.marks.phases.last().map(|phase| phase.requests_after.clone()).unwrap_or_default();
    let requests: Vec<_> = after.iter().zip(before).map(|(after, before)| after.saturating_sub(*before)).collect();
    let sum: u64 = requests.iter().sum();
    if sum < ENOUGH * run.stage.len() as u64 {
        return Err("too few requests to tell: more --seconds or --concurrency".into());
    }
    let fair = 1.0 / run.stage.len() as f64;
    let off = |count: &u64| (*count as f64 / sum as f64 - fair).abs() / fair;
    let furthest = requests.iter().map(off).fold(0.0, f64::max);
    let ramping = run.marks.circuits.last().is_some_and(|(at, ..)| *at + run.tuning.breaker.ramp > *since);
    if furthest > RAMPING_MATTERS && ramping {
        return Err("a circuit closed too late for its ramp to end: more --seconds".into());
    }
    Ok(furthest)
}

/// A share that is further off than this may be so because of a ramp.
const RAMPING_MATTERS: f64 = 0.25;

fn class(run: &Run<'_>, class: &str) -> Measured {
    run.missing.get(class).map(|count| *count as f64).ok_or_else(|| "not counted".into())
}

impl Fault {
    pub(crate) fn opened_after(&self) -> Option<Duration> {
        Some(self.opened?.0.saturating_duration_since(self.at))
    }

    pub(crate) fn served_after(&self) -> Option<Duration> {
        Some(self.served?.saturating_duration_since(self.returned?.0))
    }

    pub(crate) fn closed_after(&self) -> Option<Duration> {
        Some(self.closed?.saturating_duration_since(self.returned?.0))
    }
}
