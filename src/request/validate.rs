//! Whether a response matches its request. A mismatch becomes an error before the caller receives a
//! byte.

use std::io;

use object_store::{Error, GetOptions, GetResult, Result};

/// The version of the object that an interrupted body resumes with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExpectedVersion<'a> {
    pub(crate) tag: &'a str,
    pub(crate) size: u64,
}

/// Rejects a response to a get with other bytes than requested. `status` is the HTTP status, where
/// the wire is recorded.
pub(super) fn get_response(
    options: &GetOptions,
    version: Option<ExpectedVersion<'_>>,
    response: &GetResult,
    status: Option<u16>,
) -> Result<()> {
    if options.head {
        return Ok(());
    }
    let size = response.meta.size;
    if let Some(version) = version {
        if response.meta.e_tag.as_deref() != Some(version.tag) {
            return Err(version_mismatch(response));
        }
        if size != version.size {
            return Err(invalid_response(format!(
                "object size {size}, but {} under the same ETag before",
                version.size
            )));
        }
    }
    let expected = match &options.range {
        // object_store checks the status only for range requests.
        None if status.is_some_and(|status| status != 200) => {
            return Err(invalid_response(
                "partial response to a request without a range",
            ));
        }
        None => 0..size,
        Some(range) => match range.as_range(size) {
            Ok(range) => range,
            Err(_) => return Ok(()),
        },
    };
    if response.range == expected {
        Ok(())
    } else {
        Err(invalid_response(format!(
            "bytes {:?} instead of {expected:?}",
            response.range
        )))
    }
}

fn version_mismatch(response: &GetResult) -> Error {
    let path = response.meta.location.to_string();
    Error::Precondition {
        path,
        source: "the response is of another version than requested".into(),
    }
}

/// The region, or a proxy in front of it, returned wrong data: classified like an interrupted body.
fn invalid_response(detail: impl Into<String>) -> Error {
    Error::Generic {
        store: "FailoverStore",
        source: io::Error::new(io::ErrorKind::InvalidData, detail.into()).into(),
    }
}
