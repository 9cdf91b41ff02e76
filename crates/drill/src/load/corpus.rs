//! The objects that are read, with their expected content, and keys that do not exist.

use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use object_store::path::Path;
use parking_lot::RwLock;
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::entry::{Content, Entry, HOME};
use crate::environment::Environment;

const SMALLEST: f64 = 1024.0;
/// Share of reads of keys that do not exist.
const MISSING_SHARE: f64 = 0.05;
/// Share of the other reads that select a changed object, once there is one.
const CHANGED_SHARE: f64 = 0.3;

/// SHA-256 of a body.
pub(crate) type Fingerprint = [u8; 32];

/// The objects of an environment that the drill starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) objects: usize,
    /// Size of the largest object in bytes.
    pub(crate) largest: f64,
}

pub(crate) struct Corpus {
    objects: Vec<Arc<Entry>>,
    /// Objects that changed during the run; read more often.
    changed: RwLock<Vec<Arc<Entry>>>,
    seed: u64,
}

/// The next read of a reader.
pub(crate) enum NextRead {
    Object(Arc<Entry>),
    /// A key that no region has.
    Missing(Path),
}

impl Corpus {
    /// Panics if there are no objects, which callers reject with an error.
    pub(crate) fn new(objects: Vec<Entry>, seed: u64) -> Self {
        assert!(!objects.is_empty(), "the caller rejects an empty corpus");
        Self {
            objects: objects.into_iter().map(Arc::new).collect(),
            changed: RwLock::default(),
            seed,
        }
    }

    /// Creates the objects in all regions. One of ten is under `home/`.
    pub(crate) async fn fill(
        environment: &dyn Environment,
        size: Size,
        seed: u64,
    ) -> Result<Self, String> {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut objects = Vec::with_capacity(size.objects);
        for index in 0..size.objects {
            let (body, content) = body(length(index, size.largest, &mut rng), &mut rng);
            let folder = if index % 10 == 9 { HOME } else { "drill/" };
            let path = Path::from(format!("{folder}{index:03}"));
            environment.put(&path, body).await?;
            objects.push(Entry::new(path, content, Instant::now()));
        }
        let paths: Vec<_> = objects.iter().map(|object| object.path.clone()).collect();
        environment.replicated(&paths).await?;
        Ok(Self::new(objects, seed))
    }

    /// Chooses the next read.
    pub(crate) fn next(&self, rng: &mut SmallRng) -> NextRead {
        if rng.random_bool(MISSING_SHARE) {
            let number: u32 = rng.random();
            return NextRead::Missing(Path::from(format!(
                "drill-of-object-store-failover/{:x}/no-such-key-{number:08x}",
                self.seed
            )));
        }
        let changed = self.changed.read();
        let among = if !changed.is_empty() && rng.random_bool(CHANGED_SHARE) {
            &*changed
        } else {
            &self.objects
        };
        NextRead::Object(Arc::clone(&among[rng.random_range(0..among.len())]))
    }

    pub(crate) fn objects(&self) -> &[Arc<Entry>] {
        &self.objects
    }

    /// Adds an object to those that are read more often.
    pub(crate) fn prefer(&self, entry: &Arc<Entry>) {
        self.changed.write().push(Arc::clone(entry));
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size()).sum()
    }
}

/// A random body, and its expected content.
pub(crate) fn body(length: usize, rng: &mut SmallRng) -> (Bytes, Content) {
    let mut body = vec![0; length];
    rng.fill_bytes(&mut body);
    let digest = Sha256::digest(&body).into();
    (Bytes::from(body), (digest, length as u64))
}

/// Log-uniform, and the two ends of the range always occur.
fn length(index: usize, largest: f64, rng: &mut SmallRng) -> usize {
    let share = match index {
        0 => 0.0,
        1 => 1.0,
        _ => rng.random_range(0.0..1.0),
    };
    (SMALLEST * (largest / SMALLEST).powf(share)) as usize
}

/// Digest and length of a body, without keeping it in memory.
pub(crate) async fn fingerprint(
    body: impl Stream<Item = object_store::Result<Bytes>>,
) -> object_store::Result<Content> {
    let empty = (Sha256::new(), 0);
    let add = |(hasher, length): (Sha256, u64), piece: Bytes| async move {
        Ok((hasher.chain_update(&piece), length + piece.len() as u64))
    };
    let (hasher, length) = body.try_fold(empty, add).await?;
    Ok((hasher.finalize().into(), length))
}
