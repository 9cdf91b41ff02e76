//! Errors in one line: nobody can grep for half of one.

use object_store::Error;
use object_store_failover::Failure;

/// What a region answered, by its status and code where it gave them; or what the error says.
pub(crate) fn told(error: &Error) -> String {
    let failure = Failure::of(error);
    match (failure.http_status(), failure.code()) {
        (Some(status), Some(code)) => format!("{status} {code}"),
        _ => one_line(&with_cause(error)),
    }
}

/// What is wrong at the bottom, like a certificate, is seldom in the text of what failed because of it.
fn with_cause(error: &Error) -> String {
    let text = error.to_string();
    let mut cause: &dyn std::error::Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    let cause = cause.to_string();
    if text.contains(&cause) { text } else { format!("{text}: {cause}") }
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
