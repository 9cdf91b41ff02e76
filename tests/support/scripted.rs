//! A region that does what it is told: a bucket with faults in front.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};
use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

/// What a region does with a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    Serve,
    Fail(Fault),
    /// Never answers.
    Hang,
    /// Answers after this time.
    Slow(Duration),
    /// The body breaks after so many bytes; a listing after so many items.
    BreakAfter(u64),
    /// A listing fails so after so many items.
    FailAfter(u64, Fault),
    /// The body stops after so many bytes; a listing after so many items.
    StallAfter(u64),
    /// So long passes before each piece of the body.
    Drip(Duration),
    /// The body ends after so many bytes, as if that were all.
    CutAfter(u64),
    /// The body goes on after its end.
    Overlong,
    /// The answer is of another version, whatever was asked for.
    OtherTag,
    /// Answers without a tag.
    NoTag,
    /// Does what a write asks, and then fails as if it had not.
    DoneThen(Fault),
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// An HTTP status with a provider's code; an empty code for none.
    Status(u16, &'static str),
    Connect,
    Reset,
    /// A key that is no path.
    BadKey,
    /// An error that says nothing.
    Strange,
}

#[derive(Debug)]
pub struct Scripted {
    bucket: Arc<dyn ObjectStore>,
    shuffled: bool,
    control: Arc<Control>,
}

/// What it is told, and what it has seen.
#[derive(Debug)]
pub struct Control {
    mode: Mutex<Mode>,
    once: Mutex<VecDeque<Mode>>,
    calls: AtomicU64,
    log: Mutex<Vec<&'static str>>,
}

impl Scripted {
    pub fn over(bucket: impl ObjectStore) -> Self {
        Self::listing(Arc::new(bucket))
    }

    /// Over any store.
    pub fn listing(bucket: Arc<dyn ObjectStore>) -> Self {
        let control = Control { mode: Mutex::new(Mode::Serve), once: Mutex::default(), calls: AtomicU64::new(0), log: Mutex::default() };
        Self { bucket, shuffled: false, control: Arc::new(control) }
    }

    /// Lists in another order each time.
    pub fn shuffled(self) -> Self {
        Self { shuffled: true, ..self }
    }

    /// The bucket behind the faults.
    pub fn bucket(&self) -> &Arc<dyn ObjectStore> {
        &self.bucket
    }

    fn listing_of(&self, method: &'static str, items: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
        let mode = self.called(method);
        if !self.shuffled {
            return listing(mode, items);
        }
        let mut dice = SmallRng::seed_from_u64(self.calls());
        let shuffle = async move {
            let mut items: Vec<_> = items.collect().await;
            items.shuffle(&mut dice);
            stream::iter(items)
        };
        listing(mode, stream::once(shuffle).flatten().boxed())
    }
}

impl std::ops::Deref for Scripted {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

impl Control {
    /// From now on.
    pub fn set(&self, mode: Mode) {
        *self.mode.lock() = mode;
    }

    /// For the next calls, one each; then as before.
    pub fn next(&self, modes: impl IntoIterator<Item = Mode>) {
        self.once.lock().extend(modes);
    }

    pub fn fail(&self) {
        self.set(Mode::Fail(Fault::Status(500, "InternalError")));
    }

    pub fn serve(&self) {
        self.set(Mode::Serve);
    }

    /// Calls that reached it.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The methods that were called since this was asked last.
    pub fn log(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.log.lock())
    }

    fn called(&self, method: &'static str) -> Mode {
        self.log.lock().push(method);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.once.lock().pop_front().unwrap_or_else(|| *self.mode.lock())
    }

