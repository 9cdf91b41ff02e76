//! `--config`: the same load on clusters that somebody already has, while people break them by hand.
//!
//! Nobody tells us what these hold, so the truth about an object is the digest on which all regions agree at the start.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, TimeoutConfig};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use crate::args::Args;
use crate::clock::within;
use crate::corpus::{Corpus, Fingerprint, Object, fingerprint};
use crate::scenario::WATCH;
use crate::stage::Stage;
use crate::tuning::Tuning;
use crate::{Run, head};

/// As many objects, and none larger, as the drill makes for its own servers.
const OBJECTS: usize = 300;
const LARGEST: u64 = 8 * 1024 * 1024;
/// Of a larger bucket the first keys are enough to choose from.
const LISTED: usize = 10_000;
/// What finding the truth may cost of all that may be read: 1 / this.
const SHARE_FOR_TRUTH: u64 = 4;
const AT_A_TIME: usize = 8;
/// Nothing is broken yet, so what takes longer will not do for a drill.
const PATIENCE: Duration = Duration::from_secs(60);

type Regions = Vec<(String, Arc<dyn ObjectStore>)>;

/// What the regions say of one key.
enum Word {
    Agreed(Object),
    Differ,
    /// Some region does not have it, or could not be read.
    Unread(String),
}

pub(crate) async fn prepare(args: &Args, path: &FilePath, seed: u64) -> Result<Run, String> {
    let file = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("--config {file}: {error}"))?;
    let config: FailoverConfig = toml::from_str(&text).map_err(|error| format!("--config {file}: {error}"))?;
    let refused = |error| format!("--config {file}: {error}");
    let regions = config.region_stores().map_err(refused)?;
    let store = config.build().map_err(refused)?;
    if regions.len() < 2 {
        return Err(format!("--config {file}: with one region there is nowhere to fail over to; name two or more"));
    }
    let keys = choose(listing(&regions).await?, regions.len() as u64, args.max_bytes / SHARE_FOR_TRUTH, seed);
    let (objects, read) = truth(&regions, keys).await?;
    let stage = Stage::over(store);
    let corpus = Corpus::new(objects, seed);
    let head = head(args, &WATCH, &stage, &corpus, seed, None);
    let tuning = tuning(&config.timeouts);
    Ok(Run { scenario: &WATCH, stage, corpus, tuning, head, max_bytes: args.max_bytes - read })
}

/// The limits of the file, as far as the drill needs them: how long the last reads may take to end.
fn tuning(timeouts: &TimeoutConfig) -> Tuning {
    let shipped = Tuning::shipped();
    Tuning { total: timeouts.total.unwrap_or(shipped.total), stall: timeouts.stall.unwrap_or(shipped.stall), ..shipped }
}

/// Keys of the first region that lists any.
async fn listing(regions: &Regions) -> Result<Vec<ObjectMeta>, String> {
    let mut why = String::from("they are empty");
    for (name, store) in regions {
        match within(PATIENCE, store.list(None).take(LISTED).try_collect::<Vec<_>>()).await {
            Some(Ok(keys)) if keys.is_empty() => {}
            Some(Ok(keys)) => return Ok(keys),
            Some(Err(error)) => why = format!("{name}: {error}"),
            None => why = format!("{name}: no listing within {} s", PATIENCE.as_secs()),
        }
    }
    Err(format!("no region lists any object: {why}; put some there (1 KiB to 8 MiB each will do)"))
}

/// Chooses by the seed what can be read from every region for `most` bytes.
fn choose(mut keys: Vec<ObjectMeta>, regions: u64, most: u64, seed: u64) -> Vec<ObjectMeta> {
    keys.retain(|meta| meta.size <= LARGEST);
    keys.shuffle(&mut SmallRng::seed_from_u64(seed));
    let mut left = most / regions;
    let affordable = keys.into_iter().filter(|meta| match left.checked_sub(meta.size) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    affordable.take(OBJECTS).collect()
}

/// The objects on which all regions agree, and how many bytes it took to find out.
async fn truth(regions: &Regions, keys: Vec<ObjectMeta>) -> Result<(Vec<Object>, u64), String> {
    let asked = keys.len();
    let read = keys.iter().map(|meta| meta.size).sum::<u64>() * regions.len() as u64;
    let words: Vec<_> = stream::iter(keys).map(|meta| word(regions, meta)).buffer_unordered(AT_A_TIME).collect().await;
    let (mut objects, mut differ, mut unread) = (Vec::new(), 0, Vec::new());
    for word in words {
        match word {
            Word::Agreed(object) => objects.push(object),
            Word::Differ => differ += 1,
            Word::Unread(why) => unread.push(why),
        }
    }
    // The order in which answers came in must not decide what a seed means.
    objects.sort_by(|a, b| a.path.cmp(&b.path));
    let found = format!(
        "{} of {asked} keys are the same in all regions, {differ} differ, {} cannot be read everywhere",
        objects.len(),
        unread.len()
    );
    println!("truth: {found}");
    if let Some(first) = unread.first() {
        println!("       the first of these: {first}");
    }
    if objects.is_empty() {
        return Err(format!(
            "{found}: nothing to read; the drill needs objects of up to 8 MiB that all regions hold, and --max-bytes to read them"
        ));
    }
    Ok((objects, read))
}

async fn word(regions: &Regions, meta: ObjectMeta) -> Word {
    let mut agreed: Option<(Fingerprint, u64)> = None;
    for (name, store) in regions {
        let reading = async { fingerprint(store.get(&meta.location).await?.into_stream()).await };
        match within(PATIENCE, reading).await {
            Some(Ok(read)) if agreed.is_none_or(|agreed| agreed == read) => agreed = Some(read),
            Some(Ok(_)) => return Word::Differ,
            Some(Err(error)) => return Word::Unread(format!("{name}: {error}")),
            None => return Word::Unread(format!("{name}: {} not read within {} s", meta.location, PATIENCE.as_secs())),
        }
    }
    match agreed {
        Some((digest, size)) => Word::Agreed(Object { path: meta.location, size, digest }),
        None => Word::Unread("there is no region".into()),
    }
}
