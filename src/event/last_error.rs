//! The last error of each region: what it was, and nothing of what was asked.

use std::fmt;

use parking_lot::Mutex;
use serde::Serialize;

use crate::failure::{Failure, FailureClass};
use crate::metrics::Outcome;
use crate::time;

/// The last failed attempt in a region.
///
/// It never holds a key, a URL or a server's text: those are only in the error that the caller gets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LastError {
    /// Its kind.
    pub class: FailureClass,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// The provider's code, like `SlowDown`, where there was one.
    pub code: Option<String>,
    /// The id by which the provider's support finds the request, where the store was built from a document.
    pub request_id: Option<String>,
    /// When, in seconds since 1970.
    pub unix_seconds: f64,
}

/// Those of all regions of a store.
#[derive(Debug)]
pub(super) struct LastErrors(Box<[Mutex<Option<LastError>>]>);

impl LastErrors {
    pub(super) fn new(regions: usize) -> Self {
        Self((0..regions).map(|_| Mutex::default()).collect())
    }

    /// Takes note of a failure, where it is one to those who look after the region: a missing key is none.
    pub(super) fn remember(&self, region: usize, failure: &Failure) {
        if Outcome::from(failure.class()).is_failing() {
            *self.0[region].lock() = Some(LastError::of(failure));
        }
    }

    pub(super) fn get(&self, region: usize) -> Option<LastError> {
        self.0[region].lock().clone()
    }
}

impl LastError {
    fn of(failure: &Failure) -> Self {
        Self {
            class: failure.class(),
            status: failure.http_status(),
            code: failure.code().map(str::to_owned),
            request_id: failure.request_id().map(str::to_owned),
            unix_seconds: time::unix_seconds(),
        }
    }
}

impl fmt::Display for LastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status} ({})", self.class),
            None => write!(f, "{}", self.class),
        }?;
        self.code.as_ref().map_or(Ok(()), |code| write!(f, " {code}"))?;
        self.request_id.as_ref().map_or(Ok(()), |id| write!(f, ", request {id}"))
    }
}
