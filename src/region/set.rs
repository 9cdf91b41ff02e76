//! A set of region indexes.

use std::fmt;

/// A set of region indexes in one word, cheap to copy.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RegionSet(u64);

impl RegionSet {
    /// The maximum number of regions in a store.
    pub(crate) const CAPACITY: usize = 64;

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The regions 0 to `count` - 1.
    pub(crate) fn first(count: usize) -> Self {
        Self(if count >= Self::CAPACITY {
            u64::MAX
        } else {
            (1 << count) - 1
        })
    }

    pub(crate) fn one(index: usize) -> Self {
        Self(1 << index)
    }

    pub(crate) fn contains(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    pub(crate) fn insert(&mut self, index: usize) {
        self.0 |= 1 << index;
    }

    pub(crate) fn remove(&mut self, index: usize) {
        self.0 &= !(1 << index);
    }

    /// Inserts or removes the region.
    pub(crate) fn set(&mut self, index: usize, contained: bool) {
        if contained {
            self.insert(index)
        } else {
            self.remove(index)
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let next = (rest != 0).then(|| rest.trailing_zeros() as usize);
            rest &= rest.wrapping_sub(1);
            next
        })
    }
}

impl FromIterator<usize> for RegionSet {
    fn from_iter<I: IntoIterator<Item = usize>>(indexes: I) -> Self {
        indexes.into_iter().fold(Self::default(), |mut set, index| {
            set.insert(index);
            set
        })
    }
}

impl fmt::Debug for RegionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
