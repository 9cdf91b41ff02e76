//! Time, randomness and synchronization primitives: everything that a test replaces.

pub(crate) mod atomic_instant;
pub(crate) mod clock;
pub(crate) mod rng;
pub(crate) mod sync;
