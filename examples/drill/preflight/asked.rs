//! The first requests to a region: a listing, then the first byte of an object.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore};
use object_store_failover::Failure;

use super::Region;
use crate::clock::within;
use crate::ground::theirs::told;

/// One request. Whoever needs longer is not fit for failover.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// One page of S3's.
pub(super) const LISTED: usize = 1_000;
/// Where nobody lists anything, this is asked for: what a region says of a key that does not exist tells of its credentials, too.
const NOTHING: &str = "object-store-failover-drill/preflight/no-such-key";

/// The first keys; or why there is no listing.
pub(super) type Listing = Result<Vec<ObjectMeta>, No>;

/// An answer that was none, in one line.
#[derive(Debug, Clone)]
pub(super) struct No {
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) text: String,
}

/// What came of the read.
pub(super) enum Asked {
    Served { versioned: bool },
    NotFound,
    Refused(No),
}

impl No {
    pub(super) fn of(error: &Error) -> Self {
        let failure = Failure::of(error);
        Self { status: failure.http_status(), code: failure.code().map(str::to_owned), text: told(error) }
    }

    pub(super) fn silence() -> Self {
        Self { status: None, code: None, text: format!("no answer within {} s", PATIENCE.as_secs()) }
    }
}

impl Region {
    pub(super) async fn list(&self) -> Listing {
        match within(PATIENCE, self.store.list(None).take(LISTED).try_collect()).await {
            Some(listed) => listed.map_err(|error| No::of(&error)),
            None => Err(No::silence()),
        }
    }
}

impl Asked {
    /// Asks for a key that the region lists, or else one that another does.
    pub(super) async fn of(region: &Region, listing: &Listing, all: &[Listing]) -> Self {
        let listed = |listing: &Listing| listing.as_ref().ok()?.iter().find(|meta| meta.size > 0).map(|meta| meta.location.clone());
        let key = listed(listing).or_else(|| all.iter().find_map(listed)).unwrap_or_else(|| Path::from(NOTHING));
        let first_byte = GetOptions { range: Some(GetRange::Bounded(0..1)), ..GetOptions::default() };
        let read = async {
            let found = region.store.get_opts(&key, first_byte).await?;
            let versioned = found.meta.version.is_some();
            found.bytes().await.map(|_| versioned)
        };
        match within(PATIENCE, read).await {
            Some(Ok(versioned)) => Self::Served { versioned },
            Some(Err(Error::NotFound { .. })) => Self::NotFound,
            Some(Err(error)) => Self::Refused(No::of(&error)),
            None => Self::Refused(No::silence()),
        }
    }
}
