//! The object history of a run: every version of every key, and from when each region shows it.
//!
//! A write takes effect in one region at one moment. Every other region shows it after a lag of its
//! own, so a later version may arrive before an earlier one. A region shows the latest version that
//! has arrived. A delete is a version without content.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::rng::{Rng, mix};

/// Milliseconds since the begin of the run.
pub(crate) type Ms = u64;

/// The state of a key from one write to the next.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// Unique in the run.
    pub(crate) id: u64,
    pub(crate) at: Ms,
    /// None for a delete.
    pub(crate) content: Option<Bytes>,
    /// From when each region shows it.
    pub(crate) visible_from: Vec<Ms>,
}

/// The time until a region shows a write that took effect in another region: lognormal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lag {
    /// In milliseconds; 0 is no lag.
    pub(crate) median: f64,
    pub(crate) sigma: f64,
    /// Deletes take this many times as long.
    pub(crate) delete_factor: f64,
}

#[derive(Debug)]
pub(crate) struct ObjectHistory {
    keys: BTreeMap<String, Vec<Version>>,
    lags: Vec<Lag>,
    rng: Rng,
    ids: u64,
}

impl ObjectHistory {
    pub(crate) fn new(lags: Vec<Lag>, rng: Rng) -> Self {
        Self {
            keys: BTreeMap::new(),
            lags,
            rng,
            ids: 0,
        }
    }

    /// Adds an object that every region shows from the begin.
    pub(crate) fn insert_initial(&mut self, key: &str, size: u64) {
        let id = self.new_id();
        let visible_from = vec![0; self.lags.len()];
        self.keys.entry(key.to_owned()).or_default().push(Version {
            id,
            at: 0,
            content: Some(content(id, size)),
            visible_from,
        });
    }

    pub(crate) fn new_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// A write takes effect in `origin`.
    pub(crate) fn write(
        &mut self,
        key: &str,
        origin: usize,
        id: u64,
        content: Option<Bytes>,
        at: Ms,
    ) {
        let mut visible_from = Vec::with_capacity(self.lags.len());
        for (region, lag) in self.lags.iter().enumerate() {
            let factor = if content.is_none() {
                lag.delete_factor
            } else {
                1.0
            };
            let delay = if region == origin || lag.median == 0.0 {
                0.0
            } else {
                self.rng.lognormal(lag.median * factor, lag.sigma)
            };
            visible_from.push(at + delay as Ms);
        }
        self.keys.entry(key.to_owned()).or_default().push(Version {
            id,
            at,
            content,
            visible_from,
        });
    }

    /// Ends all lag.
    pub(crate) fn catch_up(&mut self, now: Ms) {
        for visible_from in self
            .keys
            .values_mut()
            .flatten()
            .flat_map(|version| &mut version.visible_from)
        {
            *visible_from = (*visible_from).min(now);
        }
    }

    pub(crate) fn versions(&self, key: &str) -> &[Version] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// The version that the region shows at this moment; may be a delete.
    pub(crate) fn visible(&self, key: &str, region: usize, at: Ms) -> Option<&Version> {
        self.versions(key)
            .iter()
            .rev()
            .find(|version| version.visible_from[region] <= at)
    }

    /// A delete took effect at or before `until`.
    pub(crate) fn was_ever_deleted(&self, key: &str, until: Ms) -> bool {
        self.versions(key)
            .iter()
            .any(|version| version.content.is_none() && version.at <= until)
    }

    /// The region shows an object that satisfies `wanted` without a gap from `since` to `until`.
    pub(crate) fn present_throughout(
        &self,
        key: &str,
        region: usize,
        since: Ms,
        until: Ms,
        wanted: impl Fn(&Version) -> bool,
    ) -> bool {
        // A millisecond more on either side: the order of events within one is unknown.
        let (since, until) = (since.saturating_sub(1), until + 1);
        let changes = self
            .versions(key)
            .iter()
            .map(|version| version.visible_from[region])
            .filter(|at| (since..=until).contains(at));
        changes.chain([since]).all(|at| {
            self.visible(key, region, at)
                .is_some_and(|version| version.content.is_some() && wanted(version))
        })
    }

    /// The versions that some region of `among` shows at some moment from `since` to `until`, those
    /// that were replaced within the same millisecond included.
    pub(crate) fn visible_within(
        &self,
        key: &str,
        among: &[usize],
        since: Ms,
        until: Ms,
    ) -> Vec<&Version> {
        let versions = self.versions(key);
        // A version is hidden as soon as any later one arrives, in whatever order they arrive.
        let is_visible = |number: usize, region: usize| {
            let begins = versions[number].visible_from[region];
            let ends = versions[number + 1..]
                .iter()
                .map(|later| later.visible_from[region])
                .min()
                .unwrap_or(Ms::MAX);
            begins <= until && ends >= since && ends >= begins
        };
        let visible = |(number, version)| {
            among
                .iter()
                .any(|region| is_visible(number, *region))
                .then_some(version)
        };
        versions.iter().enumerate().filter_map(visible).collect()
    }

    /// The keys that the region shows, in order.
    pub(crate) fn keys(&self, region: usize, at: Ms) -> Vec<(String, &Version)> {
        let visible = |(key, _): (&String, _)| {
            Some((
                key.clone(),
                self.visible(key, region, at)
                    .filter(|version| version.content.is_some())?,
            ))
        };
        self.keys.iter().filter_map(visible).collect()
    }

    /// All keys, deleted ones included.
    pub(crate) fn all_keys(&self) -> impl Iterator<Item = &String> {
        self.keys.keys()
    }
}

/// The bytes of a version. No two versions have eight consecutive bytes in common, so that bytes
/// identify their version and offset. In large objects only the first bytes of each block identify
/// the offset.
pub(crate) fn content(id: u64, size: u64) -> Bytes {
    if size <= MAX_UNIQUE_BYTES {
        let words = (0..size.div_ceil(8)).flat_map(|word| mix(id << 32 | word).to_le_bytes());
        return words.take(size as usize).collect();
    }
    let mut bytes = mix(id).to_le_bytes().repeat(size as usize / 8 + 1);
    for (number, block) in bytes.chunks_exact_mut(BLOCK_BYTES).enumerate() {
        block[..8].copy_from_slice(&mix(id << 32 | number as u64).to_le_bytes());
    }
    bytes.truncate(size as usize);
    bytes.into()
}

const MAX_UNIQUE_BYTES: u64 = 64 * 1024;
const BLOCK_BYTES: usize = 4096;
