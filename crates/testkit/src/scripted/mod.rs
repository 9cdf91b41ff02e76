//! A store that follows a script: a bucket behind faults.

mod fault;
mod streams;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    UploadPart,
};
use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

pub use fault::Fault;
use streams::{apply_to_body, apply_to_listing, split_body};

/// What a region does with a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    Serve,
    Fail(Fault),
    /// Never responds.
    Hang,
    /// Responds after this time.
    Slow(Duration),
    /// Breaks a body after so many bytes, a listing after so many items.
    BreakAfter(u64),
    /// Fails a listing after so many items.
    FailAfter(u64, Fault),
    /// Stalls a body after so many bytes, a listing after so many items.
    StallAfter(u64),
    /// Waits so long before each chunk of a body.
    Drip(Duration),
    /// Ends a body after so many bytes without an error.
    CutAfter(u64),
    /// Sends more bytes than the object has.
    Overlong,
    /// Responds with another ETag and ignores `If-Match`.
    OtherEtag,
    /// Responds without an ETag.
    NoEtag,
    /// Applies a write and then fails it.
    ApplyThenFail(Fault),
}

/// A bucket whose calls follow [`Mode`]s.
#[derive(Debug)]
pub struct Scripted {
    bucket: Arc<dyn ObjectStore>,
    shuffled: bool,
    ignores_offsets: bool,
    control: Arc<Control>,
}

/// The script and the calls of a region.
#[derive(Debug)]
pub struct Control {
    mode: Mutex<Mode>,
    once: Mutex<VecDeque<Mode>>,
    calls: AtomicU64,
    log: Mutex<Vec<&'static str>>,
}

impl Scripted {
    pub fn over(bucket: impl ObjectStore) -> Self {
        Self::over_arc(Arc::new(bucket))
    }

    /// As `over`, for a store that is already in an `Arc`.
    pub fn over_arc(bucket: Arc<dyn ObjectStore>) -> Self {
        let control = Control {
            mode: Mutex::new(Mode::Serve),
            once: Mutex::default(),
            calls: AtomicU64::new(0),
            log: Mutex::default(),
        };
        Self {
            bucket,
            shuffled: false,
            ignores_offsets: false,
            control: Arc::new(control),
        }
    }

    /// Lists in a different order each time.
    pub fn shuffled(self) -> Self {
        Self {
            shuffled: true,
            ..self
        }
    }

    /// Lists from the start, whatever the offset.
    pub fn ignoring_offsets(self) -> Self {
        Self {
            ignores_offsets: true,
            ..self
        }
    }

    /// The bucket behind the faults.
    pub fn bucket(&self) -> &Arc<dyn ObjectStore> {
        &self.bucket
    }

    fn scripted_listing(
        &self,
        method: &'static str,
        items: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let mode = self.called(method);
        if !self.shuffled {
            return apply_to_listing(mode, items);
        }
        let mut rng = SmallRng::seed_from_u64(self.calls());
        let shuffle = async move {
            let mut items: Vec<_> = items.collect().await;
            items.shuffle(&mut rng);
            stream::iter(items)
        };
        apply_to_listing(mode, stream::once(shuffle).flatten().boxed())
    }
}

impl std::ops::Deref for Scripted {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

impl Control {
    /// The mode of all calls from now on.
    pub fn set(&self, mode: Mode) {
        *self.mode.lock() = mode;
    }

    /// The modes of the next calls, one each; then that of `set` applies again.
    pub fn next(&self, modes: impl IntoIterator<Item = Mode>) {
        self.once.lock().extend(modes);
    }

    /// Drops the modes of `next`.
    pub fn clear(&self) {
        self.once.lock().clear();
    }

    pub fn fail(&self) {
        self.set(Mode::Fail(Fault::Status(500, "InternalError")));
    }

    pub fn serve(&self) {
        self.set(Mode::Serve);
    }

