//! The truth behind the regions: every version of every key, and since when each region shows it.
//!
//! A write takes effect in one region at one moment. Every other region shows it later, by a lag of its own, and later versions may
//! arrive before earlier ones; what a region shows is the latest of those that have arrived. A delete is a version without content.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::dice::{Dice, mixed};

/// Milliseconds since the life began.
pub(super) type Ms = u64;

/// What a key was from one write to the next.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// No other version in the life has it.
    pub(super) id: u64,
    pub(super) at: Ms,
    /// None where the key was deleted.
    pub(super) content: Option<Bytes>,
    /// Since when each region shows it.
    pub(super) shown: Vec<Ms>,
}

/// How long a region lags behind a write that was made elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lag {
    pub(super) median: f64,
    pub(super) sigma: f64,
    /// Deletes arrive later by this factor.
    pub(super) of_deletes: f64,
}

#[derive(Debug)]
pub(super) struct Truth {
    keys: BTreeMap<String, Vec<Version>>,
    lags: Vec<Lag>,
    dice: Dice,
    ids: u64,
}

impl Truth {
    pub(super) fn new(lags: Vec<Lag>, dice: Dice) -> Self {
        Self { keys: BTreeMap::new(), lags, dice, ids: 0 }
    }

    /// An object that has always been everywhere.
    pub(super) fn found(&mut self, key: &str, size: u64) {
        let id = self.new_id();
        let shown = vec![0; self.lags.len()];
        self.keys.entry(key.to_owned()).or_default().push(Version { id, at: 0, content: Some(content(id, size)), shown });
    }

    pub(super) fn new_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// A write takes effect in `origin`.
    pub(super) fn write(&mut self, key: &str, origin: usize, id: u64, content: Option<Bytes>, at: Ms) {
        let mut shown = Vec::with_capacity(self.lags.len());
        for (region, lag) in self.lags.iter().enumerate() {
            let factor = if content.is_none() { lag.of_deletes } else { 1.0 };
            let delay = if region == origin || lag.median == 0.0 { 0.0 } else { self.dice.lognormal(lag.median * factor, lag.sigma) };
            shown.push(at + delay as Ms);
        }
        self.keys.entry(key.to_owned()).or_default().push(Version { id, at, content, shown });
    }

    /// From now on every region shows everything.
    pub(super) fn catch_up(&mut self, now: Ms) {
        for shown in self.keys.values_mut().flatten().flat_map(|version| &mut version.shown) {
            *shown = (*shown).min(now);
        }
    }

    pub(super) fn versions(&self, key: &str) -> &[Version] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// What the region shows at this moment, a delete included.
    pub(super) fn shown(&self, key: &str, region: usize, at: Ms) -> Option<&Version> {
        self.versions(key).iter().rev().find(|version| version.shown[region] <= at)
    }

    /// The key was deleted at some time up to then.
    pub(super) fn was_ever_deleted(&self, key: &str, until: Ms) -> bool {
        self.versions(key).iter().any(|version| version.content.is_none() && version.at <= until)
    }

    /// The region shows an object (`wanted` of it) from `since` to `until` without a gap, a moment before and after included.
    pub(super) fn held(&self, key: &str, region: usize, since: Ms, until: Ms, wanted: impl Fn(&Version) -> bool) -> bool {
        let (since, until) = (since.saturating_sub(1), until + 1);
        let changes = self.versions(key).iter().map(|version| version.shown[region]).filter(|at| (since..=until).contains(at));
        changes.chain([since]).all(|at| self.shown(key, region, at).is_some_and(|version| version.content.is_some() && wanted(version)))
    }

    /// Versions that some region of `among` shows at some moment from `since` to `until`: also one that another replaced in the same
    /// millisecond.
    pub(super) fn shown_within(&self, key: &str, among: &[usize], since: Ms, until: Ms) -> Vec<&Version> {
        let versions = self.versions(key);
        let is_shown = |number: usize, region: usize| {
            let begins = versions[number].shown[region];
            let ends = versions[number + 1..].iter().map(|later| later.shown[region]).min().unwrap_or(Ms::MAX);
            begins <= until && ends >= since && ends >= begins
        };
        let shown = |(number, version)| among.iter().any(|region| is_shown(number, *region)).then_some(version);
        versions.iter().enumerate().filter_map(shown).collect()
    }

    /// Keys that the region shows, in order.
    pub(super) fn keys(&self, region: usize, at: Ms) -> Vec<(String, &Version)> {
        let shown = |(key, _): (&String, _)| Some((key.clone(), self.shown(key, region, at).filter(|version| version.content.is_some())?));
        self.keys.iter().filter_map(shown).collect()
    }

    /// Every key that ever was.
    pub(super) fn all_keys(&self) -> impl Iterator<Item = &String> {
        self.keys.keys()
    }
}

/// The bytes of a version: no two versions have eight of them in a row in common, so that they tell where they are from. Of large ones only
/// each block tells where it lies: they are there to be read in parts.
pub(super) fn content(id: u64, size: u64) -> Bytes {
    if size <= SMALL {
        let words = (0..size.div_ceil(8)).flat_map(|word| mixed(id << 32 | word).to_le_bytes());
        return words.take(size as usize).collect();
    }
    let mut bytes = mixed(id).to_le_bytes().repeat(size as usize / 8 + 1);
    for (number, block) in bytes.chunks_exact_mut(BLOCK).enumerate() {
        block[..8].copy_from_slice(&mixed(id << 32 | number as u64).to_le_bytes());
    }
    bytes.truncate(size as usize);
    bytes.into()
}

const SMALL: u64 = 64 * 1024;
const BLOCK: usize = 4096;
