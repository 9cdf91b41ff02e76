//! Objects that tell by themselves whether they are whole: every byte follows from the first ones, which hold the object's number, its
//! version and its length.
//!
//! Writes overwrite, and one that a hanging region carries out late may bring an older version back. So a body is right when it is, to the
//! last byte, one of those that were ever written under its key.

use std::ops::Range;

use bytes::Bytes;
use object_store::path::Path;
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};

/// Objects that are read; a quarter of them is also written.
pub(crate) const OBJECTS: u64 = 64;
const WRITTEN: u64 = OBJECTS / 4;
const HEAD: usize = 24;
const SMALLEST: usize = 64;
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

/// Its versions come and go.
pub(crate) fn is_written(number: u64) -> bool {
    number < WRITTEN
}

/// Small ones as often as large ones.
pub(crate) fn body(number: u64, version: u64) -> Bytes {
    let mut dice = SmallRng::seed_from_u64(number << 32 ^ version);
    let length = (SMALLEST as f64 * (LARGEST as f64 / SMALLEST as f64).powf(dice.random_range(0.0..1.0))) as usize;
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
    told_by(number, body).is_some_and(|(version, length)| length == body.len() && body == make(number, version, length))
}

/// The first bytes of an object, and some that every object has after them.
pub(crate) fn parts() -> [Range<u64>; 2] {
    [0..HEAD as u64, (SMALLEST - HEAD) as u64..SMALLEST as u64]
}

/// Whether these [`parts`] are of one version.
pub(crate) fn are_parts(number: u64, parts: &[Bytes]) -> bool {
    let [head, part] = parts else { return false };
    let is_part = |(version, length)| make(number, version, length)[SMALLEST - HEAD..SMALLEST] == *part;
    told_by(number, head).is_some_and(is_part)
}

/// The version and the length that a body tells, if it is one of this object's.
fn told_by(number: u64, body: &[u8]) -> Option<(u64, usize)> {
    let word = |index: usize| body.get(index * 8..index * 8 + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    let (of, version, length) = (word(0)?, word(1)?, usize::try_from(word(2)?).ok()?);
    (of == number && (SMALLEST..=LARGEST).contains(&length)).then_some((version, length))
}
