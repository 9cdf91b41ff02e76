//! What is expected of a run: `failed=0,rto<2s,extra_load<1.3`.

use std::fmt;

use super::measure::{MEASURES, Unit};
use crate::ground::Stage;
use crate::scenario::Scenario;

/// One measure and its bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expected {
    pub(crate) name: &'static str,
    sign: Sign,
    bound: f64,
    /// As it was written.
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

/// Longer signs first: `<=` begins with `<`.
const SIGNS: [(&str, Sign); 5] = [("<=", Sign::AtMost), (">=", Sign::AtLeast), ("<", Sign::Below), (">", Sign::Above), ("=", Sign::Equal)];

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

/// Reads a list. Of two words on one measure both count.
pub(crate) fn parse(text: &str) -> Result<Vec<Expected>, String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(one).collect()
}

/// What is expected of every run: the fault has met somebody, and nobody was asked behind the store's own count.
const ALWAYS: &str = "unmet=0,uncounted=0,undecided_before=0";

/// What is expected of a run on this stage, with what the caller expects in its place.
pub(crate) fn of_run(scenario: &Scenario, stage: &Stage, hedging: bool, wanted: &[Expected]) -> Result<Vec<Expected>, String> {
    let mut usual = parse(&format!("{ALWAYS},{}", scenario.expect))?;
    usual.retain(|one| match one.name {
        // Hedges ask a sick region as well, beside the requests that this counts.
        "late" => !hedging,
        "refetched" => stage.ground.struck().is_some(),
        "uncounted" => stage.failover().is_some() && stage.ground.requests().is_some(),
        _ => true,
    });
    Ok(merged(usual, wanted))
}

/// What is usual, with what the caller expects in its place.
fn merged(mut usual: Vec<Expected>, wanted: &[Expected]) -> Vec<Expected> {
    usual.retain(|usual| wanted.iter().all(|wanted| wanted.name != usual.name));
    usual.extend(wanted.iter().cloned());
    usual
}

fn one(word: &str) -> Result<Expected, String> {
    let how = "write NAME SIGN BOUND, like failed=0, rto<2s or extra_load<=1.3";
    let (sign_text, sign) = SIGNS.into_iter().find(|(text, _)| word.contains(text)).ok_or_else(|| format!("`{word}`: {how}"))?;
    let (name, bound) = word.split_once(sign_text).ok_or_else(|| format!("`{word}`: {how}"))?;
    let known = MEASURES.iter().find(|measure| measure.name == name.trim());
    let measure = known.ok_or_else(|| {
        let names: Vec<_> = MEASURES.iter().map(|measure| measure.name).collect();
        format!("`{}` is not measured; there are {}", name.trim(), names.join(", "))
    })?;
    let bound = bound.trim();
    let value = match measure.unit {
        Unit::Time => time(bound),
        Unit::Count | Unit::Ratio => bound.parse().ok(),
    };
    let value = value.filter(|value: &f64| value.is_finite()).ok_or_else(|| match measure.unit {
        Unit::Time => format!("`{word}`: {} is a time, like 2s or 500ms", measure.name),
        Unit::Count | Unit::Ratio => format!("`{word}`: {} is a number", measure.name),
    })?;
    Ok(Expected { name: measure.name, sign, bound: value, text: format!("{sign_text}{bound}") })
}

/// In milliseconds.
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
        let expected = parse(text).expect("it is right");
        expected[0].holds(measured)
    }

    #[test]
    fn each_sign_means_what_it_says() {
        assert!(holds("failed=0", 0.0) && !holds("failed=0", 1.0));
        assert!(holds("extra_load<1.3", 1.29) && !holds("extra_load<1.3", 1.3));
        assert!(holds("extra_load<=1.3", 1.3) && !holds("extra_load<=1.3", 1.31));
        assert!(holds("lagging>0", 1.0) && !holds("lagging>0", 0.0));
        assert!(holds("lagging >= 2", 2.0) && !holds("lagging >= 2", 1.0));
    }

    #[test]
    fn times_have_units_and_are_compared_in_milliseconds() {
        assert!(holds("rto<2s", 1999.0) && !holds("rto<2s", 2000.0));
        assert!(holds("rto<=500ms", 500.0) && !holds("rto<=500ms", 501.0));
        assert!(holds("detect<1.5s", 1499.0));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_way_to_say_it() {
        let refusal = |text: &str| parse(text).expect_err("it is wrong");
        assert!(refusal("failed").contains("NAME SIGN BOUND"));
        assert!(refusal("errors=0").contains("`errors` is not measured; there are failed, wrong"));
        assert!(refusal("rto<2").contains("rto is a time, like 2s or 500ms"));
        assert!(refusal("failed<many").contains("failed is a number"));
        assert!(refusal("failed<NaN").contains("failed is a number"));
    }

    #[test]
    fn what_the_caller_expects_replaces_what_the_scenario_does() {
        let wanted = parse("rto<500ms,stale=0").expect("it is right");
        let all = merged(parse("failed=0,rto<2s").expect("it is right"), &wanted);
        let shown: Vec<_> = all.iter().map(|one| format!("{}{one}", one.name)).collect();
        assert_eq!(shown, ["failed=0", "rto<500ms", "stale=0"]);
    }
}
