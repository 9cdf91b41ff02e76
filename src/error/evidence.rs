//! Wire evidence of an attempt.

use std::time::Duration;

use object_store::client::HttpErrorKind;

/// What one attempt sent and received.
///
/// An attempt may make several requests (pages, parts, retries). `sent`, `requests` and `bytes`
/// cover all of them. The other fields describe the one that ended last, because its error is
/// returned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Requests that were started, without those for credentials.
    pub(crate) requests: u32,
    pub(crate) sent: SendState,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) delete_marker: bool,
    /// `Retry-After`, at most a year.
    pub(crate) retry_after: Option<Duration>,
    /// Time from the request's submission to the response headers.
    pub(crate) first_byte: Option<Duration>,
    /// Bytes of response bodies received so far, including errors.
    pub(crate) bytes: u64,
    /// The transport error, if there is no status.
    pub(crate) transport: Option<HttpErrorKind>,
}

/// Whether a request may have reached the region. It decides whether a write may be sent again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SendState {
    /// Not sent: there was no connection.
    #[default]
    No,
    /// Possibly sent: the connection broke, or there was no response in time.
    Maybe,
    /// Sent: the region responded.
    Yes,
}

/// The code of an XML error body: `SlowDown` of `<Error><Code>SlowDown</Code>...`.
pub(crate) fn provider_code(body: &str) -> Option<&str> {
    let (_, rest) = body.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    is_code(code).then_some(code)
}

/// Whether the text has the form of a provider's code. Any other text must not appear in logs.
pub(crate) fn is_code(code: &str) -> bool {
    !code.is_empty()
        && code.len() <= 64
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}