    /// How many calls have arrived.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The methods called since the last `log`.
    pub fn log(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.log.lock())
    }

    fn called(&self, method: &'static str) -> Mode {
        self.log.lock().push(method);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.once
            .lock()
            .pop_front()
            .unwrap_or_else(|| *self.mode.lock())
    }

    /// Applies the mode's error, hang or delay and returns the mode for the rest of the call.
    async fn begin(&self, method: &'static str, path: &Path) -> Result<Mode> {
        let mode = self.called(method);
        match mode {
            Mode::Fail(fault) => Err(fault.error(path)),
            Mode::Hang => std::future::pending().await,
            Mode::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(mode)
            }
            mode => Ok(mode),
        }
    }
}

impl fmt::Display for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Scripted {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let mode = self.begin("put_opts", path).await?;
        apply_then_fail(
            mode,
            path,
            self.bucket.put_opts(path, payload, options).await,
        )
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.begin("put_multipart_opts", path).await?;
        let upload = self.bucket.put_multipart_opts(path, options).await?;
        Ok(Box::new(ScriptedUpload {
            region: Arc::clone(&self.control),
            path: path.clone(),
            upload,
        }))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let mode = self.begin("get_opts", path).await?;
        let options = if mode == Mode::OtherEtag {
            GetOptions {
                if_match: None,
                ..options
            }
        } else {
            options
        };
        let mut result = self.bucket.get_opts(path, options).await?;
        match mode {
            Mode::OtherEtag => result.meta.e_tag = Some("other".into()),
            Mode::NoEtag => result.meta.e_tag = None,
            _ => {}
        }
        let GetResultPayload::Stream(body) = result.payload else {
            unreachable!("InMemory streams")
        };
        result.payload = GetResultPayload::Stream(apply_to_body(split_body(body), mode));
        Ok(result)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.called("delete_stream") {
            Mode::Fail(fault) => paths.map(move |path| Err(fault.error(&path?))).boxed(),
            // It takes paths all the same, ten at a time.
            Mode::Hang => paths.map(|_| std::future::pending()).buffered(10).boxed(),
            _ => self.bucket.delete_stream(paths),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.scripted_listing("list", self.bucket.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let items = match self.ignores_offsets {
            true => self.bucket.list(prefix),
            false => self.bucket.list_with_offset(prefix, offset),
        };
        self.scripted_listing("list_with_offset", items)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.begin("list_with_delimiter", &Path::default()).await?;
        self.bucket.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let mode = self.begin("copy_opts", from).await?;
        apply_then_fail(mode, from, self.bucket.copy_opts(from, to, options).await)
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let mode = self.begin("rename_opts", from).await?;
        apply_then_fail(mode, from, self.bucket.rename_opts(from, to, options).await)
    }
}

/// Fails a write that has been applied, under `ApplyThenFail`.
fn apply_then_fail<T>(mode: Mode, path: &Path, done: Result<T>) -> Result<T> {
    match (mode, done) {
        (Mode::ApplyThenFail(fault), Ok(_)) => Err(fault.error(path)),
        (_, done) => done,
    }
}

/// An upload whose calls follow the region's modes.
#[derive(Debug)]
struct ScriptedUpload {
    region: Arc<Control>,
    path: Path,
    upload: Box<dyn MultipartUpload>,
}

#[async_trait::async_trait]
impl MultipartUpload for ScriptedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (region, path, part) = (
            Arc::clone(&self.region),
            self.path.clone(),
            self.upload.put_part(data),
        );
        async move {
            let mode = region.begin("put_part", &path).await?;
            apply_then_fail(mode, &path, part.await)
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let mode = self.region.begin("complete", &self.path).await?;
        apply_then_fail(mode, &self.path, self.upload.complete().await)
    }

    async fn abort(&mut self) -> Result<()> {
        self.region.begin("abort", &self.path).await?;
        self.upload.abort().await
    }
}
