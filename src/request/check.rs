//! Whether an answer is the one to the request: an error in its place where it is not, before anybody has seen a byte of it.

use std::io;

use object_store::{Error, GetOptions, GetResult, Result};

/// The object of which an answer must be a part, where a broken body goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version<'a> {
    pub(crate) tag: &'a str,
    pub(crate) size: u64,
}

/// Refuses an answer to a get that holds other bytes than were asked for. `status` is what was seen on the wire, if anything was.
pub(super) fn answer_to_get(options: &GetOptions, version: Option<Version<'_>>, answer: &GetResult, status: Option<u16>) -> Result<()> {
    if options.head {
        return Ok(());
    }
    let size = answer.meta.size;
    if let Some(version) = version {
        if answer.meta.e_tag.as_deref() != Some(version.tag) {
            return Err(another_version(answer));
        }
        if size != version.size {
            return Err(lie(format!("an object of {size} bytes under the tag of one of {}", version.size)));
        }
    }
    let wanted = match &options.range {
        // object_store looks at the status only where a range was asked for.
        None if status.is_some_and(|status| status != 200) => return Err(lie("a part of the object where all of it was asked for")),
        None => 0..size,
        Some(range) => match range.as_range(size) {
            Ok(range) => range,
            Err(_) => return Ok(()),
        },
    };
    if answer.range == wanted { Ok(()) } else { Err(lie(format!("bytes {:?} where {wanted:?} were asked for", answer.range))) }
}

fn another_version(answer: &GetResult) -> Error {
    let path = answer.meta.location.to_string();
    Error::Precondition { path, source: "the answer is of another version, whatever was asked for".into() }
}

/// Something between us and the region, or the region itself, does not do what it says: like a body that breaks.
fn lie(what: impl Into<String>) -> Error {
    Error::Generic { store: "FailoverStore", source: io::Error::new(io::ErrorKind::InvalidData, what.into()).into() }
}