    /// What comes before any answer.
    async fn meet(&self, method: &'static str, path: &Path) -> Result<Mode> {
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

impl Fault {
    /// The error that an S3 client of object_store makes of it.
    pub fn error(self, path: &Path) -> Error {
        let (status, code) = match self {
            Self::Status(status, code) => (status, code),
            Self::Connect => return transport(HttpErrorKind::Connect, "tcp connect error"),
            Self::Reset => return transport(HttpErrorKind::Interrupted, "connection reset"),
            Self::BadKey => {
                return Error::InvalidPath { source: object_store::path::Error::EmptySegment { path: "a//b".into() } };
            }
            Self::Strange => {
                return Error::Generic { store: "Scripted", source: "out of order".into() };
            }
        };
        let body = if code.is_empty() { String::new() } else { format!("<Error><Code>{code}</Code></Error>") };
        let source = Box::new(Outer(Answer(format!("Server returned non-2xx status code: {status} Whatever: {body}"))));
        let path = path.to_string();
        match status {
            404 => Error::NotFound { path, source },
            412 => Error::Precondition { path, source },
            304 => Error::NotModified { path, source },
            403 => Error::PermissionDenied { path, source },
            401 => Error::Unauthenticated { path, source },
            _ => Error::Generic { store: "S3", source },
        }
    }
}

fn transport(kind: HttpErrorKind, text: &str) -> Error {
    Error::Generic { store: "S3", source: Box::new(HttpError::new(kind, std::io::Error::other(text.to_owned()))) }
}

/// The layers of object_store's own errors, of which only the innermost begins with what was answered.
#[derive(Debug, thiserror::Error)]
#[error("Error performing GET http://127.0.0.1/folder/key in 1ms - {0}")]
struct Outer(#[source] Answer);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Answer(String);

impl fmt::Display for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Scripted {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let mode = self.meet("put_opts", path).await?;
        done_then(mode, path, self.bucket.put_opts(path, payload, options).await)
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.meet("put_multipart_opts", path).await?;
        let upload = self.bucket.put_multipart_opts(path, options).await?;
        Ok(Box::new(ScriptedUpload { region: Arc::clone(&self.control), path: path.clone(), upload }))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let mode = self.meet("get_opts", path).await?;
        let options = if mode == Mode::OtherTag { GetOptions { if_match: None, ..options } } else { options };
        let mut result = self.bucket.get_opts(path, options).await?;
        match mode {
            Mode::OtherTag => result.meta.e_tag = Some("other".into()),
            Mode::NoTag => result.meta.e_tag = None,
            _ => {}
        }
        let GetResultPayload::Stream(body) = result.payload else { unreachable!("InMemory streams") };
        result.payload = GetResultPayload::Stream(spoil(bytewise(body), mode));
        Ok(result)
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.called("delete_stream") {
            Mode::Fail(fault) => paths.map(move |path| Err(fault.error(&path?))).boxed(),
            Mode::Hang => stream::pending().boxed(),
            _ => self.bucket.delete_stream(paths),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing_of("list", self.bucket.list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing_of("list_with_offset", self.bucket.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.meet("list_with_delimiter", &Path::default()).await?;
        self.bucket.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let mode = self.meet("copy_opts", from).await?;
        done_then(mode, from, self.bucket.copy_opts(from, to, options).await)
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let mode = self.meet("rename_opts", from).await?;
        done_then(mode, from, self.bucket.rename_opts(from, to, options).await)
    }
}

/// What was done, told as if it had not been.
fn done_then<T>(mode: Mode, path: &Path, done: Result<T>) -> Result<T> {
    match (mode, done) {
        (Mode::DoneThen(fault), Ok(_)) => Err(fault.error(path)),
        (_, done) => done,
    }
}

/// An upload whose parts meet the region's faults.
#[derive(Debug)]
struct ScriptedUpload {
    region: Arc<Control>,
    path: Path,
    upload: Box<dyn MultipartUpload>,
}

#[async_trait::async_trait]
impl MultipartUpload for ScriptedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (region, path, part) = (Arc::clone(&self.region), self.path.clone(), self.upload.put_part(data));
        async move {
            let mode = region.meet("put_part", &path).await?;
            done_then(mode, &path, part.await)
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let mode = self.region.meet("complete", &self.path).await?;
        done_then(mode, &self.path, self.upload.complete().await)
    }

    async fn abort(&mut self) -> Result<()> {
        self.region.meet("abort", &self.path).await?;
        self.upload.abort().await
    }
}

/// A body in pieces of a few bytes, so that it can break anywhere.
fn bytewise(body: BoxStream<'static, Result<bytes::Bytes>>) -> BoxStream<'static, Result<bytes::Bytes>> {
    let pieces = |whole: bytes::Bytes| {
        let size = if whole.len() <= 64 { 1 } else { 64 * 1024 };
        stream::iter((0..whole.len()).step_by(size).map(move |at| Ok(whole.slice(at..whole.len().min(at + size)))).collect::<Vec<_>>())
    };
    body.map_ok(pieces).try_flatten().boxed()
}

fn spoil(body: BoxStream<'static, Result<bytes::Bytes>>, mode: Mode) -> BoxStream<'static, Result<bytes::Bytes>> {
    let until = |limit: u64| {
        let mut seen = 0;
        body_prefix(move |bytes: &bytes::Bytes| {
            seen += bytes.len() as u64;
            seen <= limit
        })
    };
    match mode {
        Mode::BreakAfter(limit) => {
            let broken = stream::once(async { Err(transport(HttpErrorKind::Interrupted, "connection reset in the body")) });
            until(limit)(body).chain(broken).boxed()
        }
        Mode::StallAfter(limit) => until(limit)(body).chain(stream::pending()).boxed(),
        Mode::CutAfter(limit) => until(limit)(body).boxed(),
        Mode::Drip(pause) => body
            .then(move |piece| async move {
                tokio::time::sleep(pause).await;
                piece
            })
            .boxed(),
        Mode::Overlong => body.chain(stream::once(async { Ok("and more".into()) })).boxed(),
        _ => body,
    }
}

type BodyStream = BoxStream<'static, Result<bytes::Bytes>>;

/// The pieces of a body as long as `fits`.
fn body_prefix(mut fits: impl FnMut(&bytes::Bytes) -> bool + Send + 'static) -> impl FnOnce(BodyStream) -> BodyStream {
    move |body| body.take_while(move |piece| std::future::ready(piece.as_ref().map_or(true, &mut fits))).boxed()
}

fn listing(mode: Mode, items: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
    match mode {
        Mode::Fail(fault) => stream::once(async move { Err(fault.error(&Path::default())) }).boxed(),
        Mode::Hang => stream::pending().boxed(),
        Mode::Slow(time) => stream::once(tokio::time::sleep(time)).flat_map(|()| stream::empty()).chain(items).boxed(),
        Mode::BreakAfter(count) => {
            items.take(count as usize).chain(stream::once(async { Err(transport(HttpErrorKind::Interrupted, "connection reset")) })).boxed()
        }
        Mode::FailAfter(count, fault) => {
            items.take(count as usize).chain(stream::once(async move { Err(fault.error(&Path::default())) })).boxed()
        }
        Mode::StallAfter(count) => items.take(count as usize).chain(stream::pending()).boxed(),
        _ => items,
    }
}
