//! Reads of objects: whole, in parts, or only their metadata.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, GetResult, OBJECT_STORE_COALESCE_DEFAULT, ObjectMeta, Result, coalesce_ranges};
use parking_lot::Mutex;

use super::{FailoverStore, wording};
use crate::body::Body;
use crate::error::FailoverError;
use crate::failover::scope::Call;
use crate::failover::{Route, run};
use crate::metrics::Asked;
use crate::operation::Operation;
use crate::request::Get;
use crate::time;

/// Who served a read: found in the extensions of its [`GetResult`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServedBy {
    /// The region's name. The rest of a body that breaks may come from another.
    pub region: Arc<str>,
    /// Attempts that it took, this one included.
    pub attempts: u32,
    /// Whether the answer came from a second attempt that overtook the first.
    pub hedged: bool,
    /// Whether the key belongs to home (`reads.home_prefixes`) and home was out: this may be an older version.
    pub stale: bool,
}

/// One object, a part of it, or its metadata; `asked` where that is all that the caller wants.
pub(super) async fn get(
    store: &FailoverStore,
    path: &Path,
    options: &GetOptions,
    route: Route<'_>,
    asked: Option<&mut Asked<'_>>,
) -> Result<GetResult> {
    wording::of_get(options)?;
    let core = &store.core;
    let operation = if options.head { Operation::Head } else { Operation::Get };
    let scope = core.read_scope(Call { operation, path: Some(path), extensions: Some(&options.extensions) })?;
    let request = Get { path, options, scope, version: None };
    let began = asked.as_ref().map_or_else(time::now, |asked| asked.began());
    let mut served = run(core, &request, route, began).await?;
    asked.into_iter().for_each(|asked| asked.served(served.at));
    let region = Arc::clone(&core.regions.get(served.region).name);
    let stale = request.scope.first.is_some_and(|home| home != served.region);
    served.answer.extensions.insert(ServedBy { region, attempts: served.attempts, hedged: served.hedged, stale });
    Ok(Body::guard(core, &request, served, store.may_resume))
}

/// All ranges, from one version of the object.
///
/// They are read side by side, in one order of regions, so that all come from one region while circuits are calm. Where the answers are
/// not of one version after all (a region failed in between, or the object was overwritten) they are read again under
/// `If-Match`, and where nobody holds that version any more, from the start.
pub(super) async fn get_ranges(store: &FailoverStore, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
    ranges.iter().try_for_each(runs_forward)?;
    let mut wanted: Option<String> = None;
    for _ in 0..=REREADS {
        let seen = Mutex::new(Vec::new());
        let order = store.core.rotation.next_order(Operation::Get, &store.core.dice);
        let fetch = |range: Range<u64>| {
            let part = fetch_range(store, path, range.clone(), Route::Ordered(order), wanted.as_deref(), &seen);
            part.map(move |bytes| bytes.and_then(|bytes| reaches(ranges, &range, bytes)))
        };
        let parts = match coalesce_ranges(ranges, fetch, OBJECT_STORE_COALESCE_DEFAULT).await {
            // Nobody who could be asked holds that version any more.
            Err(error) if wanted.is_some() && is_gone(&error) => {
                wanted = None;
                continue;
            }
            parts => parts?,
        };
        let versions = seen.into_inner();
        if are_one(&versions, wanted.is_some()) {
            return Ok(parts);
        }
        wanted = versions.into_iter().max_by_key(|version| version.last_modified).and_then(|newest| newest.e_tag);
    }
    Err(FailoverError::TornRead { path: path.to_string(), rereads: REREADS }.into())
}

fn fetch_range<'a>(
    store: &'a FailoverStore,
    path: &'a Path,
    range: Range<u64>,
    route: Route<'a>,
    tag: Option<&str>,
    seen: &'a Mutex<Vec<ObjectMeta>>,
) -> BoxFuture<'a, Result<Bytes>> {
    let options = GetOptions { range: Some(GetRange::Bounded(range)), if_match: tag.map(str::to_owned), ..Default::default() };
    async move {
        let result = get(store, path, &options, route, None).await?;
        seen.lock().push(result.meta.clone());
        result.bytes().await
    }
    .boxed()
}

/// Refuses a range that ends before it starts, alone or among others: `coalesce_ranges` would panic.
fn runs_forward(range: &Range<u64>) -> Result<()> {
    if range.start <= range.end {
        return Ok(());
    }
    // object_store's own words for it.
    let why = format!("Range started at {} and ended at {}", range.start, range.end);
    Err(Error::Generic { store: "FailoverStore", source: why.into() })
}

/// Refuses ranges that begin behind the end of the object: `coalesce_ranges` would panic, as it looks for them in what came.
fn reaches(ranges: &[Range<u64>], fetched: &Range<u64>, bytes: Bytes) -> Result<Bytes> {
    let end = fetched.start + bytes.len() as u64;
    let behind = |range: &&Range<u64>| range.start >= end && range.start < fetched.end && range.start >= fetched.start;
    match ranges.iter().find(behind) {
        None => Ok(bytes),
        Some(range) => {
            // object_store's own words for it.
            let why = format!("Wanted range starting at {}, but object was only {end} bytes long", range.start);
            Err(Error::Generic { store: "FailoverStore", source: why.into() })
        }
    }
}

fn is_gone(error: &Error) -> bool {
    let absent = matches!(error, Error::NotFound { .. } | Error::Precondition { .. });
    absent || matches!(FailoverError::find(error), Some(FailoverError::Undecided { .. }))
}

/// Whether all answers are of one version. Under `If-Match` the tag has proven it, and replicas may differ in their times.
fn are_one(versions: &[ObjectMeta], proven: bool) -> bool {
    versions.windows(2).all(|pair| {
        let [one, other] = pair else { return true };
        one.e_tag == other.e_tag && one.size == other.size && (proven || one.last_modified == other.last_modified)
    })
}

/// An object that is overwritten between any two of our reads, this often in a row, is no object to read in parts.
const REREADS: u32 = 3;
