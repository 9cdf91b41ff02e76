//! The page of `--html`. `tests/browser/drill.mjs` checks it in a browser.
#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "a panic is the failure of a test"
)]

use failover_drill::report::html::html;
use serde_json::{Value, json};

#[test]
fn report_text_cannot_end_the_script_element() {
    let text =
        "</script><script>alert(1)</script><!-- & \u{2028}\u{2029} @STYLE@ @SCRIPT@ @REPORT@";
    let report = json!({ "broken_by": [text] });
    let page = html(&report).unwrap();
    let data = data(&page);
    assert!(
        !data.contains(['<', '>', '&', '\u{2028}', '\u{2029}']),
        "{data}"
    );
    assert_eq!(serde_json::from_str::<Value>(data).unwrap(), report);
}

#[test]
fn page_is_complete_and_loads_nothing() {
    let page = html(&json!({ "runs": [] })).unwrap();
    for placeholder in ["@STYLE@", "@SCRIPT@", "@REPORT@"] {
        assert!(!page.contains(placeholder), "{placeholder} is not replaced");
    }
    assert_eq!(
        page.matches("<script").count(),
        2,
        "the report and the script"
    );
    let requests = [
        " src=",
        "<link rel=\"stylesheet\"",
        "@import",
        "fetch(",
        "XMLHttpRequest",
        "https://",
    ];
    for request in requests {
        assert!(!page.contains(request), "{request}");
    }
    assert!(
        page.contains("default-src 'none'"),
        "the browser enforces it"
    );
}

#[test]
fn unserializable_report_is_an_error() {
    struct Bad;
    impl serde::Serialize for Bad {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    assert!(html(&Bad).is_err());
}

/// The content of the report's script element.
fn data(page: &str) -> &str {
    let start = "<script type=\"application/json\" id=\"report\">";
    let (_, rest) = page.split_once(start).unwrap();
    rest.split_once("</script>").unwrap().0
}
