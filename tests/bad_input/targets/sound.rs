//! What holds of every error, whoever made it.

use object_store::Error;
use object_store_failover::{FailoverError, Failure, FailureClass};

/// What the error means, once it is clear that it can be shown to people and acted upon.
pub fn failure(error: &Error) -> Failure {
    let failure = Failure::of(error);
    let line = failure.to_string();
    assert!(!line.is_empty() && !line.chars().any(char::is_control), "no line of a log: {line:?}");
    assert!(line.len() <= LINE, "{} bytes for one region's part of a line", line.len());
    assert!(failure.http_status().is_none_or(|status| (100..1000).contains(&status)), "{failure:?}");
    assert!(failure.code().is_none_or(is_code), "{failure:?}");
    assert!(failure.request_id().is_none_or(|id| id.bytes().all(|byte| byte.is_ascii_graphic())), "{failure:?}");
    assert!(failure.retry_after().is_none_or(|time| time.as_secs() <= YEAR), "{failure:?}");
    assert_eq!(failure.is_throttle(), failure.class() == FailureClass::Throttled);
    if let Some(story) = FailoverError::find(error) {
        assert!(!story.to_string().chars().any(char::is_control), "no line of a log: {story}");
    }
    failure
}

/// Of an error that says that there is nothing, or nothing new, or that somebody may not.
pub fn same_kind(one: &Error, other: &Error) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

/// A detail of 160 characters of up to four bytes, an id of 128, a code of 64, and words between.
const LINE: usize = 1024;
const YEAR: u64 = 86_400 * 365;
