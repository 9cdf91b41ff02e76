//! Where a drill plays: the regions, what can be done to them, and the store over them.

pub(crate) mod embedded;
mod lines;
pub(crate) mod minio;
mod replica;
mod stage;
pub(crate) mod theirs;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;

pub(crate) use lines::Lines;
pub(crate) use stage::Stage;

use crate::clients::{Access, Upstream};
use crate::scenario::Act;

/// Some regions that hold the same objects, the first of which is written to.
#[async_trait]
pub(crate) trait Ground: Send + Sync {
    /// In the order of their indexes.
    fn names(&self) -> Vec<String>;

    /// The `[[regions]]` of a configuration document.
    fn document(&self) -> String;

    /// What a client of one bucket and one key is given; None where each region has its own.
    fn shared(&self) -> Option<(Vec<Upstream>, Access)> {
        None
    }

    /// Why this cannot be done here; None where it can.
    fn why_not(&self, act: Act) -> Option<&'static str>;

    /// Does it to a region, where a read usually takes so long.
    async fn act(&self, region: usize, act: Act, usual: Duration) -> Result<(), String>;

    /// Writes an object in the first region; replication carries it on, unless it is paused.
    async fn put(&self, path: &Path, body: Bytes) -> Result<(), String>;

    /// Deletes an object likewise.
    async fn delete(&self, path: &Path) -> Result<(), String>;

    /// Returns once all regions hold all of these.
    async fn replicated(&self, paths: &[Path]) -> Result<(), String>;

    /// Requests that have reached each region by its own count; None where nobody counts.
    fn requests(&self) -> Option<Vec<u64>>;

    /// Answers that a line has broken; None where nobody counts.
    fn struck(&self) -> Option<u64> {
        None
    }

    /// Bytes of bodies that have left the regions; None where nobody counts.
    fn body_bytes(&self) -> Option<u64>;
}

/// region-a to region-p.
pub(crate) fn name(index: usize) -> String {
    let letter = u8::try_from(index).map_or('?', |index| char::from(b'a' + index));
    format!("region-{letter}")
}
