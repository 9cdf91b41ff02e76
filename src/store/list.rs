//! Listings: flat ones survive their region; those of one level are asked for whole.

use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, Result};

use super::FailoverStore;
use crate::failover::scope::Call;
use crate::failover::{Route, run};
use crate::listing::Items;
use crate::operation::Operation;
use crate::request::ListWithDelimiter;
use crate::time::Instant;

pub(super) fn list(store: &FailoverStore, prefix: Option<&Path>, offset: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
    Items::new(&store.core, prefix, offset).boxed()
}

pub(super) async fn list_with_delimiter(store: &FailoverStore, prefix: Option<&Path>, began: Instant) -> Result<ListResult> {
    let scope = store.core.read_scope(Call { operation: Operation::ListWithDelimiter, path: prefix, extensions: None })?;
    let served = run(&store.core, &ListWithDelimiter { prefix, scope }, Route::Rotation, began).await?;
    served.permit.succeed(served.at);
    Ok(served.answer)
}
