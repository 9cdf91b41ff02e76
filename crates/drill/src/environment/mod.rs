//! Environments: the regions of a drill, the actions on them, and the client over them.

mod deployment;
pub(crate) mod embedded;
pub mod existing;
mod links;
pub(crate) mod minio;
mod replica;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;

pub(crate) use deployment::Deployment;
pub(crate) use links::Links;

use crate::clients::{Access, Upstream};
use crate::scenario::Action;

/// Regions that hold the same objects. Writes go to the first.
#[async_trait]
pub(crate) trait Environment: Send + Sync {
    /// The names, by index.
    fn names(&self) -> Vec<String>;

    /// The `[[regions]]` tables of a configuration document.
    fn document(&self) -> String;

    /// Addresses and key for a client of one bucket; `None` if each region has its own key.
    fn shared(&self) -> Option<(Vec<Upstream>, Access)> {
        None
    }

    /// Why the action is impossible here, if it is.
    fn unsupported(&self, action: Action) -> Option<&'static str>;

    /// Applies the action to a region. `usual` is the median duration of a read.
    async fn apply(&self, region: usize, action: Action, usual: Duration) -> Result<(), String>;

    /// Writes an object to the first region; replication copies it, unless it is paused.
    async fn put(&self, path: &Path, body: Bytes) -> Result<(), String>;

    /// Deletes an object in the first region; replicated like a write.
    async fn delete(&self, path: &Path) -> Result<(), String>;

    /// Waits until all regions hold these objects.
    async fn replicated(&self, paths: &[Path]) -> Result<(), String>;

    /// Requests that reached each region; `None` if they are not counted.
    fn requests(&self) -> Option<Vec<u64>>;

    /// Responses that a proxy interrupted; `None` if they are not counted.
    fn interrupted(&self) -> Option<u64> {
        None
    }

    /// Body bytes that left the regions; `None` if they are not counted.
    fn body_bytes(&self) -> Option<u64>;
}

/// `region-a` to `region-p`.
pub(crate) fn name(index: usize) -> String {
    let letter = u8::try_from(index).map_or('?', |index| char::from(b'a' + index));
    format!("region-{letter}")
}
