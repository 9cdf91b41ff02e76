//! `--html`: the report as one page that holds all it needs. It can be mailed, kept beside a ticket, and opened without a network.

use serde::Serialize;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page/style.css");
/// One script of several files, each of which uses only those before it.
const SCRIPT: [&str; 5] = [
    include_str!("page/words.js"),
    include_str!("page/marks.js"),
    include_str!("page/panels.js"),
    include_str!("page/timeline.js"),
    include_str!("page/page.js"),
];

/// The page over this report.
pub(crate) fn html(report: &impl Serialize) -> Result<String, serde_json::Error> {
    let report = inlined(&serde_json::to_string(report)?);
    // The report comes last: nothing that it holds is taken for a mark of the template.
    Ok(PAGE.replace("@STYLE@", STYLE).replace("@SCRIPT@", &SCRIPT.concat()).replacen("@REPORT@", &report, 1))
}

/// JSON that cannot end the script element it stands in. All of these occur only within strings, where JSON knows their escapes.
fn inlined(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", u32::from(letter))),
            other => text.push(other),
        }
    }
    text
}
