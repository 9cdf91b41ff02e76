//! A simulated region: an object store over the shared truth.

use std::fmt;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::answer::{Serving, meta};
use super::attempt::InTheAir;
use super::body;
use super::fault::Fault;
use super::ledger::Ending;
use super::pages;
use super::wire;
use super::world::{OnlyIf, What, World, Write, lost};
use crate::health::CircuitClass;
use crate::time::sleep_until;

/// One region.
#[derive(Debug, Clone)]
pub(super) struct SimulatedRegion {
    pub(super) world: Arc<World>,
    pub(super) index: usize,
}

impl SimulatedRegion {
    /// A request arrives, and waits for its answer; what befalls it before that is its error.
    pub(super) async fn meet(&self, class: Option<CircuitClass>, what: &str, path: &Path) -> Result<(InTheAir, Option<Fault>)> {
        let mut attempt = InTheAir::begin(&self.world, self.index, class, what);
        let fault = attempt.fault;
        if fault == Some(Fault::Swallow) {
            return std::future::pending().await;
        }
        if fault != Some(Fault::Refuse) {
            sleep_until(self.world.moment(attempt.answers_at)).await;
        }
        match fault.and_then(|fault| attempt.wire.refusal(fault, path)) {
            Some(error) => {
                attempt.end(Ending::of_refusal(fault));
                Err(error)
            }
            None => Ok((attempt, fault)),
        }
    }

    async fn write(&self, class: Option<CircuitClass>, what: &str, write: Write) -> Result<u64> {
        let path = Path::from(write.key.as_str());
        let mut attempt = InTheAir::begin(&self.world, self.index, class, what);
        let done = attempt.arrive(write);
        if attempt.fault == Some(Fault::Swallow) {
            return std::future::pending().await;
        }
        if attempt.fault != Some(Fault::Refuse) {
            sleep_until(self.world.moment(attempt.answers_at)).await;
        }
        if let Some(error) = attempt.fault.and_then(|fault| attempt.wire.refusal(fault, &path)) {
            attempt.end(Ending::of_refusal(attempt.fault));
            return Err(error);
        }
        drop(self.world.state());
        let answer = done.and_then(|done| done.lock().take()).unwrap_or_else(|| Err(lost()));
        match &answer {
            Ok(_) => attempt.answer(200, None, Ending::Served),
            Err(error) => {
                let ending = if matches!(error, Error::NotFound { .. }) { Ending::Missing } else { Ending::Failed };
                let (status, code) = wire::status_of(error);
                attempt.answer(status, code, ending);
            }
        }
        answer
    }

    fn listing(&self, prefix: Option<&Path>, offset: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        pages::listing(self.clone(), prefix.cloned(), offset.cloned())
    }
}

impl fmt::Display for SimulatedRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "simulated region {}", self.index)
    }
}

#[async_trait::async_trait]
impl ObjectStore for SimulatedRegion {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let only_if = match options.mode {
            PutMode::Overwrite => OnlyIf::Always,
            PutMode::Create => OnlyIf::Absent,
            PutMode::Update(version) => OnlyIf::Tag(version.e_tag.unwrap_or_default()),
        };
        let write = Write { key: path.to_string(), what: What::Put(payload.into()), only_if };
        let id = self.write(Some(CircuitClass::Write), "put", write).await?;
        let state = self.world.state();
        let version = state.truth.versions(path.as_ref()).iter().find(|version| version.id == id);
        let e_tag = version.map(|version| state.tag(version, self.index));
        Ok(PutResult { e_tag, version: None, extensions: Default::default() })
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented { operation: "put_multipart".into(), implementer: self.to_string() })
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let what = if options.head { "head" } else { "get" };
        let (mut attempt, fault) = self.meet(Some(CircuitClass::Read), &format!("{what} {path}"), path).await?;
        let serving = Serving::decide(self, path, &options, fault);
        let Serving { meta, range, bytes } = match serving {
            Ok(serving) => serving,
            Err((error, ending)) => {
                let (status, code) = wire::status_of(&error);
                attempt.answer(status, code, ending);
                return Err(error);
            }
        };
        attempt.answer(if options.range.is_some() { 206 } else { 200 }, None, Ending::Served);
        let fault = if options.head { None } else { fault };
        let stream = if options.head { stream::empty().boxed() } else { body::stream(attempt, bytes, fault) };
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream),
            meta,
            range,
            attributes: Default::default(),
            extensions: Default::default(),
        })
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let region = self.clone();
        let delete = move |path: Result<Path>| {
            let region = region.clone();
            async move {
                let path = path?;
                region.write(None, "delete", Write::always(path.as_ref(), What::Delete)).await?;
                Ok(path)
            }
        };
        paths.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, None)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let (mut attempt, _) = self.meet(Some(CircuitClass::Read), "list_with_delimiter", &Path::default()).await?;
        attempt.answer(200, None, Ending::Served);
        let (now, state) = (self.world.now(), self.world.state());
        let mut found = ListResult { common_prefixes: Vec::new(), objects: Vec::new(), extensions: Default::default() };
        let below = prefix.cloned().unwrap_or_default();
        for (key, version) in state.truth.keys(self.index, now) {
            let path = Path::from(key);
            let Some(mut rest) = path.prefix_match(&below).map(Iterator::collect::<Vec<_>>) else { continue };
            match rest.len() {
                0 => {}
                1 => found.objects.push(meta(&state, self.index, &path, version)),
                _ => {
                    let folder = below.clone().join(rest.remove(0));
                    if found.common_prefixes.last() != Some(&folder) {
                        found.common_prefixes.push(folder);
                    }
                }
            }
        }
        Ok(found)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let only_if = if matches!(options.mode, CopyMode::Create) { OnlyIf::Absent } else { OnlyIf::Always };
        let write = Write { key: to.to_string(), what: What::CopyOf(from.to_string()), only_if };
        self.write(Some(CircuitClass::Write), "copy", write).await.map(drop)
    }
}
