//! Objects that tell by themselves whether they are whole: every byte follows from the first ones, which hold the object's number, its
//! version and its length.
//!
//! Writes overwrite, and one that a hanging region carries out late may bring an older version back. So a body is right when it is, to the
//! last byte, one of those that were ever written under its key.

use bytes::Bytes;
use object_store::path::Path;
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};

/// Objects that are read; a quarter of them is also written.
pub(crate) const OBJECTS: u64 = 64;
const WRITTEN: u64 = OBJECTS / 4;
const HEAD: usize = 24;
const LARGEST: usize = 256 * 1024;

pub(crate) fn path(number: u64) -> Path {
    Path::from(format!("soak/{number:03}"))
}

/// Any object.
pub(crate) fn any(dice: &mut SmallRng) -> u64 {
    dice.random_range(0..OBJECTS)
}

/// One that may be written.
pub(crate) fn written(dice: &mut SmallRng) -> u64 {
    dice.random_range(0..WRITTEN)
}

/// Small ones as often as large ones.
pub(crate) fn body(number: u64, version: u64) -> Bytes {
    let mut dice = SmallRng::seed_from_u64(number << 32 ^ version);
    let length = (HEAD as f64 * (LARGEST as f64 / HEAD as f64).powf(dice.random_range(0.0..1.0))) as usize;
    make(number, version, length)
}

fn make(number: u64, version: u64, length: usize) -> Bytes {
    let mut body = vec![0; length];
    let (head, rest) = body.split_at_mut(HEAD);
    for (place, word) in head.chunks_exact_mut(8).zip([number, version, length as u64]) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    SmallRng::seed_from_u64(number.rotate_left(32) ^ version).fill_bytes(rest);
    Bytes::from(body)
}

/// Whether these are all bytes of one version of this object.
pub(crate) fn is_whole(number: u64, body: &[u8]) -> bool {
    let word = |index: usize| body.get(index * 8..index * 8 + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    let (Some(of), Some(version), Some(length)) = (word(0), word(1), word(2)) else { return false };
    of == number && length == body.len() as u64 && body == make(number, version, body.len())
}

/// Whether the parts are those of one version: its first bytes, and some that follow.
pub(crate) fn are_parts(number: u64, parts: &[Bytes]) -> bool {
    let [head, part] = parts else { return false };
    let word = |index: usize| head.get(index * 8..index * 8 + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    let (Some(of), Some(version), Some(length)) = (word(0), word(1), word(2)) else { return false };
    of == number && length <= LARGEST as u64 && make(number, version, length as usize).get(SHORTEST / 2..SHORTEST) == Some(part)
}

/// What any two parts are taken from.
pub(crate) const SHORTEST: usize = HEAD;

/// The bytes that [`are_parts`] looks at.
pub(crate) fn parts() -> [std::ops::Range<u64>; 2] {
    [0..HEAD as u64, (SHORTEST / 2) as u64..SHORTEST as u64]
}
