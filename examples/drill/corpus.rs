//! What is read, and the truth about it: every object's digest, and keys that exist nowhere.

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};
use sha2::{Digest, Sha256};

const OBJECTS: usize = 300;
const SMALLEST: f64 = 1024.0;
const LARGEST: f64 = 8.0 * 1024.0 * 1024.0;
/// Share of the reads that ask for what is not there.
const MISSING: f64 = 0.05;

/// SHA-256 of a body.
pub(crate) type Fingerprint = [u8; 32];

#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) path: Path,
    pub(crate) size: u64,
    pub(crate) digest: Fingerprint,
}

#[derive(Debug)]
pub(crate) struct Corpus {
    objects: Vec<Object>,
    seed: u64,
}

/// One read to make.
pub(crate) enum Wanted<'a> {
    Object(&'a Object),
    /// A key that no region has.
    Missing(Path),
}

impl Corpus {
    /// Objects whose truth is known; never empty.
    pub(crate) fn new(objects: Vec<Object>, seed: u64) -> Self {
        assert!(!objects.is_empty(), "the caller has refused to read nothing");
        Self { objects, seed }
    }

    /// Makes the drill's own objects and puts them into `store`.
    pub(crate) async fn fill(store: &dyn ObjectStore, seed: u64) -> object_store::Result<Self> {
        let mut dice = SmallRng::seed_from_u64(seed);
        let mut objects = Vec::with_capacity(OBJECTS);
        for index in 0..OBJECTS {
            let mut body = vec![0; size(index, &mut dice)];
            dice.fill_bytes(&mut body);
            let path = Path::from(format!("drill/{index:03}"));
            let object = Object { path: path.clone(), size: body.len() as u64, digest: Sha256::digest(&body).into() };
            store.put(&path, Bytes::from(body).into()).await?;
            objects.push(object);
        }
        Ok(Self::new(objects, seed))
    }

    /// The next read of whoever throws these dice.
    pub(crate) fn choose(&self, dice: &mut SmallRng) -> Wanted<'_> {
        if dice.random_bool(MISSING) {
            let number: u32 = dice.random();
            return Wanted::Missing(Path::from(format!("drill-of-object-store-failover/{:x}/no-such-key-{number:08x}", self.seed)));
        }
        Wanted::Object(&self.objects[dice.random_range(0..self.objects.len())])
    }

    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size).sum()
    }
}

/// The two ends of the range for sure, all between by chance, small ones as often as large ones.
fn size(index: usize, dice: &mut SmallRng) -> usize {
    let share = match index {
        0 => 0.0,
        1 => 1.0,
        _ => dice.random_range(0.0..1.0),
    };
    (SMALLEST * (LARGEST / SMALLEST).powf(share)) as usize
}

/// The digest and the length of a body, without holding it.
pub(crate) async fn fingerprint(body: impl Stream<Item = object_store::Result<Bytes>>) -> object_store::Result<(Fingerprint, u64)> {
    let empty = (Sha256::new(), 0);
    let add = |(hasher, length): (Sha256, u64), piece: Bytes| async move { Ok((hasher.chain_update(&piece), length + piece.len() as u64)) };
    let (hasher, length) = body.try_fold(empty, add).await?;
    Ok((hasher.finalize().into(), length))
}
