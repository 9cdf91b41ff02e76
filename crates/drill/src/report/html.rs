//! `--html`: the report as one page without external resources.

use serde::Serialize;

const PAGE: &str = include_str!("page.html");
const STYLE: [&str; 2] = [
    include_str!("page/style.css"),
    include_str!("page/timeline.css"),
];
/// One script in several files, each of which uses only those before it.
const SCRIPT: [&str; 5] = [
    include_str!("page/format.js"),
    include_str!("page/layout.js"),
    include_str!("page/panels.js"),
    include_str!("page/timeline.js"),
    include_str!("page/page.js"),
];

/// The page with this report.
pub fn html(report: &impl Serialize) -> Result<String, serde_json::Error> {
    let report = inlined(&serde_json::to_string(report)?);
    // The report is inserted last, so that no text in it is taken for a placeholder.
    Ok(PAGE
        .replace("@STYLE@", &STYLE.concat())
        .replace("@SCRIPT@", &SCRIPT.concat())
        .replacen("@REPORT@", &report, 1))
}

/// JSON that cannot end the script element that holds it. These characters occur only within
/// strings, where JSON can escape them.
fn inlined(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)))
            }
            other => text.push(other),
        }
    }
    text
}
