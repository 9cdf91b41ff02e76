//! The RNG of a simulation.
//!
//! SplitMix64, implemented here: a kept seed gives the same run after an update of `rand`.

/// Random numbers from one seed.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x5EED_5EED_5EED_5EED)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// An independent stream, seeded by this one.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number in `[low, high]`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub(crate) fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.between(0, among.len() as u64 - 1) as usize].clone()
    }

    /// A lognormal time around `median`: most are close to it, a few many times as long.
    pub(crate) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        let (radius, angle) = (
            (-2.0 * (1.0 - self.unit()).ln()).sqrt(),
            std::f64::consts::TAU * self.unit(),
        );
        median * (sigma * radius * angle.cos()).exp()
    }
}

/// The finalizer of SplitMix64: a bijection that spreads close inputs.
pub(crate) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
