//! `--junit`: the verdicts as JUnit XML, one test case per scenario.

use crate::evaluation::Outcome;

/// One run as a test case.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) seconds: f64,
    pub(crate) outcome: Outcome,
    /// The broken bounds and the first reads that broke them, or why the run was skipped.
    pub(crate) reasons: &'a [String],
}

/// The document. `started` is a date such as `2026-11-21T15:00:00Z`.
pub(crate) fn junit(started: &str, cases: &[Case<'_>]) -> String {
    let count = |wanted: &[Outcome]| {
        cases
            .iter()
            .filter(|case| wanted.contains(&case.outcome))
            .count()
    };
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
         <testsuite name=\"{SUITE}\" {counts} timestamp=\"{}\">\n\
         {cases}  </testsuite>\n</testsuites>\n",
        escaped(started)
    )
}

fn case(case: &Case<'_>) -> String {
    let head = format!(
        "    <testcase classname=\"{SUITE}\" name=\"{}\" time=\"{:.3}\"",
        escaped(case.name),
        case.seconds
    );
    match case.outcome {
        Outcome::Holds => format!("{head}/>\n"),
        Outcome::Broken => format!(
            "{head}>\n{}    </testcase>\n",
            element("failure", "broken", case.reasons)
        ),
        Outcome::NotProven => format!(
            "{head}>\n{}    </testcase>\n",
            element("failure", "not_proven", case.reasons)
        ),
        Outcome::Interrupted => format!(
            "{head}>\n{}    </testcase>\n",
            element("error", "interrupted", case.reasons)
        ),
        Outcome::Skipped => format!(
            "{head}>\n      <skipped message=\"{}\"/>\n    </testcase>\n",
            escaped(&case.reasons.join("; "))
        ),
    }
}

/// The first reason is the message; the text has all of them.
fn element(tag: &str, kind: &str, reasons: &[String]) -> String {
    let first = reasons.first().map_or(kind, String::as_str);
    format!(
        "      <{tag} type=\"{kind}\" message=\"{}\">{}</{tag}>\n",
        escaped(first),
        escaped(&reasons.join("\n"))
    )
}

/// Escapes for attributes and text. Characters that XML cannot represent, such as control
/// characters in an error's text, become the replacement character.
fn escaped(text: &str) -> String {
    let mut escaped_text = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped_text.push_str("&amp;"),
            '<' => escaped_text.push_str("&lt;"),
            '>' => escaped_text.push_str("&gt;"),
            '"' => escaped_text.push_str("&quot;"),
            '\'' => escaped_text.push_str("&apos;"),
            // An XML parser normalizes these to spaces in an attribute.
            '\t' | '\n' | '\r' => escaped_text.push_str(&format!("&#{};", u32::from(character))),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                escaped_text.push(char::REPLACEMENT_CHARACTER)
            }
            other => escaped_text.push(other),
        }
    }
    escaped_text
}

const SUITE: &str = "object_store_failover drill";

#[cfg(test)]
mod tests {
    use super::{Case, Outcome, junit};

    #[test]
    fn each_outcome_has_its_junit_element() {
        let reasons = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (broken, proven) = (
            reasons(&["failed: 3, expected =0", "get a: timed out"]),
            reasons(&["rto: not measured"]),
        );
        let skipped = reasons(&["needs MinIO", "not on embedded"]);
        let case = |name, outcome, reasons| Case {
            name,
            seconds: 1.5,
            outcome,
            reasons,
        };
        let xml = junit(
            "2026-11-21T15:00:00Z",
            &[
                case("kill", Outcome::Holds, &[]),
                case("hang", Outcome::Broken, &broken),
                case("slow", Outcome::NotProven, &proven),
                case("quorum-loss", Outcome::Skipped, &skipped),
                case("flap", Outcome::Interrupted, &[]),
            ],
        );
        assert!(
            xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
            "{xml}"
        );
        let counts = "tests=\"5\" failures=\"2\" errors=\"1\" skipped=\"1\" time=\"7.500\"";
        assert_eq!(xml.matches(counts).count(), 2, "{xml}");
        for line in [
            "name=\"kill\" time=\"1.500\"/>",
            "<failure type=\"broken\" message=\"failed: 3, expected =0\">\
             failed: 3, expected =0&#10;get a: timed out</failure>",
            "<failure type=\"not_proven\" message=\"rto: not measured\">\
             rto: not measured</failure>",
            "<skipped message=\"needs MinIO; not on embedded\"/>",
            "<error type=\"interrupted\" message=\"interrupted\"></error>",
            "timestamp=\"2026-11-21T15:00:00Z\"",
        ] {
            assert!(xml.contains(line), "{line} is missing in {xml}");
        }
    }

    #[test]
    fn error_text_cannot_break_the_xml() {
        let reasons =
            ["<a href=\"x\">&'\r\n\t]]>\u{0}\u{1b}[31m\u{fffe}\u{ffff} é \u{1f4a5}".to_owned()];
        let xml = junit(
            "",
            &[Case {
                name: "a\"b",
                seconds: 0.0,
                outcome: Outcome::Broken,
                reasons: &reasons,
            }],
        );
        let escaped_text = "&lt;a href=&quot;x&quot;&gt;&amp;&apos;&#13;&#10;&#9;]]&gt;\
            \u{fffd}\u{fffd}[31m\u{fffd}\u{fffd} é \u{1f4a5}";
        assert!(
            xml.contains(&format!(
                "message=\"{escaped_text}\">{escaped_text}</failure>"
            )),
            "{xml}"
        );
        assert!(xml.contains("name=\"a&quot;b\""), "{xml}");
        let forbidden = |character: char| {
            character < ' ' && character != '\n' || matches!(character, '\u{fffe}' | '\u{ffff}')
        };
        assert!(!xml.contains(forbidden), "{xml:?}");
    }
}
