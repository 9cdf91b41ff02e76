//! The store and its `impl ObjectStore`. Each method delegates to one module.

mod builder;
mod delete;
mod list;
mod operator;
mod probe;
mod read;
mod signer;
mod snapshot;
mod upload;
mod validate;
mod write;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use crate::failover::{Engine, StartAt, finish_request};
use crate::health::{Event, HealthSnapshot, HedgeCounts};
use crate::probe::Probes;
use crate::runtime::clock;
use crate::types::Operation;
pub use builder::FailoverStoreBuilder;
pub use operator::UnknownRegion;
pub use read::ServedBy;

/// Replicated buckets behind one [`ObjectStore`], with no primary and no backup.
///
/// Built by [`FailoverStore::builder`]. Clones share all state.
#[derive(Debug, Clone)]
pub struct FailoverStore {
    name: Arc<str>,
    may_resume: bool,
    engine: Arc<Engine>,
    probes: Arc<Probes>,
}

impl FailoverStore {
    pub(crate) fn new(name: Arc<str>, may_resume: bool, engine: Engine, probes: Probes) -> Self {
        Self {
            name,
            may_resume,
            engine: Arc::new(engine),
            probes: Arc::new(probes),
        }
    }

    #[cfg(feature = "_internals")]
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The current health of every region.
    #[must_use]
    pub fn health(&self) -> HealthSnapshot {
        snapshot::health_snapshot(&self.name, &self.engine, clock::now())
    }

    /// Hedges since the store was built.
    #[must_use]
    pub fn hedges(&self) -> HedgeCounts {
        self.engine.hedger.counts()
    }

    /// Subscribes to the events from now on. A receiver that lags behind loses the oldest events
    /// and never delays a request.
    #[must_use]
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<Event> {
        self.engine.events.subscribe()
    }
}

impl fmt::Display for FailoverStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FailoverStore({}", self.name)?;
        for region in self.engine.regions.iter() {
            write!(f, ", {}: {}", region.name, region.store)?;
        }
        f.write_str(")")
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for FailoverStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let timer = self.engine.start_request(Operation::Put);
        let put = write::put(self, location, payload, options, timer.started_at()).await;
        finish_request(timer, put)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let timer = self.engine.start_request(Operation::Put);
        let upload = write::create_upload(self, location, options, timer.started_at()).await;
        finish_request(timer, upload)
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut timer = self.engine.start_request(if options.head {
            Operation::Head
        } else {
            Operation::Get
        });
        let response = read::get(
            self,
            location,
            &options,
            StartAt::Rotation,
            Some(&mut timer),
        )
        .await;
        finish_request(timer, response)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let timer = self.engine.start_request(Operation::Get);
        let parts = read::get_ranges(self, location, ranges).await;
        finish_request(timer, parts)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        delete::delete_stream(self, locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list(self, prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list(self, prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let timer = self.engine.start_request(Operation::ListWithDelimiter);
        let listed = list::list_with_delimiter(self, prefix, timer.started_at()).await;
        finish_request(timer, listed)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let timer = self.engine.start_request(Operation::Copy);
        let copied = write::copy(self, from, to, options, timer.started_at()).await;
        finish_request(timer, copied)
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let timer = self.engine.start_request(Operation::Rename);
        let renamed = write::rename(self, from, to, options, timer.started_at()).await;
        finish_request(timer, renamed)
    }
}
