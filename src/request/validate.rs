//! Whether a response matches its request. A mismatch becomes an error before the caller receives a
//! byte.

use std::io;

use object_store::{Error, GetOptions, GetResult, Result};

use crate::error::NO_IDENTITY;

/// The version of the object that an interrupted body resumes with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExpectedVersion<'a> {
    pub(crate) tag: &'a str,
    pub(crate) size: u64,
}

/// What is known of a response besides its content.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ResponseContext {
    /// The HTTP status, where the wire is recorded.
    pub(crate) status: Option<u16>,
    /// Every object of the region has an ETag or a time of its last change.
    pub(crate) has_identity: bool,
}

/// Rejects a response to a get with other bytes than requested.
pub(super) fn get_response(
    options: &GetOptions,
    version: Option<ExpectedVersion<'_>>,
    response: &GetResult,
    context: ResponseContext,
) -> Result<()> {
    // object_store's time where the header is absent.
    let has_time = response.meta.last_modified.timestamp_millis() != 0;
    if context.has_identity && response.meta.e_tag.is_none() && !has_time {
        return Err(Error::Generic {
            store: "FailoverStore",
            source: NO_IDENTITY.into(),
        });
    }
    if options.head {
        return Ok(());
    }
    let size = response.meta.size;
    if let Some(version) = version {
        // Some servers send the tag without its quotes.
        let unquoted = |tag: &str| tag.trim_matches('"').to_owned();
        if response.meta.e_tag.as_deref().map(unquoted) != Some(unquoted(version.tag)) {
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
        None if context.status.is_some_and(|status| status != 200) => {
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
