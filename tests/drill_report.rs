//! What the drill writes for browsers and for build servers. The page itself is looked at by `tests/browser/drill.mjs`.
#![allow(clippy::allow_attributes, clippy::unwrap_used, reason = "a panic is a test's verdict")]

use serde_json::{Value, json};

#[path = "../examples/drill/report/html.rs"]
mod html;
#[path = "../examples/drill/report/junit.rs"]
mod junit;

use junit::{Case, Outcome, junit};

#[test]
fn nothing_in_a_report_can_end_its_script_element() {
    let evil = json!({ "broken_by": ["</script><script>alert(1)</script><!-- & \u{2028}\u{2029} @STYLE@ @SCRIPT@ @REPORT@"] });
    let page = html::html(&evil).unwrap();
    let data = data(&page);
    assert!(!data.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{data}");
    assert_eq!(serde_json::from_str::<Value>(data).unwrap(), evil);
}

#[test]
fn the_page_is_whole_and_asks_nobody() {
    let page = html::html(&json!({ "runs": [] })).unwrap();
    for mark in ["@STYLE@", "@SCRIPT@", "@REPORT@"] {
        assert!(!page.contains(mark), "{mark} is still there");
    }
    assert_eq!(page.matches("<script").count(), 2, "the report and the script");
    for asking in [" src=", "<link rel=\"stylesheet\"", "@import", "fetch(", "XMLHttpRequest", "https://"] {
        assert!(!page.contains(asking), "{asking}");
    }
    assert!(page.contains("default-src 'none'"), "and the browser sees to it");
}

#[test]
fn a_report_that_is_no_json_is_an_error() {
    struct Bad;
    impl serde::Serialize for Bad {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    assert!(html::html(&Bad).is_err());
}

#[test]
fn build_servers_see_each_outcome_as_what_it_is() {
    let reasons = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (broken, proven) = (reasons(&["failed: 3, expected =0", "get a: timed out"]), reasons(&["rto: not measured"]));
    let skipped = reasons(&["needs MinIO", "not on embedded"]);
    let case = |name, outcome, reasons| Case { name, seconds: 1.5, outcome, reasons };
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
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), "{xml}");
    let counts = "tests=\"5\" failures=\"2\" errors=\"1\" skipped=\"1\" time=\"7.500\"";
    assert_eq!(xml.matches(counts).count(), 2, "{xml}");
    for line in [
        "name=\"kill\" time=\"1.500\"/>",
        "<failure type=\"broken\" message=\"failed: 3, expected =0\">failed: 3, expected =0&#10;get a: timed out</failure>",
        "<failure type=\"not_proven\" message=\"rto: not measured\">rto: not measured</failure>",
        "<skipped message=\"needs MinIO; not on embedded\"/>",
        "<error type=\"interrupted\" message=\"interrupted\"></error>",
        "timestamp=\"2026-11-21T15:00:00Z\"",
    ] {
        assert!(xml.contains(line), "{line} is missing in {xml}");
    }
}

#[test]
fn an_errors_text_cannot_break_the_xml() {
    let reasons = ["<a href=\"x\">&'\r\n\t]]>\u{0}\u{1b}[31m\u{fffe}\u{ffff} é \u{1f4a5}".to_owned()];
    let xml = junit("", &[Case { name: "a\"b", seconds: 0.0, outcome: Outcome::Broken, reasons: &reasons }]);
    let sound = "&lt;a href=&quot;x&quot;&gt;&amp;&apos;&#13;&#10;&#9;]]&gt;\u{fffd}\u{fffd}[31m\u{fffd}\u{fffd} é \u{1f4a5}";
    assert!(xml.contains(&format!("message=\"{sound}\">{sound}</failure>")), "{xml}");
    assert!(xml.contains("name=\"a&quot;b\""), "{xml}");
    let forbidden = |letter: char| letter < ' ' && letter != '\n' || matches!(letter, '\u{fffe}' | '\u{ffff}');
    assert!(!xml.contains(forbidden), "{xml:?}");
}

/// What stands in the report's script element.
fn data(page: &str) -> &str {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"report\">").unwrap();
    rest.split_once("</script>").unwrap().0
}
