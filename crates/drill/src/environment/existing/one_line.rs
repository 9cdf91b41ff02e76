//! Errors as one line, so that a search in a log shows the whole error.

use object_store::Error;
use object_store_failover::Failure;

/// Status and code of the response, or the text of the error.
pub(crate) fn describe(error: &Error) -> String {
    let failure = Failure::of(error);
    match (failure.http_status(), failure.code()) {
        (Some(status), Some(code)) => format!("{status} {code}"),
        _ => one_line(&with_cause(error)),
    }
}

/// Appends the root cause, such as a certificate error, which the error's own text often omits.
fn with_cause(error: &Error) -> String {
    let text = error.to_string();
    let mut cause: &dyn std::error::Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    let cause = cause.to_string();
    if text.contains(&cause) {
        text
    } else {
        format!("{text}: {cause}")
    }
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
