//! The only source of randomness, so that a seed replays a run.

use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Random numbers for the start of a rotation, jitter and canary reads.
#[derive(Debug)]
pub(crate) struct SeededRng(Mutex<SmallRng>);

impl SeededRng {
    /// The same seed gives the same sequence. Without a seed the system provides one.
    #[expect(clippy::disallowed_methods, reason = "the only caller")]
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(Mutex::new(
            seed.map_or_else(rand::make_rng, SmallRng::seed_from_u64),
        ))
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&self) -> f64 {
        self.0.lock().random()
    }

    /// A number in `[0, n)`; 0 if `n` is 0.
    pub(crate) fn below(&self, n: u64) -> u64 {
        if n == 0 {
            0
        } else {
            self.0.lock().random_range(0..n)
        }
    }

    /// A generator of its own, seeded by this one.
    pub(crate) fn fork(&self) -> SmallRng {
        SmallRng::seed_from_u64(self.0.lock().random())
    }
}
