//! What the store promises, and whether this run kept it.

use serde::Serialize;

use crate::board::Marks;
use crate::faults::{Fault, Outage, RECOVERY};
use crate::stage::Stage;
use crate::tally::Tally;
use crate::tuning::Tuning;

/// How far a region's share of the requests may be from an equal one, as a part of that.
const TOLERANCE: f64 = 0.3;
/// Fewer requests than this per region say nothing about shares.
const ENOUGH: u64 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Held {
    Ok,
    Failed,
    /// The run was too short to tell; that is no pass.
    NotProven,
}

#[derive(Debug, Serialize)]
pub(crate) struct Promise {
    pub(crate) promise: String,
    pub(crate) held: Held,
    pub(crate) measured: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) holds: bool,
    pub(crate) promises: Vec<Promise>,
    /// The first reads that broke one, with the whole line of their error.
    pub(crate) broken_by: Vec<String>,
    /// The first of the failed reads that met a total outage.
    pub(crate) excused: Vec<String>,
}

/// Judges the run by what is on the board.
pub(crate) fn judge(marks: &Marks, stage: &Stage, tuning: &Tuning, readers: usize) -> Verdict {
    let mut promises = vec![no_failed_read(marks, stage), no_wrong_byte(marks), every_read_ended(marks)];
    if stage.is_ours() {
        promises.extend(left_alone(marks, stage, tuning, readers));
        promises.extend(marks.faults.outages.iter().map(served_again));
        promises.push(full_rotation(marks, stage, tuning));
    }
    let holds = promises.iter().all(|promise| promise.held == Held::Ok);
    Verdict { holds, promises, broken_by: marks.broken.clone(), excused: marks.excused.clone() }
}

fn no_failed_read(marks: &Marks, stage: &Stage) -> Promise {
    let reads: u64 = marks.phases.iter().map(|phase| phase.reads).sum();
    let excused: u64 = marks.phases.iter().map(|phase| phase.excused).sum();
    let failed = marks.phases.iter().map(|phase| phase.failed).sum::<u64>() - excused;
    let outage = if excused > 0 { format!(" ({excused} more while all regions were gone)") } else { String::new() };
    let promise =
        if stage.is_ours() { "no failed read while one region is alive" } else { "no failed read (unless you broke all regions at once)" };
    promised(promise, failed == 0 && reads > 0, format!("{failed} of {reads} reads failed{outage}"))
}

fn no_wrong_byte(marks: &Marks) -> Promise {
    let wrong: u64 = marks.phases.iter().map(|phase| phase.wrong).sum();
    let whole: u64 = marks.phases.iter().map(|phase: &Tally| phase.served.len()).sum();
    promised(
        "no wrong byte, no NotFound for a key that exists",
        wrong == 0,
        format!("{wrong} wrong; {whole} bodies compared with their digests"),
    )
}

fn every_read_ended(marks: &Marks) -> Promise {
    promised("every read ends", marks.never_ended == 0, format!("{} reads hung past all limits", marks.never_ended))
}

/// One promise for all faults that met a closed circuit.
fn left_alone(marks: &Marks, stage: &Stage, tuning: &Tuning, readers: usize) -> Option<Promise> {
    let most = u64::from(tuning.breaker.failure_threshold) + readers as u64;
    let judged: Vec<_> = marks.faults.all.iter().filter(|fault| fault.was_closed && fault.returned.is_some()).collect();
    let (worst, requests) =
        judged.iter().filter_map(|fault| Some((fault, fault.until_left_alone()?))).max_by_key(|(_, requests)| *requests)?;
    let unopened: Vec<_> = judged.iter().filter(|fault| fault.opened.is_none()).map(|fault| name(fault, stage)).collect();
    let promise = format!(
        "a dead region is left alone after failure_threshold + in-flight requests ({} + {readers})",
        tuning.breaker.failure_threshold
    );
    let measured = format!("at most {requests} ({})", name(worst, stage));
    let (held, measured) = match () {
        () if requests > most => (Held::Failed, measured),
        () if !unopened.is_empty() => (
            Held::NotProven,
            format!("{measured}; the circuit of {} never opened in so short a time: more --seconds or --concurrency", unopened.join(", ")),
        ),
        () => (Held::Ok, measured),
    };
    Some(Promise { promise, held, measured })
}

fn served_again(outage: &Outage) -> Promise {
    let promise = format!("reads served within {} s of the first region's return from a total outage", RECOVERY.as_secs());
    match outage.first_return.zip(outage.served) {
        Some((back, served)) => promised(&promise, served - back <= RECOVERY, format!("{:.2} s", (served - back).as_secs_f64())),
        None => promised(&promise, false, "never served again".into()),
    }
}

fn full_rotation(marks: &Marks, stage: &Stage, tuning: &Tuning) -> Promise {
    let promise =
        format!("full rotation again at the end: all circuits closed, each share within {:.0} % of 1/{}", TOLERANCE * 100.0, stage.len());
    let Some((since, before)) = &marks.last_stretch else {
        return Promise { promise, held: Held::NotProven, measured: "the run was ended before".into() };
    };
    let after = marks.phases.last().map(|phase| phase.requests_after.clone()).unwrap_or_default();
    let requests: Vec<_> = after.iter().zip(before).map(|(after, before)| after.saturating_sub(*before)).collect();
    let sum: u64 = requests.iter().sum();
    let shares: Vec<_> = requests.iter().map(|count| *count as f64 / sum.max(1) as f64).collect();
    let fair = 1.0 / stage.len() as f64;
    let even = shares.iter().all(|share| (share - fair).abs() <= fair * TOLERANCE);
    let measured = format!("{} %", shares.iter().map(|share| format!("{:.1}", share * 100.0)).collect::<Vec<_>>().join(" / "));
    let ramping = marks.circuits.last().is_some_and(|(at, ..)| *at + tuning.breaker.ramp > *since);
    let (held, why) = match () {
        () if !marks.all_closed() => (Held::Failed, "; not all circuits are closed"),
        () if even && sum >= ENOUGH * stage.len() as u64 => (Held::Ok, ""),
        () if ramping => (Held::NotProven, "; a circuit closed too late for its ramp to end: more --seconds"),
        () if sum < ENOUGH * stage.len() as u64 => (Held::NotProven, "; too few requests to tell: more --seconds or --concurrency"),
        () => (Held::Failed, ""),
    };
    Promise { promise, held, measured: format!("{measured}{why}") }
}

fn promised(promise: &str, held: bool, measured: String) -> Promise {
    Promise { promise: promise.into(), held: if held { Held::Ok } else { Held::Failed }, measured }
}

fn name(fault: &Fault, stage: &Stage) -> String {
    stage.names[fault.region].to_string()
}
