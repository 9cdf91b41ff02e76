//! The store: the single `impl ObjectStore`, each method a line that says which way it goes.

mod delete;
mod list;
mod operator;
mod probe;
mod read;
mod signer;
mod upload;
mod write;

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, RenameOptions, Result,
};

use crate::event::Event;
use crate::failover::hedge::HedgeCounts;
use crate::failover::{Core, answer};
use crate::operation::Operation;
use crate::probe::Probes;
use crate::snapshot::HealthSnapshot;
use crate::time;
pub use operator::UnknownRegion;
pub use read::ServedBy;

/// Replicated buckets behind one [`ObjectStore`], with no primary and no backup.
///
/// Built by [`FailoverStore::builder`]. Clones share everything.
#[derive(Debug, Clone)]
pub struct FailoverStore {
    name: Arc<str>,
    may_resume: bool,
    core: Arc<Core>,
    probes: Arc<Probes>,
}

impl FailoverStore {
    pub(crate) fn new(name: Arc<str>, may_resume: bool, core: Core, probes: Probes) -> Self {
        Self { name, may_resume, core: Arc::new(core), probes: Arc::new(probes) }
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// The health of every region at this moment, as plain data.
    #[must_use]
    pub fn health(&self) -> HealthSnapshot {
        HealthSnapshot::of(&self.name, &self.core, time::now())
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

    /// A call, counted by what its caller gets.
    async fn counted<T>(&self, operation: Operation, call: impl Future<Output = Result<T>>) -> Result<T> {
        let asked = self.core.asked(operation);
        let result = call.await;
        asked.answered(answer(&result));
        result
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
        self.counted(Operation::Put, write::put(self, location, payload, options)).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.counted(Operation::Put, write::create_upload(self, location, options)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let operation = if options.head { Operation::Head } else { Operation::Get };
        self.counted(operation, read::get(self, location, options)).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.counted(Operation::Get, read::get_ranges(self, location, ranges)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        delete::delete_stream(self, locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list(self, prefix, None)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list(self, prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.counted(Operation::ListWithDelimiter, list::list_with_delimiter(self, prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.counted(Operation::Copy, write::copy(self, from, to, options)).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.counted(Operation::Rename, write::rename(self, from, to, options)).await
    }
}
