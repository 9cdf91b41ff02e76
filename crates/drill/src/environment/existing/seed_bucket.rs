//! `--seed-bucket`: the only writes to existing regions. Objects under a prefix of the drill,
//! created only where no object exists, and deleted at the end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{Error, ObjectStore, PutMode, PutOptions};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::time::timeout;

use super::Regions;
use super::one_line::describe;
use crate::load::corpus::body;

const OBJECTS: usize = 100;
const SMALLEST: f64 = 1024.0;
const LARGEST: f64 = 1024.0 * 1024.0;
const MAX_CONCURRENT: usize = 8;
/// Limit of one request.
const PATIENCE: Duration = Duration::from_secs(30);

/// The objects of the drill; some may not have been written yet.
pub(super) struct SeededObjects {
    pub(super) prefix: Path,
    keys: Vec<Path>,
}

impl SeededObjects {
    /// Fails if the prefix is not empty, because the drill deletes everything below it. Writes
    /// nothing.
    pub(super) async fn claim(regions: &Regions, seed: u64) -> Result<Self, String> {
        let prefix = Path::from(format!("object-store-failover-drill/{seed}"));
        for (name, store) in regions {
            let first = timeout(PATIENCE, store.list(Some(&prefix)).try_next()).await;
            match first {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(found))) => {
                    let found = found.location;
                    return Err(format!(
                        "--seed-bucket: {name} already has {found}; delete the objects below \
                         {prefix}/, or use another --seed"
                    ));
                }
                Ok(Err(error)) => {
                    return Err(format!(
                        "--seed-bucket: listing {name} failed: {}",
                        describe(&error)
                    ));
                }
                Err(_) => {
                    return Err(format!(
                        "--seed-bucket: no listing of {name} within {} s",
                        PATIENCE.as_secs()
                    ));
                }
            }
        }
        let keys = (0..OBJECTS)
            .map(|index| prefix.clone().join(format!("{index:03}")))
            .collect();
        Ok(Self { prefix, keys })
    }

    /// Writes all objects to each region. An object that exists was replicated by the regions.
    pub(super) async fn write(&self, regions: &Regions, seed: u64) -> Result<(), String> {
        let mut rng = SmallRng::seed_from_u64(seed);
        let bodies: Vec<_> = self
            .keys
            .iter()
            .map(|key| (key, body(length(&mut rng), &mut rng).0))
            .collect();
        let puts = regions.iter().flat_map(|region| {
            bodies
                .iter()
                .map(move |(key, body)| put(region, key, body.clone()))
        });
        stream::iter(puts.collect::<Vec<_>>())
            .buffer_unordered(MAX_CONCURRENT)
            .try_collect::<()>()
            .await?;
        println!(
            "seeded: {OBJECTS} objects below {}/ in each region",
            self.prefix
        );
        Ok(())
    }

    /// Deletes the objects from each region.
    pub(super) async fn delete(&self, regions: &Regions) -> Result<(), String> {
        let failures: Vec<_> =
            futures::future::join_all(regions.iter().map(|region| self.delete_all(region)))
                .await
                .into_iter()
                .flatten()
                .collect();
        match failures.first() {
            None => {
                println!(
                    "deleted: the seeded objects below {}/ (versioned buckets keep their versions)",
                    self.prefix
                );
                Ok(())
            }
            Some(first) => Err(format!(
                "cannot delete all objects below {}/, delete them manually: {first}",
                self.prefix
            )),
        }
    }

    /// The first error of a region, if not all objects could be deleted.
    async fn delete_all(&self, (name, store): &(String, Arc<dyn ObjectStore>)) -> Option<String> {
        let keys = stream::iter(self.keys.clone()).map(Ok).boxed();
        let mut deleted = store.delete_stream(keys);
        let all = async {
            let mut first = None;
            while let Some(done) = deleted.next().await {
                match done {
                    Ok(_) | Err(Error::NotFound { .. }) => {}
                    Err(error) => {
                        first = first.or_else(|| Some(format!("{name}: {}", describe(&error))))
                    }
                }
            }
            first
        };
        timeout(PATIENCE, all).await.unwrap_or_else(|_| {
            Some(format!(
                "{name}: no response within {} s",
                PATIENCE.as_secs()
            ))
        })
    }
}

async fn put(
    (name, store): &(String, Arc<dyn ObjectStore>),
    key: &Path,
    body: Bytes,
) -> Result<(), String> {
    let create = PutOptions {
        mode: PutMode::Create,
        ..PutOptions::default()
    };
    match timeout(PATIENCE, store.put_opts(key, body.into(), create)).await {
        Ok(Ok(_) | Err(Error::AlreadyExists { .. })) => Ok(()),
        Ok(Err(error)) => Err(format!(
            "--seed-bucket: cannot write to {name}: {}",
            describe(&error)
        )),
        Err(_) => Err(format!(
            "--seed-bucket: {name} did not store {key} within {} s",
            PATIENCE.as_secs()
        )),
    }
}

/// Log-uniform: small objects as often as large ones.
fn length(rng: &mut SmallRng) -> usize {
    (SMALLEST * (LARGEST / SMALLEST).powf(rng.random_range(0.0..1.0))) as usize
}
