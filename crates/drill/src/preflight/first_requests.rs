//! The first requests to a region: a listing, then the first byte of an object.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore};
use object_store_failover::Failure;
use tokio::time::timeout;

use super::Region;
use crate::environment::existing::describe;

/// Limit of one request.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// One page of a listing in S3.
pub(super) const LISTED: usize = 1_000;
/// The key to read if no region lists any: even a 404 shows that the credentials are accepted.
const MISSING_KEY: &str = "object-store-failover-drill/preflight/no-such-key";

/// The first keys, or why the listing failed.
pub(super) type Listing = Result<Vec<ObjectMeta>, RequestFailure>;

/// A request that failed.
#[derive(Debug, Clone)]
pub(super) struct RequestFailure {
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) text: String,
}

/// The result of the read.
pub(super) enum FirstRead {
    Served { versioned: bool },
    NotFound,
    Failed(RequestFailure),
}

impl RequestFailure {
    pub(super) fn of(error: &Error) -> Self {
        let failure = Failure::of(error);
        Self {
            status: failure.http_status(),
            code: failure.code().map(str::to_owned),
            text: describe(error),
        }
    }

    pub(super) fn timed_out() -> Self {
        Self {
            status: None,
            code: None,
            text: format!("no response within {} s", PATIENCE.as_secs()),
        }
    }
}

impl Region {
    pub(super) async fn list(&self) -> Listing {
        match timeout(PATIENCE, self.store.list(None).take(LISTED).try_collect()).await {
            Ok(listed) => listed.map_err(|error| RequestFailure::of(&error)),
            Err(_) => Err(RequestFailure::timed_out()),
        }
    }
}

impl FirstRead {
    /// Reads a key that the region lists, or else one that another region lists.
    pub(super) async fn of(region: &Region, listing: &Listing, all: &[Listing]) -> Self {
        let listed = |listing: &Listing| {
            listing
                .as_ref()
                .ok()?
                .iter()
                .find(|meta| meta.size > 0)
                .map(|meta| meta.location.clone())
        };
        let key = listed(listing)
            .or_else(|| all.iter().find_map(listed))
            .unwrap_or_else(|| Path::from(MISSING_KEY));
        let first_byte = GetOptions {
            range: Some(GetRange::Bounded(0..1)),
            ..GetOptions::default()
        };
        let read = async {
            let found = region.store.get_opts(&key, first_byte).await?;
            let versioned = found.meta.version.is_some();
            found.bytes().await.map(|_| versioned)
        };
        match timeout(PATIENCE, read).await {
            Ok(Ok(versioned)) => Self::Served { versioned },
            Ok(Err(Error::NotFound { .. })) => Self::NotFound,
            Ok(Err(error)) => Self::Failed(RequestFailure::of(&error)),
            Err(_) => Self::Failed(RequestFailure::timed_out()),
        }
    }
}
