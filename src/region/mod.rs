//! A region: a name, a store, its health. Regions: never empty.

mod set;

use std::fmt;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::signer::Signer;

use crate::connections::Connections;
use crate::flavor::Flavor;
use crate::health::config::{BreakerConfig, BreakerOverrides};
use crate::health::{CircuitClass, Fleet, Health, Standing};
use crate::limits::{RegionLimits, TimeoutConfig};
use crate::pace::Pace;
use crate::probed::Probed;
use crate::time::Instant;
pub(crate) use set::RegionSet;

/// A bucket in one region, as it is given to the builder.
///
/// ```
/// # use std::sync::Arc;
/// # use object_store::memory::InMemory;
/// use object_store_failover::Region;
///
/// let region = Region::new("eu-west-1", Arc::new(InMemory::new())).weight(2);
/// ```
#[derive(Clone)]
#[must_use = "a region does nothing until it is given to a builder"]
pub struct Region {
    pub(crate) name: String,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) weight: u32,
    pub(crate) ordered: bool,
    pub(crate) flavor: Flavor,
    pub(crate) breaker: BreakerOverride,
    pub(crate) timeouts: TimeoutConfig,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    /// Where its bucket is, for people, where that is known: without secrets.
    pub(crate) place: Option<String>,
    /// Those of its store's clients, where that was built by us; such a store writes evidence of what it does on the wire.
    pub(crate) connections: Option<Connections>,
}

/// What a region says of its own circuits.
#[derive(Debug, Clone)]
pub(crate) enum BreakerOverride {
    /// Some keys; the rest is inherited.
    Keys(BreakerOverrides),
    /// Everything.
    Whole(BreakerConfig),
}

impl Region {
    /// A region of this name, used through this store.
    ///
    /// Give each region a store with connections of its own: regions that share a client share its failures. The store's own
    /// retries are best switched off (`RetryConfig { max_retries: 0, .. }`): whatever they do, an attempt here ends at its limit,
    /// but object_store's defaults (10 retries over 180 s) only delay the move to the next region.
    pub fn new(name: impl Into<String>, store: Arc<dyn ObjectStore>) -> Self {
        Self {
            name: name.into(),
            store,
            weight: 1,
            ordered: true,
            flavor: Flavor::default(),
            breaker: BreakerOverride::Keys(BreakerOverrides::default()),
            timeouts: TimeoutConfig::default(),
            signer: None,
            place: None,
            connections: None,
        }
    }

    /// Its share of first picks against the other regions' (default 1); 0 means only when all others are out. `nearest` goes by
    /// configured order, and only 0 matters to it.
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Whether its listings come in the order of their keys' bytes (default `true`, as with S3, GCS, Azure and `InMemory`).
    ///
    /// A listing that breaks goes on in the next region after its last key, which means nothing in a store that lists in no order:
    /// say `false` for `LocalFileSystem`, `HttpStore` and S3 Express. There a listing that goes on starts again, and leaves out
    /// what its caller has. For that each listing of the *whole* store remembers all keys that it has given: one region that says
    /// `false` costs some 100 bytes a key and listing, and a store that breaks late in a large bucket lists it twice.
    ///
    /// `true` for a store that lists in no order loses keys: those that come before the last one in order, and had not come yet.
    /// That is noticed only once a key comes out of order; then a break ends the listing with
    /// [`FailoverError::ListingOutOfOrder`](crate::FailoverError::ListingOutOfOrder).
    pub fn ordered(mut self, ordered: bool) -> Self {
        self.ordered = ordered;
        self
    }

    /// What its answers mean where providers differ (default [`Flavor::Generic`]). Say [`Flavor::Minio`] for MinIO: otherwise a cluster that
    /// has lost its quorum passes for a busy one, and its circuit does not open.
    pub fn flavor(mut self, flavor: Flavor) -> Self {
        self.flavor = flavor;
        self
    }

    /// Settings for this region's circuits, all of them, instead of the store's. (In a document single keys can be overridden.)
    pub fn breaker(mut self, config: BreakerConfig) -> Self {
        self.breaker = BreakerOverride::Whole(config);
        self
    }

    /// Who signs URLs for this region (default nobody); usually the store itself, like an `Arc<AmazonS3>`.
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Limits for this region; what is not named is inherited from the store.
    pub fn timeouts(mut self, config: TimeoutConfig) -> Self {
        self.timeouts = config;
        self
    }
}

/// A region at work.
pub(crate) struct RegionState {
    pub(crate) name: Arc<str>,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) health: Arc<Health>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) probed: Probed,
    pub(crate) ordered: bool,
    pub(crate) flavor: Flavor,
    pub(crate) limits: RegionLimits,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    /// Its store writes evidence of what it does on the wire.
    pub(crate) reports: bool,
}

impl RegionState {
    /// Its store itself: asked through the `Arc`, each call would be boxed once more.
    pub(crate) fn store(&self) -> &dyn ObjectStore {
        &*self.store
    }
}

/// All regions of a store, in configured order; at least one, at most [`RegionSet::CAPACITY`].
#[derive(Debug)]
pub(crate) struct Regions {
    states: Box<[RegionState]>,
    fleet: Arc<Fleet>,
}

impl Regions {
    pub(crate) fn new(states: Vec<RegionState>, fleet: Arc<Fleet>) -> Self {
        assert!(!states.is_empty() && states.len() <= RegionSet::CAPACITY, "the builder has counted them");
        Self { states: states.into_boxed_slice(), fleet }
    }

    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    pub(crate) fn get(&self, index: usize) -> &RegionState {
        &self.states[index]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &RegionState> {
        self.states.iter()
    }

    pub(crate) fn all(&self) -> RegionSet {
        RegionSet::first(self.len())
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.states.iter().position(|region| &*region.name == name)
    }

    /// Those of `candidates` that have asked to be left alone, and until when the first of them wants to be.
    pub(crate) fn held(&self, candidates: RegionSet, now: Instant) -> (RegionSet, Option<Instant>) {
        let holds = candidates.iter().filter_map(|index| Some((index, self.get(index).pace.held_until(now)?)));
        holds.fold((RegionSet::default(), None), |(mut held, first), (index, until)| {
            held.insert(index);
            (held, Some(first.map_or(until, |first: Instant| first.min(until))))
        })
    }

    /// Regions whose next trial is a probe's.
    pub(crate) fn tried_by_probes(&self) -> RegionSet {
        (0..self.len()).filter(|index| self.get(*index).probed.takes_trials()).collect()
    }

    /// No time for extra requests: some region was too busy just now, or open ones are being asked early.
    pub(crate) fn are_browned_out(&self, now: Instant) -> bool {
        self.fleet.is_browned_out(now)
    }

    /// Some region is used whatever its circuit says.
    pub(crate) fn are_unguarded(&self, class: CircuitClass) -> bool {
        self.fleet.is_unguarded(class)
    }

    /// What each region would answer to a request now; None where all are plainly closed.
    pub(crate) fn standings(&self, class: CircuitClass, now: Instant) -> Option<Vec<Standing>> {
        (!self.fleet.is_calm(class)).then(|| self.iter().map(|region| region.health.standing(class, now)).collect())
    }
}

/// Stores are shown by `Display`: their `Debug` may hold what nobody should read in a log.
impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({}: {})", self.name, self.store)
    }
}

impl fmt::Debug for RegionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegionState({}: {})", self.name, self.store)
    }
}
