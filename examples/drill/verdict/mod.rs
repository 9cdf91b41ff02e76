//! What was expected of a run, what was measured, and whether the one holds against the other.

pub(crate) mod expect;
pub(crate) mod measure;
pub(crate) mod missing;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ground::Stage;
use crate::play::board::Marks;
use crate::tuning::Tuning;
use expect::Expected;
use measure::{MEASURES, Measure, Measured, Unit};

/// Everything that a run has left.
pub(crate) struct Run<'a> {
    pub(crate) marks: &'a Marks,
    pub(crate) stage: &'a Stage,
    pub(crate) tuning: &'a Tuning,
    pub(crate) readers: usize,
    /// Reads of keys that were missing somewhere, by how they ended.
    pub(crate) missing: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Held {
    Ok,
    Failed,
    /// The run was too short to tell; that is no pass.
    NotProven,
}

/// One figure, and what was expected of it.
#[derive(Debug, Serialize)]
pub(crate) struct Judged {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// None where nothing was.
    pub(crate) expected: Option<String>,
    pub(crate) measured: String,
    /// In milliseconds, where it is a time.
    pub(crate) value: Option<f64>,
    pub(crate) held: Option<Held>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Holds,
    Broken,
    /// Too little happened to tell. That is no pass.
    NotProven,
    Skipped,
    /// Ended from outside: says nothing about the store.
    Interrupted,
}

impl Outcome {
    /// What it is for a run that did not come to its end: what was broken stays broken, but nothing is proven.
    pub(crate) fn after(self, interrupted: bool, ended_early: bool) -> Self {
        match self {
            _ if interrupted => Self::Interrupted,
            Self::Holds if ended_early => Self::NotProven,
            other => other,
        }
    }
}

/// Judges the run: every measure, with what was expected of it.
pub(crate) fn judge(run: &Run<'_>, expected: &[Expected]) -> (Outcome, Vec<Judged>) {
    let judged: Vec<_> = MEASURES.iter().map(|measure| one(measure, (measure.of)(run), expected)).collect();
    let held = |wanted: Held| judged.iter().any(|judged| judged.held == Some(wanted));
    let outcome = match () {
        () if held(Held::Failed) || !run.marks.undone.is_empty() => Outcome::Broken,
        () if held(Held::NotProven) => Outcome::NotProven,
        () => Outcome::Holds,
    };
    (outcome, judged)
}

fn one(measure: &Measure, measured: Measured, expected: &[Expected]) -> Judged {
    let expected: Vec<_> = expected.iter().filter(|expected| expected.name == measure.name).collect();
    let held = (!expected.is_empty()).then(|| match &measured {
        Ok(value) if expected.iter().all(|expected| expected.holds(*value)) => Held::Ok,
        Ok(_) => Held::Failed,
        Err(_) => Held::NotProven,
    });
    let expected = (!expected.is_empty()).then(|| expected.iter().map(|expected| expected.to_string()).collect::<Vec<_>>().join(", "));
    let (value, text) = match measured {
        Ok(value) => (Some(value), shown(value, measure.unit)),
        Err(why) => (None, why),
    };
    Judged { name: measure.name, about: measure.about, expected, measured: text, value, held }
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => format!("{value:.0}"),
        Unit::Ratio => format!("{value:.2}"),
        Unit::Time => crate::report::time(value),
    }
}
