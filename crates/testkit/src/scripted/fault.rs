//! The ways in which a scripted call fails, and the errors that object_store makes of them.

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// An HTTP status and a provider's code; an empty text for no code.
    Status(u16, &'static str),
    Connect,
    Reset,
    /// A key that is not a valid path.
    BadKey,
    /// An error without a status or a code.
    Unclassified,
    /// A 409 with this code, as object_store reports it for every request; an empty text for none.
    AlreadyExists(&'static str),
    /// The call panics with this text.
    Panic(&'static str),
}

impl Fault {
    /// The error that object_store's S3 client makes of it.
    pub fn error(self, path: &Path) -> Error {
        let (status, code) = match self {
            Self::Status(status, code) => (status, code),
            Self::Connect => return transport(HttpErrorKind::Connect, "tcp connect error"),
            Self::Reset => return transport(HttpErrorKind::Interrupted, "connection reset"),
            Self::BadKey => {
                return Error::InvalidPath {
                    source: object_store::path::Error::EmptySegment {
                        path: "a//b".into(),
                    },
                };
            }
            Self::AlreadyExists(code) => {
                return Error::AlreadyExists {
                    path: path.to_string(),
                    source: Box::new(status_line(409, code)),
                };
            }
            Self::Panic(text) => panic!("{text}"),
            Self::Unclassified => {
                return Error::Generic {
                    store: "Scripted",
                    source: "unclassified".into(),
                };
            }
        };
        let source = Box::new(status_line(status, code));
        let path = path.to_string();
        match status {
            404 => Error::NotFound { path, source },
            412 => Error::Precondition { path, source },
            304 => Error::NotModified { path, source },
            403 => Error::PermissionDenied { path, source },
            401 => Error::Unauthenticated { path, source },
            _ => Error::Generic {
                store: "S3",
                source,
            },
        }
    }
}

fn status_line(status: u16, code: &str) -> Outer {
    let body = if code.is_empty() {
        String::new()
    } else {
        format!("<Error><Code>{code}</Code></Error>")
    };
    Outer(StatusText(format!(
        "Server returned non-2xx status code: {status} Reason: {body}"
    )))
}

pub(super) fn transport(kind: HttpErrorKind, text: &str) -> Error {
    Error::Generic {
        store: "S3",
        source: Box::new(HttpError::new(kind, std::io::Error::other(text.to_owned()))),
    }
}

/// The layers of object_store's errors; the innermost begins with the status line.
#[derive(Debug, thiserror::Error)]
#[error("Error performing GET http://127.0.0.1/folder/key in 1ms - {0}")]
struct Outer(#[source] StatusText);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct StatusText(String);
