//! Listings: flat ones resume in another region, those of one level are read completely first.

use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, Result};

use super::FailoverStore;
use crate::failover::StartAt;
use crate::failover::scope::ScopeQuery;
use crate::request::ListWithDelimiter;
use crate::runtime::clock::Instant;
use crate::stream::listing::ResumableListing;
use crate::types::{Operation, Verdict};

pub(super) fn list(
    store: &FailoverStore,
    prefix: Option<&Path>,
    offset: Option<&Path>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    ResumableListing::new(&store.engine, prefix, offset).boxed()
}

pub(super) async fn list_with_delimiter(
    store: &FailoverStore,
    prefix: Option<&Path>,
    started_at: Instant,
) -> Result<ListResult> {
    let scope = store.engine.read_scope(ScopeQuery {
        operation: Operation::ListWithDelimiter,
        path: prefix,
        extensions: None,
    })?;
    let served = store
        .engine
        .execute(
            &ListWithDelimiter { prefix, scope },
            StartAt::Rotation,
            started_at,
        )
        .await?;
    served.permit.record(Verdict::Success, served.at);
    Ok(served.response)
}
