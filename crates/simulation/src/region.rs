//! A simulated region: an object store over the shared object history.

use std::fmt;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use object_store_failover::health::CircuitClass;
use tokio::time::sleep_until;

use crate::attempt_log::AttemptEnd;
use crate::body;
use crate::fault::Fault;
use crate::in_flight::InFlightRequest;
use crate::listing_stream;
use crate::responder::{ServedObject, meta};
use crate::wire;
use crate::world::{World, Write, WriteCondition, WriteKind, lost_response};

#[derive(Debug, Clone)]
pub(crate) struct SimulatedRegion {
    pub(crate) world: Arc<World>,
    pub(crate) index: usize,
}

impl SimulatedRegion {
    /// Waits for the response to a request; fails if a fault ends the request before it.
    pub(crate) async fn request(
        &self,
        class: Option<CircuitClass>,
        what: &str,
        path: &Path,
    ) -> Result<(InFlightRequest, Option<Fault>)> {
        let mut attempt = InFlightRequest::begin(&self.world, self.index, class, what);
        let fault = attempt.fault;
        if fault == Some(Fault::Swallow) {
            return std::future::pending().await;
        }
        if fault != Some(Fault::Refuse) {
            sleep_until(self.world.instant(attempt.responds_at)).await;
        }
        if let Err(error) = attempt.wire.check(fault, path) {
            attempt.end(AttemptEnd::of_rejection(fault));
            return Err(error);
        }
        Ok((attempt, fault))
    }

    async fn write(&self, class: Option<CircuitClass>, what: &str, write: Write) -> Result<u64> {
        let path = Path::from(write.key.as_str());
        let mut attempt = InFlightRequest::begin(&self.world, self.index, class, what);
        let outcome = attempt.arrive(write);
        if attempt.fault == Some(Fault::Swallow) {
            return std::future::pending().await;
        }
        if attempt.fault != Some(Fault::Refuse) {
            sleep_until(self.world.instant(attempt.responds_at)).await;
        }
        if let Err(error) = attempt.wire.check(attempt.fault, &path) {
            attempt.end(AttemptEnd::of_rejection(attempt.fault));
            return Err(error);
        }
        // Applies the write if it is due now.
        drop(self.world.state());
        let result = outcome
            .and_then(|outcome| outcome.lock().take())
            .unwrap_or_else(|| Err(lost_response()));
        match &result {
            Ok(_) => attempt.respond(200, None, AttemptEnd::Served),
            Err(error) => {
                let end = if matches!(error, Error::NotFound { .. }) {
                    AttemptEnd::Missing
                } else {
                    AttemptEnd::Failed
                };
                let (status, code) = wire::status_of(error);
                attempt.respond(status, code, end);
            }
        }
        result
    }

    fn listing(
        &self,
        prefix: Option<&Path>,
        offset: Option<&Path>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        listing_stream::listing(self.clone(), prefix.cloned(), offset.cloned())
    }
}

impl fmt::Display for SimulatedRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "simulated region {}", self.index)
    }
}

#[async_trait::async_trait]
impl ObjectStore for SimulatedRegion {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let condition = match options.mode {
            PutMode::Overwrite => WriteCondition::Always,
            PutMode::Create => WriteCondition::Absent,
            PutMode::Update(version) => WriteCondition::Tag(version.e_tag.unwrap_or_default()),
        };
        let write = Write {
            key: path.to_string(),
            what: WriteKind::Put(payload.into()),
            condition,
        };
        let id = self.write(Some(CircuitClass::Write), "put", write).await?;
        let state = self.world.state();
        let version = state
            .history
            .versions(path.as_ref())
            .iter()
            .find(|version| version.id == id);
        let e_tag = version.map(|version| state.tag(version, self.index));
        Ok(PutResult {
            e_tag,
            version: None,
            extensions: Default::default(),
        })
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented {
            operation: "put_multipart".into(),
            implementer: self.to_string(),
        })
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let what = if options.head { "head" } else { "get" };
        let (mut attempt, fault) = self
            .request(Some(CircuitClass::Read), &format!("{what} {path}"), path)
            .await?;
        let ServedObject { meta, range, bytes } =
            match ServedObject::decide(self, path, &options, fault) {
                Ok(served) => served,
                Err((error, end)) => {
                    let (status, code) = wire::status_of(&error);
                    attempt.respond(status, code, end);
                    return Err(error);
                }
            };
        attempt.respond(
            if options.range.is_some() { 206 } else { 200 },
            None,
            AttemptEnd::Served,
        );
        let fault = if options.head { None } else { fault };
        let stream = if options.head {
            stream::empty().boxed()
        } else {
            body::stream(attempt, bytes, fault)
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream),
            meta,
            range,
            attributes: Default::default(),
            extensions: Default::default(),
        })
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let region = self.clone();
        let delete = move |path: Result<Path>| {
            let region = region.clone();
            async move {
                let path = path?;
                region
                    .write(
                        None,
                        "delete",
                        Write::unconditional(path.as_ref(), WriteKind::Delete),
                    )
                    .await?;
                Ok(path)
            }
        };
        paths.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let (mut attempt, _) = self
            .request(
                Some(CircuitClass::Read),
                "list_with_delimiter",
                &Path::default(),
            )
            .await?;
        attempt.respond(200, None, AttemptEnd::Served);
        let (now, state) = (self.world.now(), self.world.state());
        let mut found = ListResult {
            common_prefixes: Vec::new(),
            objects: Vec::new(),
            extensions: Default::default(),
        };
        let below = prefix.cloned().unwrap_or_default();
        for (key, version) in state.history.keys(self.index, now) {
            let path = Path::from(key);
            let Some(mut rest) = path.prefix_match(&below).map(Iterator::collect::<Vec<_>>) else {
                continue;
            };
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
        let condition = if matches!(options.mode, CopyMode::Create) {
            WriteCondition::Absent
        } else {
            WriteCondition::Always
        };
        let write = Write {
            key: to.to_string(),
            what: WriteKind::CopyOf(from.to_string()),
            condition,
        };
        self.write(Some(CircuitClass::Write), "copy", write)
            .await
            .map(drop)
    }
}
