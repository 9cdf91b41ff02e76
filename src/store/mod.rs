//! The store: the single `impl ObjectStore`, each method a line that says which way it goes.

mod list;
mod read;
mod signer;
mod upload;
mod write;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, RenameOptions, Result,
};

use crate::event::Event;
use crate::failover::Core;
use crate::failover::hedge::HedgeCounts;
use crate::health::{HealthSnapshot, Override};
use crate::region::RegionState;
use crate::time;
pub use read::ServedBy;

/// Replicated buckets behind one [`ObjectStore`], with no primary and no backup.
///
/// Built by [`FailoverStore::builder`]. Clones share everything.
#[derive(Debug, Clone)]
pub struct FailoverStore {
    name: Arc<str>,
    may_resume: bool,
    core: Arc<Core>,
}

/// No region has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no region is named \"{0}\"")]
pub struct UnknownRegion(pub String);

impl FailoverStore {
    pub(crate) fn new(name: Arc<str>, may_resume: bool, core: Core) -> Self {
        Self { name, may_resume, core: Arc::new(core) }
    }

    /// The health of every region at this moment, as plain data.
    #[must_use]
    pub fn health(&self) -> HealthSnapshot {
        let now = time::now();
        let regions = self.core.regions.iter().map(|region| region.health.snapshot(now)).collect();
        HealthSnapshot::new(Arc::clone(&self.name), regions, self.core.budget.refused())
    }

    /// Hedges since the store was built.
    #[must_use]
    pub fn hedges(&self) -> HedgeCounts {
        self.core.hedging.counts()
    }

    /// Events from now on. A receiver that lags behind loses the oldest; it never slows a request.
    #[must_use]
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<Event> {
        self.core.events.subscribe()
    }

    /// Sends no new requests to a region; bodies in flight go on. It is still asked for keys that all others lack.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] where no region has this name.
    pub fn drain(&self, region: &str) -> Result<(), UnknownRegion> {
        self.find(region)?.health.set_override(Override::Drained, None, time::now());
        Ok(())
    }

    /// Undoes [`drain`](Self::drain) and [`force_open`](Self::force_open).
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] where no region has this name.
    pub fn undrain(&self, region: &str) -> Result<(), UnknownRegion> {
        self.find(region)?.health.clear_override(time::now());
        Ok(())
    }

    /// Shuts a region off, for a while or until it is undrained: it is not even asked when nothing else is left.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] where no region has this name.
    pub fn force_open(&self, region: &str, time: Option<Duration>) -> Result<(), UnknownRegion> {
        let now = time::now();
        self.find(region)?.health.set_override(Override::ForcedOpen, time.map(|time| time::after(now, time)), now);
        Ok(())
    }

    fn find(&self, name: &str) -> Result<&RegionState, UnknownRegion> {
        let index = self.core.regions.find(name).ok_or_else(|| UnknownRegion(name.to_owned()))?;
        Ok(self.core.regions.get(index))
    }
}

impl fmt::Display for FailoverStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FailoverStore({}", self.name)?;
        for region in self.core.regions.iter() {
            write!(f, ", {}: {}", region.name, region.store)?;
        }
        f.write_str(")")
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for FailoverStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        write::put(self, location, payload, options).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        write::create_upload(self, location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        read::get(self, location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        read::get_ranges(self, location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        write::delete_stream(self, locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list(self, prefix, None)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list(self, prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        list::list_with_delimiter(self, prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        write::copy(self, from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        write::rename(self, from, to, options).await
    }
}
