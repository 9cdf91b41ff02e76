//! Regions: configuration, running state, and the set of all regions of a store.

pub(crate) mod probe_state;
mod set;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::signer::Signer;

use crate::health::config::{BreakerConfig, BreakerOverrides};
use crate::health::{Availability, CircuitClass, Peers, RegionHealth};
use crate::region::probe_state::ProbeState;
use crate::runtime::atomic_instant::AtomicInstant;
use crate::runtime::clock::Instant;
use crate::throttle::Throttle;
use crate::timeouts::{RegionTimeouts, TimeoutConfig};
use crate::transport::connections::Connections;
use crate::types::Flavor;
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
    pub(crate) breaker: RegionBreaker,
    pub(crate) timeouts: TimeoutConfig,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    /// Location of the bucket, shown in the log; without secrets.
    pub(crate) location: Option<String>,
    /// The connections of its clients, if this crate built the store. Such a store records the
    /// wire.
    pub(crate) connections: Option<Connections>,
    /// Every object of its store has an ETag or a time of its last change, and its errors have a
    /// code or a request id: S3, Google Cloud Storage and Azure.
    pub(crate) has_identity: bool,
}

/// The settings of one region's circuits.
#[derive(Debug, Clone)]
pub(crate) enum RegionBreaker {
    /// Single keys; the others are inherited.
    Inherit(BreakerOverrides),
    /// All keys.
    Replace(BreakerConfig),
}

impl Region {
    /// A region with this name and store.
    ///
    /// Give each store its own HTTP client: regions that share a client share its failures. Disable
    /// the retries of the store (`RetryConfig { max_retries: 0, .. }`): an attempt ends at its
    /// limit anyway, but object_store's defaults (10 retries in 180 s) delay the failover.
    pub fn new(name: impl Into<String>, store: Arc<dyn ObjectStore>) -> Self {
        Self {
            name: name.into(),
            store,
            weight: 1,
            ordered: true,
            flavor: Flavor::default(),
            breaker: RegionBreaker::Inherit(BreakerOverrides::default()),
            timeouts: TimeoutConfig::default(),
            signer: None,
            location: None,
            connections: None,
            has_identity: false,
        }
    }

    /// The share of first attempts, relative to the other regions (default 1). 0: used only while
    /// all others are unavailable. `nearest` only distinguishes 0 from other values.
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Whether listings return keys in byte order (default `true`, as in S3, GCS, Azure and
    /// `InMemory`).
    ///
    /// An interrupted listing resumes in the next region after its last key, which requires order.
    /// Use `false` for `LocalFileSystem`, `HttpStore` and S3 Express. There an interrupted listing
    /// starts again and skips the keys that were delivered. For that, each listing of the *whole*
    /// store remembers all keys it has delivered: one unordered region costs about 100 bytes per
    /// key and listing, and an interruption late in a large bucket lists it twice.
    ///
    /// `true` for an unordered store loses keys: those that sort before the last key and were not
    /// delivered yet. This is detected only once a key arrives out of order; then an interruption
    /// ends the listing with
    /// [`FailoverError::ListingOutOfOrder`](crate::FailoverError::ListingOutOfOrder).
    pub fn ordered(mut self, ordered: bool) -> Self {
        self.ordered = ordered;
        self
    }

    /// The meaning of responses that differ between providers (default [`Flavor::Generic`]). Use
    /// [`Flavor::Minio`] for MinIO: otherwise a cluster without quorum counts as throttling, and
    /// its circuit does not open.
    pub fn flavor(mut self, flavor: Flavor) -> Self {
        self.flavor = flavor;
        self
    }

    /// Settings of this region's circuits. They replace all settings of the store (a document can
    /// override single keys).
    pub fn breaker(mut self, config: BreakerConfig) -> Self {
        self.breaker = RegionBreaker::Replace(config);
        self
    }

    /// The signer of URLs for this region (default none), usually the store itself, for example an
    /// `Arc<AmazonS3>`.
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Limits of this region. Fields that are `None` are inherited from the store.
    pub fn timeouts(mut self, config: TimeoutConfig) -> Self {
        self.timeouts = config;
        self
    }
}

/// The running state of one region.
pub(crate) struct RegionState {
    pub(crate) name: Arc<str>,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) health: Arc<RegionHealth>,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) probe_state: ProbeState,
    pub(crate) ordered: bool,
    pub(crate) flavor: Flavor,
    pub(crate) timeouts: RegionTimeouts,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    /// The wire of its store is recorded.
    pub(crate) records_wire: bool,
    /// A response without ETag and time is no object, and a 404 without code and request id may be
    /// that of another server.
    pub(crate) has_identity: bool,
    /// When a response last proved that the bucket exists.
    pub(crate) bucket_seen: AtomicInstant,
}

impl RegionState {
    /// Calls through the `Arc` would box each future once more.
    pub(crate) fn store(&self) -> &dyn ObjectStore {
        &*self.store
    }

    /// Whether a 404 to a HEAD is about the object, and not about the bucket.
    pub(crate) fn is_bucket_proven(&self, now: Instant) -> bool {
        !self.has_identity || self.bucket_seen.is_within(BUCKET_PROOF, now)
    }
}

/// A bucket that was seen within this time is not checked again. Shorter than the time in which a
/// deleted bucket is noticed by its other failures.
const BUCKET_PROOF: Duration = Duration::from_secs(60);

/// All regions of a store, in configured order; at least one, at most [`RegionSet::CAPACITY`].
#[derive(Debug)]
pub(crate) struct Regions {
    states: Box<[RegionState]>,
    peers: Arc<Peers>,
}

impl Regions {
    pub(crate) fn new(states: Vec<RegionState>, peers: Arc<Peers>) -> Self {
        assert!(
            !states.is_empty() && states.len() <= RegionSet::CAPACITY,
            "the builder validates the number of regions"
        );
        Self {
            states: states.into_boxed_slice(),
            peers,
        }
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

    /// The regions among `candidates` whose `Retry-After` is not over, and when the first of them
    /// ends.
    pub(crate) fn waiting_for_retry_after(
        &self,
        candidates: RegionSet,
        now: Instant,
    ) -> (RegionSet, Option<Instant>) {
        let waits = candidates
            .iter()
            .filter_map(|index| Some((index, self.get(index).throttle.retry_after_until(now)?)));
        waits.fold(
            (RegionSet::default(), None),
            |(mut waiting, first), (index, until)| {
                waiting.insert(index);
                (
                    waiting,
                    Some(first.map_or(until, |first: Instant| first.min(until))),
                )
            },
        )
    }

    /// Regions whose next trial is a probe.
    pub(crate) fn probe_owned_trials(&self) -> RegionSet {
        (0..self.len())
            .filter(|index| self.get(*index).probe_state.owns_trials())
            .collect()
    }

    /// A region throttled recently, or last-resort attempts are in progress: extra requests would
    /// add to the overload.
    pub(crate) fn are_overloaded(&self, now: Instant) -> bool {
        self.peers.is_overloaded(now)
    }

    /// A region is forced closed: it is used whatever its circuit says.
    pub(crate) fn any_forced(&self, class: CircuitClass) -> bool {
        self.peers.any_forced(class)
    }

    /// The availability of each region; None while every circuit is closed and steady.
    pub(crate) fn availabilities(
        &self,
        class: CircuitClass,
        now: Instant,
    ) -> Option<Vec<Availability>> {
        (!self.peers.all_steady(class)).then(|| {
            self.iter()
                .map(|region| region.health.availability(class, now))
                .collect()
        })
    }
}

/// Shows the store by `Display`: its `Debug` may contain secrets.
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
