//! `--junit`: the verdicts in the XML that build servers read. One suite, a test case per scenario.

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Holds,
    Broken,
    /// Too little happened to tell. That is no pass, so build servers see a failure.
    NotProven,
    Skipped,
    /// Ended from outside: an error of the run, which says nothing about the store.
    Interrupted,
}

/// One run, in a build server's words.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) seconds: f64,
    pub(crate) outcome: Outcome,
    /// What did not hold and the first reads that broke it, or why it was skipped. A run that holds needs none.
    pub(crate) reasons: &'a [String],
}

/// The whole file. `started` is a date as in `2026-11-21T15:00:00Z`.
pub(crate) fn junit(started: &str, cases: &[Case<'_>]) -> String {
    let count = |wanted: &[Outcome]| cases.iter().filter(|case| wanted.contains(&case.outcome)).count();
    let seconds: f64 = cases.iter().map(|case| case.seconds).sum();
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{seconds:.3}\"",
        cases.len(),
        count(&[Outcome::Broken, Outcome::NotProven]),
        count(&[Outcome::Interrupted]),
        count(&[Outcome::Skipped])
    );
    let cases: String = cases.iter().map(case).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  \
         <testsuite name=\"{SUITE}\" {counts} timestamp=\"{}\">\n{cases}  </testsuite>\n</testsuites>\n",
        escaped(started)
    )
}

fn case(case: &Case<'_>) -> String {
    let head = format!("    <testcase classname=\"{SUITE}\" name=\"{}\" time=\"{:.3}\"", escaped(case.name), case.seconds);
    match case.outcome {
        Outcome::Holds => format!("{head}/>\n"),
        Outcome::Broken => format!("{head}>\n{}    </testcase>\n", told("failure", "broken", case.reasons)),
        Outcome::NotProven => format!("{head}>\n{}    </testcase>\n", told("failure", "not_proven", case.reasons)),
        Outcome::Interrupted => format!("{head}>\n{}    </testcase>\n", told("error", "interrupted", case.reasons)),
        Outcome::Skipped => format!("{head}>\n      <skipped message=\"{}\"/>\n    </testcase>\n", escaped(&case.reasons.join("; "))),
    }
}

/// The first reason is what lists show; the text has them all.
fn told(tag: &str, kind: &str, reasons: &[String]) -> String {
    let first = reasons.first().map_or(kind, String::as_str);
    format!("      <{tag} type=\"{kind}\" message=\"{}\">{}</{tag}>\n", escaped(first), escaped(&reasons.join("\n")))
}

/// Sound in attributes and in text. What XML cannot hold even when it is escaped, such as a control character out of an error's text,
/// becomes the replacement character.
fn escaped(text: &str) -> String {
    let mut sound = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => sound.push_str("&amp;"),
            '<' => sound.push_str("&lt;"),
            '>' => sound.push_str("&gt;"),
            '"' => sound.push_str("&quot;"),
            '\'' => sound.push_str("&apos;"),
            // An attribute would make spaces of them.
            '\t' | '\n' | '\r' => sound.push_str(&format!("&#{};", u32::from(letter))),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => sound.push(char::REPLACEMENT_CHARACTER),
            other => sound.push(other),
        }
    }
    sound
}

const SUITE: &str = "object_store_failover drill";
