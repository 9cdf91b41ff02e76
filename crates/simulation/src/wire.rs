//! Responses and errors of a region, as object_store's clients and the wire below them report them.
//!
//! The texts are object_store's own, because failures of stores that were handed in are classified
//! by them; `tests/wire` pins them over real HTTP. A region that records its wire gives the same
//! information as evidence.

use std::time::Duration;

use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path;
use object_store::{Error, Result};
use object_store_failover::internals::{Recorder, WireResponse};

use crate::fault::Fault;

/// The wire of one attempt. Without a recorder (the region does not record) it does nothing.
#[derive(Debug)]
pub(crate) struct SimulatedWire(Option<Recorder>);

impl SimulatedWire {
    /// A request is sent.
    pub(crate) fn open() -> Self {
        let recorder = Recorder::current();
        if let Some(recorder) = &recorder {
            recorder.on_request();
        }
        Self(recorder)
    }

    pub(crate) fn on_response(
        &self,
        status: u16,
        code: Option<&str>,
        delete_marker: bool,
        retry_after: Option<Duration>,
    ) {
        let code = code.filter(|code| !code.is_empty()).map(str::to_owned);
        self.record(WireResponse {
            status: Some(status),
            code,
            delete_marker,
            retry_after,
            ..WireResponse::default()
        });
    }

    pub(crate) fn on_transport_error(&self, kind: HttpErrorKind) {
        self.record(WireResponse {
            transport: Some(kind),
            ..WireResponse::default()
        });
    }

    fn record(&self, response: WireResponse) {
        if let Some(recorder) = &self.0 {
            recorder.on_response(response);
        }
    }

    /// Fails if the fault ends the request before its response.
    pub(crate) fn check(&self, fault: Option<Fault>, path: &Path) -> Result<()> {
        match fault {
            Some(Fault::Refuse) => {
                self.on_transport_error(HttpErrorKind::Connect);
                Err(transport(
                    HttpErrorKind::Connect,
                    "tcp connect error: connection refused",
                ))
            }
            Some(Fault::Reset) => {
                self.on_transport_error(HttpErrorKind::Interrupted);
                Err(transport(
                    HttpErrorKind::Interrupted,
                    "connection reset by peer",
                ))
            }
            Some(Fault::Respond(status, code)) => {
                self.on_response(status, Some(code), false, None);
                Err(error_response(status, code, path))
            }
            Some(Fault::Throttle(_, retry_after)) => {
                self.on_response(503, Some("SlowDown"), false, retry_after);
                Err(error_response(503, "SlowDown", path))
            }
            Some(Fault::BadContentRange) => {
                self.on_response(206, None, false, None);
                Err(generic("Requested 0..10, got 20..30"))
            }
            _ => Ok(()),
        }
    }
}

/// The error that object_store's S3 client returns for a response.
pub(crate) fn error_response(status: u16, code: &str, path: &Path) -> Error {
    let body = if code.is_empty() {
        String::new()
    } else {
        format!("<Error><Code>{code}</Code></Error>")
    };
    let source = Box::new(RetryError(Message(format!(
        "Server returned non-2xx status code: {status} Whatever: {body}"
    ))));
    let path = path.to_string();
    match status {
        304 => Error::NotModified { path, source },
        401 => Error::Unauthenticated { path, source },
        403 => Error::PermissionDenied { path, source },
        404 => Error::NotFound { path, source },
        412 => Error::Precondition { path, source },
        _ => Error::Generic {
            store: "S3",
            source,
        },
    }
}

pub(crate) fn missing(path: &Path) -> Error {
    error_response(404, "NoSuchKey", path)
}

pub(crate) fn precondition(path: &Path) -> Error {
    error_response(412, "PreconditionFailed", path)
}

pub(crate) fn exists(path: &Path) -> Error {
    let text = "Server returned non-2xx status code: 412 Precondition Failed: \
                <Error><Code>PreconditionFailed</Code></Error>";
    Error::AlreadyExists {
        path: path.to_string(),
        source: Box::new(RetryError(Message(text.to_owned()))),
    }
}

/// A range that begins after the end of the object.
pub(crate) fn unsatisfiable(path: &Path) -> Error {
    error_response(416, "InvalidRange", path)
}

pub(crate) fn transport(kind: HttpErrorKind, text: &str) -> Error {
    Error::Generic {
        store: "S3",
        source: Box::new(HttpError::new(kind, std::io::Error::other(text.to_owned()))),
    }
}

fn generic(text: &str) -> Error {
    Error::Generic {
        store: "S3",
        source: Box::new(Message(text.to_owned())),
    }
}

/// The status and code on the wire for an error of this module.
pub(crate) fn status_of(error: &Error) -> (u16, Option<&'static str>) {
    match error {
        Error::NotFound { .. } => (404, Some("NoSuchKey")),
        Error::NotModified { .. } => (304, None),
        Error::Precondition { .. } | Error::AlreadyExists { .. } => {
            (412, Some("PreconditionFailed"))
        }
        _ => (416, Some("InvalidRange")),
    }
}

/// The outer layer of object_store's own errors. The status is in the text of the innermost one.
#[derive(Debug, thiserror::Error)]
#[error("Error performing a request in 1ms - {0}")]
struct RetryError(#[source] Message);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Message(String);
