//! Multipart uploads that have not been completed or aborted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use object_store::{Attributes, PutPayload};
use s3s::dto::{CompletedPart, ETag};
use s3s::{S3Result, s3_error};

use crate::lock;

/// Only the last part may be smaller.
const MIN_PART_BYTES: usize = 5 * 1024 * 1024;
const MAX_PARTS: i32 = 10_000;

/// Numbers uploads and parts across all servers of the process, so that one region does not accept
/// the upload id of another.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The open uploads of one server, by id.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<HashMap<String, Upload>>);

struct Upload {
    key: String,
    attributes: Attributes,
    parts: BTreeMap<i32, Part>,
}

struct Part {
    e_tag: ETag,
    body: PutPayload,
}

impl Uploads {
    pub(crate) fn create(&self, key: &str, attributes: Attributes) -> String {
        let id = format!("upload-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let upload = Upload {
            key: key.to_owned(),
            attributes,
            parts: BTreeMap::new(),
        };
        lock(&self.0).insert(id.clone(), upload);
        id
    }

    /// Adds a part, or replaces the one with this number.
    pub(crate) fn add(&self, key: &str, id: &str, number: i32, body: PutPayload) -> S3Result<ETag> {
        if !(1..=MAX_PARTS).contains(&number) {
            return Err(s3_error!(InvalidArgument, "part number {number}"));
        }
        let e_tag = ETag::Strong(format!("part-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        self.with(key, id, |upload| {
            upload.parts.insert(
                number,
                Part {
                    e_tag: e_tag.clone(),
                    body,
                },
            );
            Ok(e_tag)
        })
    }

    /// The object that the `wanted` parts make. The upload stays open, because the conditional
    /// write that follows can fail.
    pub(crate) fn assemble(
        &self,
        key: &str,
        id: &str,
        wanted: &[CompletedPart],
    ) -> S3Result<(Attributes, PutPayload)> {
        self.with(key, id, |upload| {
            Ok((upload.attributes.clone(), upload.assemble(wanted)?))
        })
    }

    pub(crate) fn end(&self, key: &str, id: &str) -> S3Result<()> {
        self.with(key, id, |_| Ok(()))?;
        lock(&self.0).remove(id);
        Ok(())
    }

    fn with<T>(
        &self,
        key: &str,
        id: &str,
        work: impl FnOnce(&mut Upload) -> S3Result<T>,
    ) -> S3Result<T> {
        match lock(&self.0).get_mut(id).filter(|upload| upload.key == key) {
            Some(upload) => work(upload),
            None => Err(s3_error!(NoSuchUpload)),
        }
    }
}

impl Upload {
    fn assemble(&self, wanted: &[CompletedPart]) -> S3Result<PutPayload> {
        if wanted.is_empty() {
            return Err(s3_error!(MalformedXML, "no parts"));
        }
        if !wanted.is_sorted_by(|a, b| a.part_number < b.part_number) {
            return Err(s3_error!(InvalidPartOrder));
        }
        let parts = wanted
            .iter()
            .map(|part| self.part(part))
            .collect::<S3Result<Vec<_>>>()?;
        let all_but_last = &parts[..parts.len() - 1];
        if all_but_last
            .iter()
            .any(|part| part.content_length() < MIN_PART_BYTES)
        {
            return Err(s3_error!(EntityTooSmall));
        }
        Ok(parts.into_iter().flatten().cloned().collect())
    }

    /// The part's bytes, if its ETag is the current one.
    fn part(&self, wanted: &CompletedPart) -> S3Result<&PutPayload> {
        let held = wanted
            .part_number
            .and_then(|number| self.parts.get(&number));
        match held {
            Some(part) if wanted.e_tag.as_ref() == Some(&part.e_tag) => Ok(&part.body),
            _ => Err(s3_error!(InvalidPart)),
        }
    }
}
