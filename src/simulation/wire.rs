//! What comes back from a region, as the clients of object_store and the wire under them would have it.
//!
//! The texts are object_store's own, because stores that are handed in are judged by them; `tests/classification.rs` pins them over real
//! HTTP. A region that reports says the same in evidence.

use std::sync::Arc;
use std::time::Duration;

use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path;
use object_store::{Error, GetRange};

use super::fault::Fault;
use crate::evidence::{self, Evidence, Recorder};

/// The wire of one attempt: what is seen on it goes to its recorder, where its region reports.
#[derive(Debug)]
pub(super) struct Wire(Option<Arc<Recorder>>);

impl Wire {
    /// A request goes out.
    pub(super) fn open() -> Self {
        let recorder = evidence::current();
        recorder.iter().for_each(|recorder| recorder.on_simulated_request());
        Self(recorder)
    }

    pub(super) fn answered(&self, status: u16, code: Option<&str>, delete_marker: bool, retry_after: Option<Duration>) {
        let code = code.filter(|code| !code.is_empty()).map(str::to_owned);
        self.tell(Evidence { status: Some(status), code, delete_marker, retry_after, ..Evidence::default() });
    }

    pub(super) fn broke(&self, kind: HttpErrorKind) {
        self.tell(Evidence { transport: Some(kind), ..Evidence::default() });
    }

    fn tell(&self, seen: Evidence) {
        if let Some(recorder) = &self.0 {
            recorder.on_simulated_answer(seen);
        }
    }

    /// The error of a request that this fault befell before its answer, if it is one that ends requests.
    pub(super) fn refusal(&self, fault: Fault, path: &Path) -> Option<Error> {
        match fault {
            Fault::Refuse => {
                self.broke(HttpErrorKind::Connect);
                Some(transport(HttpErrorKind::Connect, "tcp connect error: connection refused"))
            }
            Fault::Reset => {
                self.broke(HttpErrorKind::Interrupted);
                Some(transport(HttpErrorKind::Interrupted, "connection reset by peer"))
            }
            Fault::Answer(status, code) => {
                self.answered(status, Some(code), false, None);
                Some(answer(status, code, path))
            }
            Fault::Throttle(_, retry_after) => {
                self.answered(503, Some("SlowDown"), false, retry_after);
                Some(answer(503, "SlowDown", path))
            }
            Fault::BadContentRange => {
                self.answered(206, None, false, None);
                Some(generic("Requested 0..10, got 20..30"))
            }
            _ => None,
        }
    }
}

/// The error that an S3 client of object_store makes of an answer.
pub(super) fn answer(status: u16, code: &str, path: &Path) -> Error {
    let body = if code.is_empty() { String::new() } else { format!("<Error><Code>{code}</Code></Error>") };
    let source = Box::new(Outer(Words(format!("Server returned non-2xx status code: {status} Whatever: {body}"))));
    let path = path.to_string();
    match status {
        304 => Error::NotModified { path, source },
        401 => Error::Unauthenticated { path, source },
        403 => Error::PermissionDenied { path, source },
        404 => Error::NotFound { path, source },
        412 => Error::Precondition { path, source },
        _ => Error::Generic { store: "S3", source },
    }
}

pub(super) fn missing(path: &Path) -> Error {
    answer(404, "NoSuchKey", path)
}

pub(super) fn precondition(path: &Path) -> Error {
    answer(412, "PreconditionFailed", path)
}

pub(super) fn exists(path: &Path) -> Error {
    let words =
        Words("Server returned non-2xx status code: 412 Precondition Failed: <Error><Code>PreconditionFailed</Code></Error>".into());
    Error::AlreadyExists { path: path.to_string(), source: Box::new(Outer(words)) }
}

/// A range that begins behind the end of the object.
pub(super) fn unsatisfiable(path: &Path, range: &GetRange) -> Error {
    let _ = range;
    answer(416, "InvalidRange", path)
}

pub(super) fn transport(kind: HttpErrorKind, text: &str) -> Error {
    Error::Generic { store: "S3", source: Box::new(HttpError::new(kind, std::io::Error::other(text.to_owned()))) }
}

fn generic(words: &str) -> Error {
    Error::Generic { store: "S3", source: Box::new(Words(words.to_owned())) }
}

/// The status and code that an error of ours stands for.
pub(super) fn status_of(error: &Error) -> (u16, Option<&'static str>) {
    match error {
        Error::NotFound { .. } => (404, Some("NoSuchKey")),
        Error::NotModified { .. } => (304, None),
        Error::Precondition { .. } | Error::AlreadyExists { .. } => (412, Some("PreconditionFailed")),
        _ => (416, Some("InvalidRange")),
    }
}

/// The layers of object_store's own errors, of which only the innermost begins with what was answered.
#[derive(Debug, thiserror::Error)]
#[error("Error performing a request in 1ms - {0}")]
struct Outer(#[source] Words);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Words(String);
