//! Whether the regions hold the same objects: a sample of keys, each requested from every region;
//! and whether a region serves keys that it lacks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStoreExt};
use tokio::time::timeout;

use super::Region;
use super::first_requests::{LISTED, Listing, PATIENCE};

/// Keys to sample.
const SAMPLE: usize = 20;
const MAX_CONCURRENT: usize = 8;
/// Unlisted keys to request from a region.
const SUSPECTS: usize = 5;

/// Every region compared with the others, by index.
#[derive(Debug, Default)]
pub(super) struct Consistency {
    pub(super) sampled: usize,
    pub(super) of: Vec<RegionConsistency>,
}

#[derive(Debug, Default)]
pub(super) struct RegionConsistency {
    /// Keys with the ETag and size that most regions have.
    pub(super) same: usize,
    pub(super) missing: Vec<Path>,
    pub(super) other_tag: Vec<Path>,
    pub(super) other_size: Vec<Path>,
    /// Keys without a strong ETag, which cannot prove that two bodies are the same.
    pub(super) weak: Vec<Path>,
    pub(super) unread: Vec<Path>,
    /// Keys that other regions list and this one does not, and one of them that it serves
    /// nevertheless.
    pub(super) unlisted: usize,
    pub(super) proxied: Option<Path>,
}

/// The response of one region for one key: `None` if it failed, `Err` for a missing key.
type HeadResult = Option<Result<ObjectMeta, ()>>;

impl Consistency {
    pub(super) async fn of(regions: &[Region], listings: &[Listing]) -> Self {
        let keys = sample(listings);
        let requests = keys
            .iter()
            .flat_map(|key| (0..regions.len()).map(move |index| (key, index)));
        let result = |(key, index): (&Path, usize)| {
            let (key, store) = (key.clone(), &regions[index].store);
            async move {
                let result = match timeout(PATIENCE, store.head(&key)).await {
                    Ok(Ok(meta)) => Some(Ok(meta)),
                    Ok(Err(Error::NotFound { .. })) => Some(Err(())),
                    _ => None,
                };
                ((key, index), result)
            }
        };
        let results: HashMap<(Path, usize), HeadResult> =
            stream::iter(requests.map(result).collect::<Vec<_>>())
                .buffer_unordered(MAX_CONCURRENT)
                .collect()
                .await;
        let mut consistency = Self {
            sampled: keys.len(),
            of: regions
                .iter()
                .map(|_| RegionConsistency::default())
                .collect(),
        };
        for key in &keys {
            let results: Vec<_> = (0..regions.len())
                .map(|index| &results[&(key.clone(), index)])
                .collect();
            consistency.compare(key, &results);
        }
        for (index, region) in regions.iter().enumerate() {
            consistency.find_proxying(index, region, listings).await;
        }
        consistency
    }

    fn compare(&mut self, key: &Path, results: &[&HeadResult]) {
        let found = |result: &&HeadResult| (*result).clone().and_then(Result::ok);
        let usual = most_frequent(
            results
                .iter()
                .filter_map(found)
                .map(|meta| (meta.size, meta.e_tag)),
        );
        for (compared, result) in self.of.iter_mut().zip(results) {
            let keys = match result {
                None => &mut compared.unread,
                Some(Err(())) => &mut compared.missing,
                Some(Ok(meta)) => match &usual {
                    Some((size, _)) if meta.size != *size => &mut compared.other_size,
                    _ if meta.e_tag.as_ref().is_none_or(|tag| tag.starts_with("W/")) => {
                        &mut compared.weak
                    }
                    Some((_, tag)) if meta.e_tag != *tag => &mut compared.other_tag,
                    _ => {
                        compared.same += 1;
                        continue;
                    }
                },
            };
            keys.push(key.clone());
        }
    }

    /// A region that serves a key that it does not list fetches it from another region.
    async fn find_proxying(&mut self, index: usize, region: &Region, listings: &[Listing]) {
        let unlisted = unlisted(index, listings);
        self.of[index].unlisted = unlisted.len();
        for key in unlisted.into_iter().take(SUSPECTS) {
            let served = matches!(timeout(PATIENCE, region.store.head(&key)).await, Ok(Ok(_)));
            // Replication may have copied it since the first listing.
            if served && timeout(PATIENCE, is_listed(region, &key)).await == Ok(false) {
                self.of[index].proxied = Some(key);
                return;
            }
        }
    }
}

/// Keys spread evenly over the listings, the same for every region.
fn sample(listings: &[Listing]) -> Vec<Path> {
    let all: BTreeSet<Path> = listings
        .iter()
        .flatten()
        .flatten()
        .map(|meta| meta.location.clone())
        .collect();
    let step = all.len().div_ceil(SAMPLE).max(1);
    all.into_iter().step_by(step).collect()
}

/// Keys that other regions list and this one does not, within the range of all listings.
fn unlisted(index: usize, listings: &[Listing]) -> Vec<Path> {
    let Ok(own) = &listings[index] else {
        return Vec::new();
    };
    let ends = listings
        .iter()
        .flatten()
        .filter(|listing| listing.len() == LISTED)
        .filter_map(|listing| listing.iter().map(|meta| &meta.location).max());
    let end = ends.min();
    let own: BTreeSet<&Path> = own.iter().map(|meta| &meta.location).collect();
    let others: BTreeSet<&Path> = listings
        .iter()
        .flatten()
        .flatten()
        .map(|meta| &meta.location)
        .collect();
    let within_reach = |key: &&&Path| end.is_none_or(|end| **key <= end);
    others
        .difference(&own)
        .filter(within_reach)
        .map(|key| (*key).clone())
        .collect()
}

async fn is_listed(region: &Region, key: &Path) -> bool {
    // `list_with_offset` excludes its offset, so it starts one character before the key.
    let text = key.as_ref();
    let before =
        Path::from(&text[..text.len() - text.chars().next_back().map_or(0, char::len_utf8)]);
    let mut listing = region.store.list_with_offset(None, &before).take(LISTED);
    while let Some(Ok(meta)) = listing.next().await {
        if meta.location == *key {
            return true;
        }
    }
    false
}

fn most_frequent<T: Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0_usize) += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(value, _)| value)
}
