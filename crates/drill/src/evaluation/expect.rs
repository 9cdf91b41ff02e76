//! Bounds of measures: `failed=0,rto<2s,extra_load<1.3`.

use std::fmt;

use super::measures::{MEASURES, Unit};
use crate::environment::Deployment;
use crate::scenario::Scenario;

/// A measure and one bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expected {
    pub(crate) name: &'static str,
    sign: Sign,
    bound: f64,
    /// Sign and bound as given.
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Equal,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// Longer signs first: `<=` starts with `<`.
const SIGNS: [(&str, Sign); 5] = [
    ("<=", Sign::AtMost),
    (">=", Sign::AtLeast),
    ("<", Sign::Below),
    (">", Sign::Above),
    ("=", Sign::Equal),
];

impl Expected {
    pub(crate) fn holds(&self, measured: f64) -> bool {
        match self.sign {
            Sign::Equal => (measured - self.bound).abs() < f64::EPSILON,
            Sign::Below => measured < self.bound,
            Sign::AtMost => measured <= self.bound,
            Sign::Above => measured > self.bound,
            Sign::AtLeast => measured >= self.bound,
        }
    }
}

/// Sign and bound.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Parses a list. Two bounds of one measure both apply.
pub(crate) fn parse(text: &str) -> Result<Vec<Expected>, String> {
    let bounds = text
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty());
    bounds.map(bound).collect()
}

/// Bounds of every run: each fault affected requests, and the store counted all of its requests.
const ALWAYS: &str = "unmet=0,uncounted=0,undecided_before=0";

/// The bounds of a run: those of the scenario that can be measured here, overridden by `--expect`.
pub(crate) fn of_run(
    scenario: &Scenario,
    deployment: &Deployment,
    hedging: bool,
    wanted: &[Expected],
) -> Result<Vec<Expected>, String> {
    let mut usual = parse(&format!("{ALWAYS},{}", scenario.expect))?;
    usual.retain(|one| match one.name {
        // Hedges to a failing region are additional requests that this measure would count.
        "late" => !hedging,
        "refetched" => deployment.environment.interrupted().is_some(),
        "uncounted" => {
            deployment.failover().is_some() && deployment.environment.requests().is_some()
        }
        _ => true,
    });
    Ok(merged(usual, wanted))
}

/// Replaces the usual bounds of the measures that `wanted` names.
fn merged(mut usual: Vec<Expected>, wanted: &[Expected]) -> Vec<Expected> {
    usual.retain(|usual| wanted.iter().all(|wanted| wanted.name != usual.name));
    usual.extend(wanted.iter().cloned());
    usual
}

fn bound(text: &str) -> Result<Expected, String> {
    let usage = "expected NAME SIGN BOUND, such as failed=0, rto<2s or extra_load<=1.3";
    let (sign_text, sign) = SIGNS
        .into_iter()
        .find(|(sign, _)| text.contains(sign))
        .ok_or_else(|| format!("`{text}`: {usage}"))?;
    let (name, bound) = text
        .split_once(sign_text)
        .ok_or_else(|| format!("`{text}`: {usage}"))?;
    let known = MEASURES.iter().find(|measure| measure.name == name.trim());
    let measure = known.ok_or_else(|| {
        let names: Vec<_> = MEASURES.iter().map(|measure| measure.name).collect();
        format!(
            "unknown measure `{}`; known: {}",
            name.trim(),
            names.join(", ")
        )
    })?;
    let bound = bound.trim();
    let value = match measure.unit {
        Unit::Time => time(bound),
        Unit::Count | Unit::Ratio => bound.parse().ok(),
    };
    let value = value
        .filter(|value: &f64| value.is_finite())
        .ok_or_else(|| match measure.unit {
            Unit::Time => format!("`{text}`: {} is a time, such as 2s or 500ms", measure.name),
            Unit::Count | Unit::Ratio => format!("`{text}`: {} is a number", measure.name),
        })?;
    Ok(Expected {
        name: measure.name,
        sign,
        bound: value,
        text: format!("{sign_text}{bound}"),
    })
}

/// Parses a time to milliseconds.
fn time(text: &str) -> Option<f64> {
    let (number, factor) = match text.strip_suffix("ms") {
        Some(number) => (number, 1.0),
        None => (text.strip_suffix('s')?, 1000.0),
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::{merged, parse};

    fn holds(text: &str, measured: f64) -> bool {
        let expected = parse(text).expect("valid bounds");
        expected[0].holds(measured)
    }

    #[test]
    fn signs_compare_as_written() {
        assert!(holds("failed=0", 0.0) && !holds("failed=0", 1.0));
        assert!(holds("extra_load<1.3", 1.29) && !holds("extra_load<1.3", 1.3));
        assert!(holds("extra_load<=1.3", 1.3) && !holds("extra_load<=1.3", 1.31));
        assert!(holds("lagging>0", 1.0) && !holds("lagging>0", 0.0));
        assert!(holds("lagging >= 2", 2.0) && !holds("lagging >= 2", 1.0));
    }

    #[test]
    fn times_are_compared_in_milliseconds() {
        assert!(holds("rto<2s", 1999.0) && !holds("rto<2s", 2000.0));
        assert!(holds("rto<=500ms", 500.0) && !holds("rto<=500ms", 501.0));
        assert!(holds("detect<1.5s", 1499.0));
    }

    #[test]
    fn invalid_bounds_are_explained() {
        let error_of = |text: &str| parse(text).expect_err("invalid bounds");
        assert!(error_of("failed").contains("NAME SIGN BOUND"));
        assert!(error_of("errors=0").contains("unknown measure `errors`; known: failed, wrong"));
        assert!(error_of("rto<2").contains("rto is a time, such as 2s or 500ms"));
        assert!(error_of("failed<many").contains("failed is a number"));
        assert!(error_of("failed<NaN").contains("failed is a number"));
    }

    #[test]
    fn requested_bounds_replace_those_of_the_scenario() {
        let wanted = parse("rto<500ms,stale=0").expect("valid bounds");
        let all = merged(parse("failed=0,rto<2s").expect("valid bounds"), &wanted);
        let shown: Vec<_> = all.iter().map(|one| format!("{}{one}", one.name)).collect();
        assert_eq!(shown, ["failed=0", "rto<500ms", "stale=0"]);
    }
}
