//! The store: the single `impl ObjectStore`, each method a line that says which way it goes.

mod delete;
mod list;
mod operator;
mod probe;
mod read;
mod signer;
mod upload;
mod wording;
mod write;

use std::fmt;
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
use crate::failover::{Core, Route, settled};
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
        let asked = self.core.asked(Operation::Put);
        let put = write::put(self, location, payload, options, asked.began()).await;
        settled(asked, put)
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let asked = self.core.asked(Operation::Put);
        let upload = write::create_upload(self, location, options, asked.began()).await;
        settled(asked, upload)
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut asked = self.core.asked(if options.head { Operation::Head } else { Operation::Get });
        let got = read::get(self, location, &options, Route::Rotation, Some(&mut asked)).await;
        settled(asked, got)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let asked = self.core.asked(Operation::Get);
        let parts = read::get_ranges(self, location, ranges).await;
        settled(asked, parts)
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
        let asked = self.core.asked(Operation::ListWithDelimiter);
        let listed = list::list_with_delimiter(self, prefix, asked.began()).await;
        settled(asked, listed)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let asked = self.core.asked(Operation::Copy);
        let copied = write::copy(self, from, to, options, asked.began()).await;
        settled(asked, copied)
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let asked = self.core.asked(Operation::Rename);
        let renamed = write::rename(self, from, to, options, asked.began()).await;
        settled(asked, renamed)
    }
}
