//! `--seed-bucket`: the only writes that regions of somebody else ever see. Objects of the drill's own, under a prefix of its own, put only
//! where there is nothing, and deleted at the end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{Error, ObjectStore, PutMode, PutOptions};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::Regions;
use super::told::told;
use crate::clock::within;
use crate::load::corpus::body;

const OBJECTS: usize = 100;
const SMALLEST: f64 = 1024.0;
const LARGEST: f64 = 1024.0 * 1024.0;
const AT_A_TIME: usize = 8;
/// One request.
const PATIENCE: Duration = Duration::from_secs(30);

/// The keys that may be ours, of which some may not have been written yet.
pub(super) struct Seeded {
    pub(super) prefix: Path,
    keys: Vec<Path>,
}

impl Seeded {
    /// Makes sure that nothing is there, or we could not tell what is ours. Writes nothing.
    pub(super) async fn claim(regions: &Regions, seed: u64) -> Result<Self, String> {
        let prefix = Path::from(format!("object-store-failover-drill/{seed}"));
        for (name, store) in regions {
            let first = within(PATIENCE, store.list(Some(&prefix)).try_next()).await;
            match first {
                Some(Ok(None)) => {}
                Some(Ok(Some(found))) => {
                    let found = found.location;
                    return Err(format!(
                        "--seed-bucket: {name} has {found} already; delete what is below {prefix}/, or take another --seed"
                    ));
                }
                Some(Err(error)) => return Err(format!("--seed-bucket: {name} does not list: {}", told(&error))),
                None => return Err(format!("--seed-bucket: {name} does not list within {} s", PATIENCE.as_secs())),
            }
        }
        let keys = (0..OBJECTS).map(|index| prefix.clone().join(format!("{index:03}"))).collect();
        Ok(Self { prefix, keys })
    }

    /// Writes all objects to each region itself. One that is there already has come by the regions' own replication.
    pub(super) async fn write(&self, regions: &Regions, seed: u64) -> Result<(), String> {
        let mut dice = SmallRng::seed_from_u64(seed);
        let bodies: Vec<_> = self.keys.iter().map(|key| (key, body(length(&mut dice), &mut dice).0)).collect();
        let puts = regions.iter().flat_map(|region| bodies.iter().map(move |(key, body)| put(region, key, body.clone())));
        stream::iter(puts.collect::<Vec<_>>()).buffer_unordered(AT_A_TIME).try_collect::<()>().await?;
        println!("seeded: {OBJECTS} objects below {}/ in each region", self.prefix);
        Ok(())
    }

    /// Deletes them all; an error says what was left.
    pub(super) async fn delete(&self, regions: &Regions) -> Result<(), String> {
        let left: Vec<_> = futures::future::join_all(regions.iter().map(|region| self.left(region))).await.into_iter().flatten().collect();
        match left.first() {
            None => {
                println!("deleted: what was seeded below {}/ (where versions are kept, those stay)", self.prefix);
                Ok(())
            }
            Some(first) => Err(format!("not all objects below {}/ could be deleted, do it by hand: {first}", self.prefix)),
        }
    }

    /// Why some of this region could not be deleted.
    async fn left(&self, (name, store): &(String, Arc<dyn ObjectStore>)) -> Option<String> {
        let keys = stream::iter(self.keys.clone()).map(Ok).boxed();
        let mut deleted = store.delete_stream(keys);
        let all = async {
            let mut first = None;
            while let Some(done) = deleted.next().await {
                match done {
                    Ok(_) | Err(Error::NotFound { .. }) => {}
                    Err(error) => first = first.or_else(|| Some(format!("{name}: {}", told(&error)))),
                }
            }
            first
        };
        within(PATIENCE, all).await.unwrap_or_else(|| Some(format!("{name}: no answer within {} s", PATIENCE.as_secs())))
    }
}

async fn put((name, store): &(String, Arc<dyn ObjectStore>), key: &Path, body: Bytes) -> Result<(), String> {
    let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match within(PATIENCE, store.put_opts(key, body.into(), create)).await {
        Some(Ok(_) | Err(Error::AlreadyExists { .. })) => Ok(()),
        Some(Err(error)) => Err(format!("--seed-bucket: {name} could not be written: {}", told(&error))),
        None => Err(format!("--seed-bucket: {name} did not take {key} within {} s", PATIENCE.as_secs())),
    }
}

/// Small ones as often as large ones.
fn length(dice: &mut SmallRng) -> usize {
    (SMALLEST * (LARGEST / SMALLEST).powf(dice.random_range(0.0..1.0))) as usize
}
