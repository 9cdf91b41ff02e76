//! What is read: objects whose truth is known, and keys that exist nowhere.

use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use object_store::path::Path;
use parking_lot::RwLock;
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};
use sha2::{Digest, Sha256};

use super::entry::{Content, Entry, HOME};
use crate::clock::now;
use crate::ground::Ground;

const SMALLEST: f64 = 1024.0;
/// Share of the reads that ask for what is not there.
const MISSING: f64 = 0.05;
/// Share of the others that ask for what has been changed, once something has been.
const CHANGED: f64 = 0.3;

/// SHA-256 of a body.
pub(crate) type Fingerprint = [u8; 32];

/// How much is put into regions of our own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) objects: usize,
    /// The largest of them, in bytes.
    pub(crate) largest: f64,
}

pub(crate) struct Corpus {
    objects: Vec<Arc<Entry>>,
    /// What has been changed during the run is read more often.
    changed: RwLock<Vec<Arc<Entry>>>,
    seed: u64,
}

/// One read to make.
pub(crate) enum Wanted {
    Object(Arc<Entry>),
    /// A key that no region has.
    Missing(Path),
}

impl Corpus {
    /// Objects whose truth is known; never empty.
    pub(crate) fn new(objects: Vec<Entry>, seed: u64) -> Self {
        assert!(!objects.is_empty(), "the caller has refused to read nothing");
        Self { objects: objects.into_iter().map(Arc::new).collect(), changed: RwLock::default(), seed }
    }

    /// Makes the drill's own objects and puts them into all regions. One of ten is home's.
    pub(crate) async fn fill(ground: &dyn Ground, size: Size, seed: u64) -> Result<Self, String> {
        let mut dice = SmallRng::seed_from_u64(seed);
        let mut objects = Vec::with_capacity(size.objects);
        for index in 0..size.objects {
            let (body, content) = body(length(index, size.largest, &mut dice), &mut dice);
            let folder = if index % 10 == 9 { HOME } else { "drill/" };
            let path = Path::from(format!("{folder}{index:03}"));
            ground.put(&path, body).await?;
            objects.push(Entry::new(path, content, now()));
        }
        let paths: Vec<_> = objects.iter().map(|object| object.path.clone()).collect();
        ground.replicated(&paths).await?;
        Ok(Self::new(objects, seed))
    }

    /// The next read of whoever throws these dice.
    pub(crate) fn choose(&self, dice: &mut SmallRng) -> Wanted {
        if dice.random_bool(MISSING) {
            let number: u32 = dice.random();
            return Wanted::Missing(Path::from(format!("drill-of-object-store-failover/{:x}/no-such-key-{number:08x}", self.seed)));
        }
        let changed = self.changed.read();
        let among = if !changed.is_empty() && dice.random_bool(CHANGED) { &*changed } else { &self.objects };
        Wanted::Object(Arc::clone(&among[dice.random_range(0..among.len())]))
    }

    pub(crate) fn objects(&self) -> &[Arc<Entry>] {
        &self.objects
    }

    /// From now on this one is among those that are read more often.
    pub(crate) fn notice(&self, entry: &Arc<Entry>) {
        self.changed.write().push(Arc::clone(entry));
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size()).sum()
    }
}

/// Bytes by chance, and how one knows them again.
pub(crate) fn body(length: usize, dice: &mut SmallRng) -> (Bytes, Content) {
    let mut body = vec![0; length];
    dice.fill_bytes(&mut body);
    let digest = Sha256::digest(&body).into();
    (Bytes::from(body), (digest, length as u64))
}

/// The two ends of the range for sure, all between by chance, small ones as often as large ones.
fn length(index: usize, largest: f64, dice: &mut SmallRng) -> usize {
    let share = match index {
        0 => 0.0,
        1 => 1.0,
        _ => dice.random_range(0.0..1.0),
    };
    (SMALLEST * (largest / SMALLEST).powf(share)) as usize
}

/// The digest and the length of a body, without holding it.
pub(crate) async fn fingerprint(body: impl Stream<Item = object_store::Result<Bytes>>) -> object_store::Result<Content> {
    let empty = (Sha256::new(), 0);
    let add = |(hasher, length): (Sha256, u64), piece: Bytes| async move { Ok((hasher.chain_update(&piece), length + piece.len() as u64)) };
    let (hasher, length) = body.try_fold(empty, add).await?;
    Ok((hasher.finalize().into(), length))
}
