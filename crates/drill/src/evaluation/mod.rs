//! The evaluation of a run: its measures, compared with the expected bounds.

mod compute;
pub(crate) mod expect;
pub(crate) mod measures;
pub(crate) mod not_found;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::environment::Deployment;
use crate::runner::recorder::RunRecord;
use crate::tuning::Tuning;
use crate::units;

use expect::Expected;
use measures::{MEASURES, Measure, Unit};

/// A measured value, or why the run does not give one.
pub(crate) type Measured = Result<f64, String>;

/// The data that measures are computed from.
pub(crate) struct Evaluation<'a> {
    pub(crate) record: &'a RunRecord,
    pub(crate) deployment: &'a Deployment,
    pub(crate) tuning: &'a Tuning,
    pub(crate) readers: usize,
    /// Reads of keys that a region lacked, by class.
    pub(crate) not_found: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Held {
    Ok,
    Failed,
    /// The measure has no value. This is not a pass.
    NotProven,
}

/// A measure and its bounds.
#[derive(Debug, Serialize)]
pub(crate) struct Evaluated {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// `None` without a bound.
    pub(crate) expected: Option<String>,
    pub(crate) measured: String,
    /// Milliseconds for a time.
    pub(crate) value: Option<f64>,
    pub(crate) held: Option<Held>,
}

/// The verdict of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Holds,
    Broken,
    /// A bounded measure has no value. This is not a pass.
    NotProven,
    Skipped,
    /// Interrupted, which is not a result of the store.
    Interrupted,
}

impl Outcome {
    /// The verdict of a run that ended before its last phase did: a broken bound stays broken, but
    /// nothing is proven.
    pub(crate) fn after(self, interrupted: bool, ended_early: bool) -> Self {
        match self {
            _ if interrupted => Self::Interrupted,
            Self::Holds if ended_early => Self::NotProven,
            other => other,
        }
    }
}

/// Computes every measure and compares it with its bounds.
pub(crate) fn evaluate(run: &Evaluation<'_>, expected: &[Expected]) -> (Outcome, Vec<Evaluated>) {
    let measures: Vec<_> = MEASURES
        .iter()
        .map(|measure| compare(measure, (measure.of)(run), expected))
        .collect();
    let held = |wanted: Held| measures.iter().any(|measure| measure.held == Some(wanted));
    let outcome = match () {
        // A run whose faults could not be injected shows nothing.
        () if held(Held::Failed) || !run.record.failed_actions.is_empty() => Outcome::Broken,
        () if held(Held::NotProven) => Outcome::NotProven,
        () => Outcome::Holds,
    };
    (outcome, measures)
}

fn compare(measure: &Measure, measured: Measured, expected: &[Expected]) -> Evaluated {
    let expected: Vec<_> = expected
        .iter()
        .filter(|expected| expected.name == measure.name)
        .collect();
    let held = (!expected.is_empty()).then(|| match &measured {
        Ok(value) if expected.iter().all(|expected| expected.holds(*value)) => Held::Ok,
        Ok(_) => Held::Failed,
        Err(_) => Held::NotProven,
    });
    let expected = (!expected.is_empty()).then(|| {
        expected
            .iter()
            .map(|expected| expected.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    });
    let (value, text) = match measured {
        Ok(value) => (Some(value), shown(value, measure.unit)),
        Err(why) => (None, why),
    };
    Evaluated {
        name: measure.name,
        about: measure.about,
        expected,
        measured: text,
        value,
        held,
    }
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => format!("{value:.0}"),
        Unit::Ratio => format!("{value:.2}"),
        Unit::Time => units::time(value),
    }
}
