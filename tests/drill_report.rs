//! What the drill writes for browsers. The page itself is looked at by `tests/browser/drill.mjs`.
#![allow(clippy::allow_attributes, clippy::unwrap_used, reason = "a panic is a test's verdict")]

use serde_json::{Value, json};

#[path = "../examples/drill/report/html.rs"]
mod html;

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

/// What stands in the report's script element.
fn data(page: &str) -> &str {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"report\">").unwrap();
    rest.split_once("</script>").unwrap().0
}
