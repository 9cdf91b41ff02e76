//! The last failed attempt of a region, as plain data.

use std::fmt;

use serde::Serialize;

use super::Failure;
use crate::runtime::clock;
use crate::types::FailureClass;

/// The last failed attempt in a region.
///
/// It contains no key, URL or text of a server; those are only in the error that the caller gets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LastError {
    /// The class.
    pub class: FailureClass,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The provider's code, like `SlowDown`, if the response had one.
    pub code: Option<String>,
    /// The provider's request id, for its support. Only in stores built from a document.
    pub request_id: Option<String>,
    /// When it failed, as Unix time in seconds.
    pub unix_seconds: f64,
}

impl LastError {
    pub(crate) fn of(failure: &Failure) -> Self {
        Self {
            class: failure.class(),
            status: failure.http_status(),
            code: failure.code().map(str::to_owned),
            request_id: failure.request_id().map(str::to_owned),
            unix_seconds: clock::unix_seconds(),
        }
    }
}

impl fmt::Display for LastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status} ({})", self.class),
            None => write!(f, "{}", self.class),
        }?;
        self.code
            .as_ref()
            .map_or(Ok(()), |code| write!(f, " {code}"))?;
        self.request_id
            .as_ref()
            .map_or(Ok(()), |id| write!(f, ", request {id}"))
    }
}
