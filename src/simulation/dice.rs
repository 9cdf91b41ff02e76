//! The dice of a simulation: everything that chance decides in it falls from one seed.
//!
//! They are our own (SplitMix64), so that a seed that is kept means the same life after an update of `rand`.

/// Dice that fall the same way for the same seed.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed ^ 0x5EED_5EED_5EED_5EED)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// Dice of one's own, decided by these.
    pub(super) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// A number in `[0, 1)`.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number in `[low, high]`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub(super) fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.between(0, among.len() as u64 - 1) as usize].clone()
    }

    /// A lognormal time around `median`: most are near it, a few are many times as long.
    pub(super) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        let (radius, angle) = ((-2.0 * (1.0 - self.unit()).ln()).sqrt(), std::f64::consts::TAU * self.unit());
        median * (sigma * radius * angle.cos()).exp()
    }
}

/// A number that looks like no other's, of each number.
pub(super) fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
