//! Writes: refused, and the refusal names the setting.

use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{Error, Result};

use crate::error::FailoverError;
use crate::operation::Operation;

pub(super) fn refused(operation: Operation, path: &Path) -> Error {
    FailoverError::WritesDisabled { operation, path: path.to_string() }.into()
}

/// One refusal for each path, as each path wants its own answer.
pub(super) fn refuse_deletes(paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
    paths.map(|path| Err(refused(Operation::Delete, &path?))).boxed()
}
