//! Reads of objects: whole, in ranges, or only their metadata.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, GetResult, OBJECT_STORE_COALESCE_DEFAULT, ObjectMeta, Result,
    coalesce_ranges,
};
use parking_lot::Mutex;

use super::{FailoverStore, validate};
use crate::error::FailoverError;
use crate::failover::StartAt;
use crate::failover::scope::ScopeQuery;
use crate::metrics::RequestTimer;
use crate::request::Get;
use crate::runtime::clock;
use crate::stream::body::ResumableBody;
use crate::types::Operation;

/// The region that served a read, in the extensions of its [`GetResult`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServedBy {
    /// The name of the region. If the body is interrupted, the rest may come from another one.
    pub region: Arc<str>,
    /// Attempts that were sent, including this one.
    pub attempts: u32,
    /// Whether the response is that of a second attempt, which overtook the first.
    pub hedged: bool,
    /// Whether the key belongs to home (`reads.home_prefixes`) and another region served it: this
    /// may be an older version.
    pub stale: bool,
}

/// One object, a range of it, or its metadata. `timer` is that of the call, if the read is all of
/// it.
pub(super) async fn get(
    store: &FailoverStore,
    path: &Path,
    options: &GetOptions,
    start: StartAt<'_>,
    timer: Option<&mut RequestTimer<'_>>,
) -> Result<GetResult> {
    validate::of_get(options)?;
    let engine = &store.engine;
    let operation = if options.head {
        Operation::Head
    } else {
        Operation::Get
    };
    let scope = engine.read_scope(ScopeQuery {
        operation,
        path: Some(path),
        extensions: Some(&options.extensions),
    })?;
    let request = Get {
        path,
        options,
        scope,
        version: None,
    };
    let started_at = timer
        .as_ref()
        .map_or_else(clock::now, |timer| timer.started_at());
    let mut served = engine.execute(&request, start, started_at).await?;
    timer.into_iter().for_each(|timer| timer.served(served.at));
    let region = Arc::clone(&engine.regions.get(served.region).name);
    let stale = request.scope.home.is_some_and(|home| home != served.region);
    served.response.extensions.insert(ServedBy {
        region,
        attempts: served.attempts,
        hedged: served.hedged,
        stale,
    });
    Ok(ResumableBody::wrap(
        engine,
        &request,
        served,
        store.may_resume,
    ))
}

/// All ranges, from one version of the object.
///
/// They are read concurrently and in one order of regions, so all come from one region while no
/// circuit changes. If the responses are of different versions (a region failed in between, or the
/// object was overwritten) they are read again with `If-Match`, and if no region has that version
/// any more, without it.
pub(super) async fn get_ranges(
    store: &FailoverStore,
    path: &Path,
    ranges: &[Range<u64>],
) -> Result<Vec<Bytes>> {
    ranges.iter().try_for_each(check_range)?;
    let mut expected: Option<String> = None;
    for _ in 0..=REREADS {
        let seen = Mutex::new(Vec::new());
        let order = store
            .engine
            .rotation
            .next_order(Operation::Get, &store.engine.rng);
        let fetch = |range: Range<u64>| {
            let part = fetch_range(
                store,
                path,
                range.clone(),
                StartAt::Order(order),
                expected.as_deref(),
                &seen,
            );
            part.map(move |bytes| {
                bytes.and_then(|bytes| check_within_object(ranges, &range, bytes))
            })
        };
        let parts = match coalesce_ranges(ranges, fetch, OBJECT_STORE_COALESCE_DEFAULT).await {
            // No region has that version any more: accept any.
            Err(error) if expected.is_some() && is_missing(&error) => {
                expected = None;
                continue;
            }
            parts => parts?,
        };
        let versions = seen.into_inner();
        if same_version(&versions, expected.is_some()) {
            return Ok(parts);
        }
        expected = versions
            .into_iter()
            .max_by_key(|version| version.last_modified)
            .and_then(|newest| newest.e_tag);
    }
    Err(FailoverError::TornRead {
        path: path.to_string(),
        rereads: REREADS,
    }
    .into())
}

fn fetch_range<'a>(
    store: &'a FailoverStore,
    path: &'a Path,
    range: Range<u64>,
    start: StartAt<'a>,
    tag: Option<&str>,
    seen: &'a Mutex<Vec<ObjectMeta>>,
) -> BoxFuture<'a, Result<Bytes>> {
    let options = GetOptions {
        range: Some(GetRange::Bounded(range)),
        if_match: tag.map(str::to_owned),
        ..Default::default()
    };
    async move {
        let result = get(store, path, &options, start, None).await?;
        seen.lock().push(result.meta.clone());
        result.bytes().await
    }
    .boxed()
}

/// Rejects a range that ends before it starts: `coalesce_ranges` would panic.
fn check_range(range: &Range<u64>) -> Result<()> {
    if range.start <= range.end {
        return Ok(());
    }
    // The text of object_store.
    let detail = format!(
        "Range started at {} and ended at {}",
        range.start, range.end
    );
    Err(Error::Generic {
        store: "FailoverStore",
        source: detail.into(),
    })
}

/// Rejects ranges that start behind the end of the object: `coalesce_ranges` would panic when it
/// slices the bytes that arrived.
fn check_within_object(ranges: &[Range<u64>], fetched: &Range<u64>, bytes: Bytes) -> Result<Bytes> {
    let end = fetched.start + bytes.len() as u64;
    let is_behind = |range: &&Range<u64>| {
        let is_part = range.start >= fetched.start && range.end <= fetched.end;
        // An empty range may stand at the very end.
        is_part && (range.start > end || (range.start == end && !range.is_empty()))
    };
    match ranges.iter().find(is_behind) {
        None => Ok(bytes),
        Some(range) => {
            // The text of object_store.
            let detail = format!(
                "Wanted range starting at {}, but object was only {end} bytes long",
                range.start
            );
            Err(Error::Generic {
                store: "FailoverStore",
                source: detail.into(),
            })
        }
    }
}

fn is_missing(error: &Error) -> bool {
    let lacks_version = matches!(error, Error::NotFound { .. } | Error::Precondition { .. });
    lacks_version
        || matches!(
            FailoverError::find(error),
            Some(FailoverError::Undecided { .. })
        )
}

/// Whether all responses are of one version. With `If-Match` (`verified`) the ETags agree, and the
/// times of replicas may differ.
fn same_version(versions: &[ObjectMeta], verified: bool) -> bool {
    versions.windows(2).all(|pair| {
        let [one, other] = pair else { return true };
        one.e_tag == other.e_tag
            && one.size == other.size
            && (verified || one.last_modified == other.last_modified)
    })
}

/// An object that is overwritten during each of so many reads cannot be read in ranges.
const REREADS: u32 = 3;
