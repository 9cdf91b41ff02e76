//! A region that does what it is told: an `InMemory` with faults in front.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use parking_lot::Mutex;

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
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// An HTTP status with a provider's code; an empty code for none.
    Status(u16, &'static str),
    Connect,
    Reset,
    /// An error that says nothing.
    Strange,
}

#[derive(Debug)]
pub struct Scripted {
    bucket: InMemory,
    mode: Mutex<Mode>,
    once: Mutex<VecDeque<Mode>>,
    calls: AtomicU64,
}

impl Scripted {
    pub fn over(bucket: InMemory) -> Self {
        Self { bucket, mode: Mutex::new(Mode::Serve), once: Mutex::default(), calls: AtomicU64::new(0) }
    }

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

    /// The bucket behind the faults.
    pub fn bucket(&self) -> &InMemory {
        &self.bucket
    }

    /// Calls that reached it.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn called(&self) -> Mode {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.once.lock().pop_front().unwrap_or_else(|| *self.mode.lock())
    }

    /// What comes before any answer.
    async fn meet(&self, path: &Path) -> Result<Mode> {
        let mode = self.called();
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
        self.meet(path).await?;
        self.bucket.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.meet(path).await?;
        self.bucket.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let mode = self.meet(path).await?;
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
        self.called();
        self.bucket.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        listing(self.called(), self.bucket.list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        listing(self.called(), self.bucket.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.meet(&Path::default()).await?;
        self.bucket.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.meet(from).await?;
        self.bucket.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.meet(from).await?;
        self.bucket.rename_opts(from, to, options).await
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
        Mode::StallAfter(count) => items.take(count as usize).chain(stream::pending()).boxed(),
        _ => items,
    }
}
