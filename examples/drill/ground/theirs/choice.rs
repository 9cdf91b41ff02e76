//! Which of somebody else's keys are read, and what that may cost.

use std::cmp::Reverse;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use super::Regions;
use super::told::told;
use crate::clock::within;

/// As many objects, and none larger, as the drill makes for its own servers.
const OBJECTS: usize = 300;
const LARGEST: u64 = 8 * 1024 * 1024;
/// Of a larger bucket the first keys are enough to choose from.
const LISTED: usize = 10_000;
/// What finding the truth may cost of all that may be read: 1 / this.
const SHARE_FOR_TRUTH: u64 = 4;
/// With fewer reads in a second circuits have no time to open within a scenario of some seconds.
const READS_PER_SECOND: f64 = 120.0;
/// So many of the smallest are read even where all are too large for that.
const AT_LEAST: usize = 20;
/// Nothing is broken yet, so what takes longer will not do for a drill.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a choice of keys has to keep to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) regions: u64,
    /// All that may be read.
    pub(super) bytes: u64,
    /// Of all scenarios together; None where people break the regions, which takes as long as it takes.
    pub(super) length: Option<Duration>,
}

/// Keys of the first region that lists any.
pub(super) async fn listing(regions: &Regions, prefix: Option<&Path>) -> Result<Vec<ObjectMeta>, String> {
    let mut why = None;
    for (name, store) in regions {
        match within(PATIENCE, store.list(prefix).take(LISTED).try_collect::<Vec<_>>()).await {
            Some(Ok(keys)) if keys.is_empty() => {}
            Some(Ok(keys)) => return Ok(keys),
            Some(Err(error)) => why = Some(format!("{name}: {}", told(&error))),
            None => why = Some(format!("{name}: no listing within {} s", PATIENCE.as_secs())),
        }
    }
    let empty = "they are empty; put some there (1 KiB to 8 MiB each will do), or let --seed-bucket do it";
    Err(format!("no region lists any object: {}", why.as_deref().unwrap_or(empty)))
}

/// Chooses by the seed what can be read from every region for the truth's share, and often enough for what is left.
pub(super) fn choose(mut keys: Vec<ObjectMeta>, limits: Limits, seed: u64) -> Vec<ObjectMeta> {
    keys.retain(|meta| meta.size <= LARGEST);
    keys.shuffle(&mut SmallRng::seed_from_u64(seed));
    let whole = limits.bytes / SHARE_FOR_TRUTH / limits.regions;
    let mean = limits.length.map_or(u64::MAX, |length| ((limits.bytes as f64 / length.as_secs_f64()) / READS_PER_SECOND) as u64);
    let mut chosen = Chosen { keys: Vec::new(), bytes: 0, whole };
    keys.retain(|meta| !chosen.take(meta, mean / 2));
    // Some faults need a large body, and beside many small ones it is affordable.
    keys.sort_by_key(|meta| Reverse(meta.size));
    keys.retain(|meta| !chosen.take(meta, mean));
    if chosen.keys.len() < AT_LEAST { smallest(chosen.keys.into_iter().chain(keys).collect(), whole) } else { chosen.keys }
}

struct Chosen {
    keys: Vec<ObjectMeta>,
    bytes: u64,
    /// All of them together may not be larger.
    whole: u64,
}

impl Chosen {
    /// Whether it is one of them: not if it would make them larger than this on average.
    fn take(&mut self, meta: &ObjectMeta, mean: u64) -> bool {
        let (bytes, count) = (self.bytes + meta.size, self.keys.len() as u64 + 1);
        let takes = self.keys.len() < OBJECTS && bytes <= self.whole && bytes / count <= mean;
        if takes {
            self.bytes = bytes;
            self.keys.push(meta.clone());
        }
        takes
    }
}

fn smallest(mut keys: Vec<ObjectMeta>, mut bytes: u64) -> Vec<ObjectMeta> {
    keys.sort_by_key(|meta| meta.size);
    let affordable = keys.into_iter().map_while(|meta| {
        bytes = bytes.checked_sub(meta.size)?;
        Some(meta)
    });
    affordable.take(AT_LEAST).collect()
}
