//! Whether the regions hold the same: a sample of keys, each asked for everywhere. And whether a region answers for keys that it lacks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStoreExt};

use super::Region;
use super::asked::{LISTED, Listing, PATIENCE};
use crate::clock::within;

/// More keys tell nothing new.
const SAMPLE: usize = 20;
const AT_A_TIME: usize = 8;
/// Keys that one region lists and another does not, which are asked for there.
const SUSPECTS: usize = 5;

/// One region against the others, by its index.
#[derive(Debug, Default)]
pub(super) struct Alike {
    pub(super) sampled: usize,
    pub(super) of: Vec<Compared>,
}

#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Keys with the tag that most regions have, and with its size.
    pub(super) same: usize,
    pub(super) missing: Vec<Path>,
    pub(super) other_tag: Vec<Path>,
    pub(super) other_size: Vec<Path>,
    /// Without a tag, or with a weak one: no proof that two bodies are the same.
    pub(super) weak: Vec<Path>,
    pub(super) unread: Vec<Path>,
    /// Keys that others list and this one does not, and of these one that it serves all the same.
    pub(super) unlisted: usize,
    pub(super) proxied: Option<Path>,
}

/// One region's word on one key; None where it could not be read.
type Word = Option<Result<ObjectMeta, ()>>;

impl Alike {
    pub(super) async fn of(regions: &[Region], listings: &[Listing]) -> Self {
        let keys = sample(listings);
        let asked = keys.iter().flat_map(|key| (0..regions.len()).map(move |index| (key, index)));
        let word = |(key, index): (&Path, usize)| {
            let (key, store) = (key.clone(), &regions[index].store);
            async move {
                let word = match within(PATIENCE, store.head(&key)).await {
                    Some(Ok(meta)) => Some(Ok(meta)),
                    Some(Err(Error::NotFound { .. })) => Some(Err(())),
                    _ => None,
                };
                ((key, index), word)
            }
        };
        let words: HashMap<(Path, usize), Word> =
            stream::iter(asked.map(word).collect::<Vec<_>>()).buffer_unordered(AT_A_TIME).collect().await;
        let mut alike = Self { sampled: keys.len(), of: regions.iter().map(|_| Compared::default()).collect() };
        for key in &keys {
            let words: Vec<_> = (0..regions.len()).map(|index| &words[&(key.clone(), index)]).collect();
            alike.compare(key, &words);
        }
        for (index, region) in regions.iter().enumerate() {
            alike.look_for_proxying(index, region, listings).await;
        }
        alike
    }

    fn compare(&mut self, key: &Path, words: &[&Word]) {
        let found = |word: &&Word| (*word).clone().and_then(Result::ok);
        let usual = most_frequent(words.iter().filter_map(found).map(|meta| (meta.size, meta.e_tag)));
        for (compared, word) in self.of.iter_mut().zip(words) {
            let place = match word {
                None => &mut compared.unread,
                Some(Err(())) => &mut compared.missing,
                Some(Ok(meta)) => match &usual {
                    Some((size, _)) if meta.size != *size => &mut compared.other_size,
                    _ if meta.e_tag.as_ref().is_none_or(|tag| tag.starts_with("W/")) => &mut compared.weak,
                    Some((_, tag)) if meta.e_tag != *tag => &mut compared.other_tag,
                    _ => {
                        compared.same += 1;
                        continue;
                    }
                },
            };
            place.push(key.clone());
        }
    }

    /// A region that serves what it does not list has fetched it from another.
    async fn look_for_proxying(&mut self, index: usize, region: &Region, listings: &[Listing]) {
        let unlisted = unlisted(index, listings);
        self.of[index].unlisted = unlisted.len();
        for key in unlisted.into_iter().take(SUSPECTS) {
            let served = matches!(within(PATIENCE, region.store.head(&key)).await, Some(Ok(_)));
            // It may have come by replication meanwhile.
            if served && within(PATIENCE, is_listed(region, &key)).await == Some(false) {
                self.of[index].proxied = Some(key);
                return;
            }
        }
    }
}

/// Keys spread evenly over what the regions list, the same for every region.
fn sample(listings: &[Listing]) -> Vec<Path> {
    let all: BTreeSet<Path> = listings.iter().flatten().flatten().map(|meta| meta.location.clone()).collect();
    let step = all.len().div_ceil(SAMPLE).max(1);
    all.into_iter().step_by(step).collect()
}

/// Keys that others list and this region does not, as far as all listings reach.
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
    let others: BTreeSet<&Path> = listings.iter().flatten().flatten().map(|meta| &meta.location).collect();
    let within_reach = |key: &&&Path| end.is_none_or(|end| **key <= end);
    others.difference(&own).filter(within_reach).map(|key| (*key).clone()).collect()
}

async fn is_listed(region: &Region, key: &Path) -> bool {
    // A key is no prefix of itself: what is listed is what stands behind the one before it.
    let text = key.as_ref();
    let before = Path::from(&text[..text.len() - text.chars().next_back().map_or(0, char::len_utf8)]);
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
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}
