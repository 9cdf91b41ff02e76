//! One page of `ListObjectsV2`.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use s3s::dto::{CommonPrefix, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass};
use s3s::{S3Result, s3_error};

use super::object;

/// The page limit of S3, whatever `max-keys` says.
const MAX_KEYS: i32 = 1000;

/// The page that `input` requests.
pub(crate) async fn list(
    objects: &dyn ObjectStore,
    input: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let max_keys = input.max_keys.unwrap_or(MAX_KEYS).min(MAX_KEYS);
    let Ok(limit) = usize::try_from(max_keys) else {
        return Err(s3_error!(InvalidArgument, "max-keys is negative"));
    };
    if input.encoding_type.is_some() {
        return Err(s3_error!(NotImplemented, "encoding-type"));
    }
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let mut page = Page::new(&input, limit);
    for meta in matching(objects, prefix).await? {
        if !page.take(meta) {
            break;
        }
    }
    Ok(page.into_output(max_keys))
}

/// All objects whose key begins with `prefix`, sorted by key. The store lists whole directories
/// only; S3 takes any prefix.
async fn matching(objects: &dyn ObjectStore, prefix: &str) -> S3Result<Vec<ObjectMeta>> {
    let directory = prefix.rfind('/').map(|end| &prefix[..end]);
    let directory = match directory.map(|name| object::path(name).ok_or(())) {
        // No key of the store has this prefix.
        Some(Err(())) => return Ok(Vec::new()),
        Some(Ok(path)) => Some(path),
        None => None,
    };
    let listed = objects
        .list(directory.as_ref())
        .try_collect::<Vec<_>>()
        .await;
    let mut metas = listed.map_err(object::error)?;
    metas.retain(|meta| meta.location.as_ref().starts_with(prefix));
    metas.sort_unstable_by(|a, b| Path::cmp(&a.location, &b.location));
    Ok(metas)
}

/// A page under construction.
struct Page<'a> {
    input: &'a ListObjectsV2Input,
    limit: usize,
    contents: Vec<Object>,
    prefixes: Vec<String>,
    /// The last key or common prefix of the page: the next page starts after it.
    last: Option<String>,
    truncated: bool,
}

impl<'a> Page<'a> {
    fn new(input: &'a ListObjectsV2Input, limit: usize) -> Self {
        Self {
            input,
            limit,
            contents: Vec::new(),
            prefixes: Vec::new(),
            last: None,
            truncated: false,
        }
    }

    /// Adds an object, or its common prefix. False once the page is full.
    fn take(&mut self, meta: ObjectMeta) -> bool {
        let key = meta.location.as_ref();
        let group = self.group(key);
        if self.is_before(key, group)
            || (group.is_some() && group == self.prefixes.last().map(|p| p.as_str()))
        {
            return true;
        }
        if self.contents.len() + self.prefixes.len() == self.limit {
            // With `max-keys=0` the page is complete.
            self.truncated = self.limit > 0;
            return false;
        }
        self.last = Some(group.unwrap_or(key).to_owned());
        match group.map(str::to_owned) {
            Some(group) => self.prefixes.push(group),
            None => self.contents.push(entry(&meta)),
        }
        true
    }

    /// The common prefix of `key`: up to the first delimiter after the requested prefix.
    fn group<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self
            .input
            .delimiter
            .as_deref()
            .filter(|text| !text.is_empty())?;
        let from = self.input.prefix.as_ref().map_or(0, String::len);
        let at = key[from..].find(delimiter)?;
        Some(&key[..from + at + delimiter.len()])
    }

    /// Whether the key belongs to an earlier page or lies before `start-after`. A continuation
    /// token is the last entry of the earlier page; a common prefix covers all keys under it.
    fn is_before(&self, key: &str, group: Option<&str>) -> bool {
        match (&self.input.continuation_token, &self.input.start_after) {
            (Some(token), _) => key <= token.as_str() || group == Some(token.as_str()),
            (None, Some(start)) => key <= start.as_str(),
            (None, None) => false,
        }
    }

    fn into_output(self, max_keys: i32) -> ListObjectsV2Output {
        let count = self.contents.len() + self.prefixes.len();
        let named = |prefix| CommonPrefix {
            prefix: Some(prefix),
        };
        ListObjectsV2Output {
            name: Some(self.input.bucket.clone()),
            prefix: Some(self.input.prefix.clone().unwrap_or_default()),
            delimiter: self.input.delimiter.clone(),
            start_after: self.input.start_after.clone(),
            continuation_token: self.input.continuation_token.clone(),
            max_keys: Some(max_keys),
            key_count: i32::try_from(count).ok(),
            is_truncated: Some(self.truncated),
            next_continuation_token: self.last.filter(|_| self.truncated),
            contents: Some(self.contents),
            common_prefixes: Some(self.prefixes.into_iter().map(named).collect()),
            ..ListObjectsV2Output::default()
        }
    }
}

fn entry(meta: &ObjectMeta) -> Object {
    Object {
        key: Some(meta.location.to_string()),
        size: i64::try_from(meta.size).ok(),
        e_tag: object::e_tag(meta),
        last_modified: Some(object::last_modified(meta)),
        storage_class: Some(ObjectStorageClass::from_static(
            ObjectStorageClass::STANDARD,
        )),
        ..Object::default()
    }
}
