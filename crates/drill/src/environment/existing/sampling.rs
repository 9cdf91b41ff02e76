//! The choice of keys to read from existing regions, within `--max-bytes`.

use std::cmp::Reverse;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use tokio::time::timeout;

use super::Regions;
use super::one_line::describe;

/// Number and size of the objects of an embedded environment.
const OBJECTS: usize = 300;
const LARGEST: u64 = 8 * 1024 * 1024;
/// Keys to list; enough to choose from in a larger bucket.
const LISTED: usize = 10_000;
/// The baseline may read 1 / this of `--max-bytes`.
const BASELINE_SHARE: u64 = 4;
/// With fewer reads per second no circuit opens within a short scenario.
const READS_PER_SECOND: f64 = 120.0;
/// This many of the smallest keys are read even if all are too large for the rate.
const AT_LEAST: usize = 20;
/// Limit of one listing.
const PATIENCE: Duration = Duration::from_secs(20);

/// What limits the choice.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampleLimits {
    pub(super) regions: u64,
    /// The bytes that may be read in total.
    pub(super) bytes: u64,
    /// Duration of all scenarios; `None` if faults are injected manually, for an unknown time.
    pub(super) length: Option<Duration>,
}

/// The keys of the first region that lists any.
pub(super) async fn listing(
    regions: &Regions,
    prefix: Option<&Path>,
) -> Result<Vec<ObjectMeta>, String> {
    let mut why = None;
    for (name, store) in regions {
        match timeout(
            PATIENCE,
            store.list(prefix).take(LISTED).try_collect::<Vec<_>>(),
        )
        .await
        {
            Ok(Ok(keys)) if keys.is_empty() => {}
            Ok(Ok(keys)) => return Ok(keys),
            Ok(Err(error)) => why = Some(format!("{name}: {}", describe(&error))),
            Err(_) => {
                why = Some(format!(
                    "{name}: no listing within {} s",
                    PATIENCE.as_secs()
                ))
            }
        }
    }
    let empty = "they are empty; write objects of 1 KiB to 8 MiB, or use --seed-bucket";
    Err(format!(
        "no region lists any object: {}",
        why.as_deref().unwrap_or(empty)
    ))
}

/// Chooses keys at random, within the share of the baseline and small enough for the read rate.
pub(super) fn choose(
    mut keys: Vec<ObjectMeta>,
    limits: SampleLimits,
    seed: u64,
) -> Vec<ObjectMeta> {
    keys.retain(|meta| meta.size <= LARGEST);
    keys.shuffle(&mut SmallRng::seed_from_u64(seed));
    let whole = limits.bytes / BASELINE_SHARE / limits.regions;
    let mean = limits.length.map_or(u64::MAX, |length| {
        ((limits.bytes as f64 / length.as_secs_f64()) / READS_PER_SECOND) as u64
    });
    let mut chosen = Chosen {
        keys: Vec::new(),
        bytes: 0,
        whole,
    };
    keys.retain(|meta| !chosen.take(meta, mean / 2));
    // Faults within a body need large ones; beside many small keys some are affordable.
    keys.sort_by_key(|meta| Reverse(meta.size));
    keys.retain(|meta| !chosen.take(meta, mean));
    if chosen.keys.len() < AT_LEAST {
        smallest(chosen.keys.into_iter().chain(keys).collect(), whole)
    } else {
        chosen.keys
    }
}

struct Chosen {
    keys: Vec<ObjectMeta>,
    bytes: u64,
    /// The most bytes of all keys together.
    whole: u64,
}

impl Chosen {
    /// Adds the key unless the total or the mean size would exceed its limit.
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
