//! Invariants of every error.

use object_store::Error;
use object_store_failover::{FailoverError, Failure, FailureClass};

/// The error's `Failure`, after checking that its texts and fields are well-formed.
pub(crate) fn failure(error: &Error) -> Failure {
    let failure = Failure::of(error);
    let line = failure.to_string();
    assert!(
        !line.is_empty() && !line.chars().any(char::is_control),
        "not a single line of text: {line:?}"
    );
    assert!(
        line.len() <= MAX_FAILURE_BYTES,
        "{} bytes for one failure",
        line.len()
    );
    assert!(
        failure
            .http_status()
            .is_none_or(|status| (100..1000).contains(&status)),
        "{failure:?}"
    );
    assert!(failure.code().is_none_or(is_code), "{failure:?}");
    assert!(
        failure
            .request_id()
            .is_none_or(|id| id.bytes().all(|byte| byte.is_ascii_graphic())),
        "{failure:?}"
    );
    assert!(
        failure
            .retry_after()
            .is_none_or(|time| time.as_secs() <= YEAR),
        "{failure:?}"
    );
    assert_eq!(
        failure.is_throttle(),
        failure.class() == FailureClass::Throttled
    );
    if let Some(failed) = FailoverError::find(error) {
        assert!(
            !failed.to_string().chars().any(char::is_control),
            "not a single line of text: {failed}"
        );
    }
    failure
}

/// Whether two errors are the same variant.
pub(crate) fn same_kind(one: &Error, other: &Error) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

/// A detail of 160 characters of up to four bytes, a request id of 128, a code of 64, and labels.
const MAX_FAILURE_BYTES: usize = 1024;
const YEAR: u64 = 86_400 * 365;
