//! Self-describing objects: every byte follows from the header, which has the number, the version
//! and the length of the object.
//!
//! A hanging region may execute a write late and restore an older version. A body is therefore
//! correct if it is any version that was ever written, byte by byte.

use std::ops::Range;

use bytes::Bytes;
use object_store::path::Path;
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};

/// Objects to read; a quarter of them is written as well.
pub(crate) const OBJECTS: u64 = 64;
const WRITTEN: u64 = OBJECTS / 4;
const HEADER: usize = 24;
const SMALLEST: usize = 64;
const LARGEST: usize = 256 * 1024;

pub(crate) fn path(number: u64) -> Path {
    Path::from(format!("soak/{number:03}"))
}

/// A random object.
pub(crate) fn random(rng: &mut SmallRng) -> u64 {
    rng.random_range(0..OBJECTS)
}

/// A random object that is written.
pub(crate) fn random_written(rng: &mut SmallRng) -> u64 {
    rng.random_range(0..WRITTEN)
}

/// Whether its versions change.
pub(crate) fn is_written(number: u64) -> bool {
    number < WRITTEN
}

/// Log-uniform length: small objects as often as large ones.
pub(crate) fn body(number: u64, version: u64) -> Bytes {
    let mut rng = SmallRng::seed_from_u64(number << 32 ^ version);
    let length = (SMALLEST as f64
        * (LARGEST as f64 / SMALLEST as f64).powf(rng.random_range(0.0..1.0)))
        as usize;
    make(number, version, length)
}

fn make(number: u64, version: u64, length: usize) -> Bytes {
    let mut body = vec![0; length];
    let (header, rest) = body.split_at_mut(HEADER);
    for (chunk, word) in header
        .chunks_exact_mut(8)
        .zip([number, version, length as u64])
    {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    SmallRng::seed_from_u64(number.rotate_left(32) ^ version).fill_bytes(rest);
    Bytes::from(body)
}

/// Whether `body` is one complete version of the object.
pub(crate) fn is_whole(number: u64, body: &[u8]) -> bool {
    header_of(number, body).is_some_and(|(version, length)| {
        length == body.len() && body == make(number, version, length)
    })
}

/// The header, and a range that every object has after it.
pub(crate) fn parts() -> [Range<u64>; 2] {
    [
        0..HEADER as u64,
        (SMALLEST - HEADER) as u64..SMALLEST as u64,
    ]
}

/// Whether these [`parts`] belong to one version.
pub(crate) fn are_parts(number: u64, parts: &[Bytes]) -> bool {
    let [header, part] = parts else { return false };
    let is_part =
        |(version, length)| make(number, version, length)[SMALLEST - HEADER..SMALLEST] == *part;
    header_of(number, header).is_some_and(is_part)
}

/// Version and length in the header, if it is one of this object.
fn header_of(number: u64, body: &[u8]) -> Option<(u64, usize)> {
    let word = |index: usize| {
        body.get(index * 8..index * 8 + 8)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u64::from_le_bytes)
    };
    let (of, version, length) = (word(0)?, word(1)?, usize::try_from(word(2)?).ok()?);
    (of == number && (SMALLEST..=LARGEST).contains(&length)).then_some((version, length))
}
