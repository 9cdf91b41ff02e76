//! Health of regions: circuits, events, overrides and snapshots.
//!
//! A region has one circuit for reads and one for writes. [`HealthSnapshot`] is the state of a
//! store at one moment, [`Event`] a change of it.

// A circuit's lock is held for a few instructions and never across an await. What leaves it is a
// `Permit`, which takes the verdict of the attempt. A dropped permit frees its slot and records no
// verdict. This module does not know HTTP.

#[cfg(any(test, feature = "_bench"))]
#[doc(hidden)]
pub mod bench;
mod breaker;
pub(crate) mod config;
mod counters;
mod event;
mod fast_path;
mod gauges;
mod latency;
#[cfg(failover_loom)]
pub mod models;
mod observer;
mod overrides;
mod peers;
mod permit;
mod silence;
mod snapshot;
mod store_snapshot;
mod waiters;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

pub(crate) use breaker::Availability;
use breaker::{Breaker, LastResortDecision, Ticket};
use config::BreakerConfig;
use counters::AttemptCounters;
pub use event::Event;
use fast_path::FastPath;
use gauges::GaugeState;
use latency::LatencyHistogram;
pub(crate) use observer::{HealthEvent, HealthObserver};
use overrides::ActiveOverride;
pub(crate) use peers::Peers;
pub(crate) use permit::Permit;
use silence::Silence;
pub(crate) use silence::{SilenceSignal, WaitingFor};
pub(crate) use snapshot::RegionHealthSnapshot;
pub use snapshot::{CircuitSnapshot, OverrideSnapshot};
pub use store_snapshot::{HealthSnapshot, HedgeCounts, RegionSnapshot, StoreStatus, StoreTotals};

pub use crate::error::LastError;
use crate::metrics::Metrics;
use crate::runtime::atomic_instant::AtomicInstant;
use crate::runtime::clock::Instant;
use crate::runtime::rng::SeededRng;
use crate::runtime::sync::atomic::AtomicU32;
use crate::runtime::sync::{Mutex, MutexGuard};
pub(crate) use crate::types::OverrideEndReason;
pub use crate::types::{CircuitClass, CircuitState, Override, Transition, TransitionReason};

/// Health of one region, shared by all requests.
#[derive(Debug)]
pub(crate) struct RegionHealth {
    circuits: [Mutex<Circuit>; 2],
    /// Per circuit, the part of its state that requests read without its lock.
    fast_paths: [FastPath; 2],
    /// Serializes override changes, which update both circuits one after the other. Acquired before
    /// a circuit's lock, never under it. Events are sent under it, so their order is that of the
    /// changes.
    override_lock: Mutex<()>,
    peers: Arc<Peers>,
    observer: Arc<dyn HealthObserver>,
    metrics: Arc<Metrics>,
    counters: AttemptCounters,
    /// Position of the region in the configured order.
    index: usize,
    config: Arc<BreakerConfig>,
    latency: LatencyHistogram,
    /// When a response body last delivered a byte.
    last_byte: AtomicInstant,
    /// When the region last throttled a request.
    last_throttled: AtomicInstant,
    /// Start of the current period in which at least one attempt waits for headers. Stale while
    /// `counters.waiting` is 0.
    waiting_since: AtomicInstant,
    /// Trials of the read circuit that were cancelled without a response, since the last response
    /// to one.
    cancelled_trials: AtomicU32,
    /// Notified when a circuit opens for silence: one for header waits, one for byte waits.
    silence_signals: [Arc<Notify>; 2],
}

/// The state of one circuit, under its lock.
#[derive(Debug)]
struct Circuit {
    breaker: Breaker,
    active_override: ActiveOverride,
    waiters: VecDeque<oneshot::Sender<Permit>>,
    /// Accumulated silence of header waits and of byte waits.
    silences: [Silence; 2],
    /// Count of peer recoveries that this circuit has processed.
    recoveries_seen: u64,
    /// This circuit's current contribution to the counters in [`Peers`].
    counted_closed: bool,
    counted_steady: bool,
    counted_forced: bool,
    /// When the circuit entered its state.
    since: Instant,
    /// When the circuit last left the closed state. Failed trials do not change it.
    not_closed_since: Option<Instant>,
    /// The published gauge values. None until the metrics handles are resolved.
    gauges: Option<GaugeState>,
}

/// Result of [`RegionHealth::admit_last_resort`].
#[derive(Debug)]
pub(crate) enum LastResort {
    Admitted(Permit),
    /// A trial is in flight. The receiver gets a permit once the region responds; it is closed if
    /// the trial fails.
    Wait {
        permit: oneshot::Receiver<Permit>,
        /// Since when the trial has had no response.
        silent_since: Instant,
    },
    Refused {
        retry_after: Duration,
    },
    /// An override excludes the region. Only an operator, or its expiry, ends that.
    ForcedOpen,
}

impl Circuit {
    fn on_state_entered(&mut self, state: CircuitState, now: Instant) {
        self.since = now;
        self.not_closed_since =
            (state != CircuitState::Closed).then(|| self.not_closed_since.unwrap_or(now));
    }
}

impl RegionHealth {
    pub(crate) fn new(
        index: usize,
        config: &Arc<BreakerConfig>,
        peers: &Arc<Peers>,
        observer: Arc<dyn HealthObserver>,
        metrics: &Arc<Metrics>,
        rng: &SeededRng,
        now: Instant,
    ) -> Self {
        let circuit = |class| {
            peers.on_closed(class);
            Mutex::new(Circuit {
                breaker: Breaker::new(Arc::clone(config), rng.fork(), now),
                active_override: ActiveOverride::default(),
                waiters: VecDeque::new(),
                silences: Default::default(),
                recoveries_seen: peers.recoveries(class),
                counted_closed: true,
                counted_steady: true,
                counted_forced: false,
                since: now,
                not_closed_since: None,
                gauges: None,
            })
        };
        let health = Self {
            circuits: CircuitClass::ALL.map(circuit),
            fast_paths: CircuitClass::ALL.map(|_| FastPath::new(now)),
            override_lock: Mutex::default(),
            peers: Arc::clone(peers),
            observer,
            metrics: Arc::clone(metrics),
            counters: AttemptCounters::default(),
            index,
            config: Arc::clone(config),
            latency: LatencyHistogram::new(now),
            last_byte: AtomicInstant::new(now),
            last_throttled: AtomicInstant::new(now),
            waiting_since: AtomicInstant::new(now),
            cancelled_trials: AtomicU32::new(0),
            silence_signals: Default::default(),
        };
        // Writes the fast paths for the first time.
        for class in CircuitClass::ALL {
            health.update_circuit(class, now, |_| ((), None));
        }
        health
    }

    /// Whether the circuit would admit a request, without admitting one.
    pub(crate) fn availability(&self, class: CircuitClass, now: Instant) -> Availability {
        self.update_circuit(class, now, |circuit| {
            let availability = match circuit.active_override.active() {
                Some(Override::Drain) => Availability::Drained,
                Some(Override::ForceOpen) => Availability::ForcedOpen,
                Some(Override::ForceClosed | Override::MetricsOnly) => {
                    Availability::Closed { share: 1.0 }
                }
                None => circuit.breaker.availability(now),
            };
            (availability, None)
        })
    }

    /// A permit, if the circuit is closed or has a slot for a trial.
    pub(crate) fn admit(self: &Arc<Self>, class: CircuitClass, now: Instant) -> Option<Permit> {
        let (ticket, is_forced) = self.ticket(class, now)?;
        Some(if is_forced {
            Permit::forced(self, class, ticket)
        } else {
            Permit::with_ticket(self, class, ticket)
        })
    }

    /// A ticket, if the circuit admits a request. The flag is true where an override admits it,
    /// with or without a ticket of the circuit.
    fn ticket(&self, class: CircuitClass, now: Instant) -> Option<(Option<Ticket>, bool)> {
        if let Some(ticket) = self.fast_paths[class.index()].admit() {
            return Some((Some(ticket), false));
        }
        self.update_circuit(class, now, |circuit| {
            let is_forced = circuit.active_override.forces_admission();
            if circuit.active_override.active().is_some() && !is_forced {
                return (None, None);
            }
            let (ticket, change) = circuit.breaker.admit(now);
            let admitted = ticket.is_some() || is_forced;
            (admitted.then_some((ticket, is_forced)), change)
        })
    }

    /// Admits a request that has no other region left, before the open time elapses.
    ///
    /// `no_region_left` is false in a search for a missing key, where other regions have responded.
    /// Where it is true, the attempt also marks the store as overloaded: no hedges meanwhile.
    pub(crate) fn admit_last_resort(
        self: &Arc<Self>,
        class: CircuitClass,
        no_region_left: bool,
        now: Instant,
    ) -> LastResort {
        let (sender, permit) = oneshot::channel();
        let decision = self.update_circuit(class, now, |circuit| {
            if circuit.active_override.active().is_some() {
                return (None, None);
            }
            let (decision, change) = circuit.breaker.admit_last_resort(now);
            if no_region_left && matches!(decision, LastResortDecision::Admitted(_)) {
                self.peers.on_last_resort(now);
            }
            if matches!(decision, LastResortDecision::InFlight { .. }) {
                circuit.waiters.push_back(sender);
            }
            (Some(decision), change)
        });
        match decision {
            Some(LastResortDecision::Admitted(ticket)) => {
                LastResort::Admitted(Permit::new(self, class, ticket))
            }
            Some(LastResortDecision::InFlight { since }) => LastResort::Wait {
                permit,
                silent_since: since,
            },
            Some(LastResortDecision::Refused { retry_after }) => {
                LastResort::Refused { retry_after }
            }
            // An override decides alone: it admits all requests or none.
            None => self
                .admit(class, now)
                .map_or(LastResort::ForcedOpen, LastResort::Admitted),
        }
    }

    /// A last-resort permit for a request that takes too long to be a trial. It records no verdict
    /// and takes no slot; as a trial it would keep all other requests out until its end.
    pub(crate) fn admit_long_last_resort(
        self: &Arc<Self>,
        class: CircuitClass,
        now: Instant,
    ) -> LastResort {
        let decision = self.update_circuit(class, now, |circuit| {
            let is_overridden = circuit.active_override.active().is_some();
            let decision = (!is_overridden).then(|| circuit.breaker.admit_long_last_resort(now));
            (decision, None)
        });
        let waits_for_trial = || {
            let availability = self.availability(class, now);
            matches!(availability, Availability::TrialInFlight { .. })
        };
        match decision {
            Some(Ok(())) => LastResort::Admitted(Permit::untracked(self, class)),
            Some(Err(retry_after)) if !waits_for_trial() => LastResort::Refused { retry_after },
            // A trial in flight may be worth waiting for. An override decides alone.
            Some(Err(_)) | None => self.admit_last_resort(class, false, now),
        }
    }

    /// A permit that needs no admission and records no verdict: a search for a missing key may use
    /// every region.
    pub(crate) fn admit_untracked(self: &Arc<Self>, class: CircuitClass) -> Permit {
        Permit::untracked(self, class)
    }

    /// Runs `act` under the circuit's lock. Updates fast path, peer counters and gauges under the
    /// lock; reports transitions after its release.
    fn update_circuit<T>(
        &self,
        class: CircuitClass,
        now: Instant,
        act: impl FnOnce(&mut Circuit) -> (T, Option<Transition>),
    ) -> T {
        let fast_path = &self.fast_paths[class.index()];
        let mut circuit = self.circuits[class.index()].lock();
        // Order matters: successes of the fast path belong to the state before `act`.
        circuit.breaker.count_successes(fast_path.take_successes());
        let expired = circuit.expire_override(now);
        let recovered = self.apply_peer_recovery(&mut circuit, class, now);
        let (result, change) = act(&mut circuit);
        self.update_peers(&mut circuit, class, now);
        if change.is_some() {
            circuit.silences.iter_mut().for_each(Silence::clear);
        }
        if let Some(last) = change.or(recovered) {
            circuit.on_state_entered(last.to, now);
        }
        fast_path.publish(&circuit.breaker, circuit.counted_steady);
        self.update_gauges(&mut circuit, class);
        drop(circuit);
        for change in recovered.into_iter().chain(change) {
            self.metrics.on_transition(self.index, class, change);
            self.observer
                .on_event(self.index, HealthEvent::Circuit(class, change));
        }
        if let Some(expired) = expired {
            self.on_override_expired(expired, class, now);
        }
        result
    }

    fn apply_peer_recovery(
        &self,
        circuit: &mut Circuit,
        class: CircuitClass,
        now: Instant,
    ) -> Option<Transition> {
        let recoveries = self.peers.recoveries(class);
        let is_new = recoveries != circuit.recoveries_seen;
        circuit.recoveries_seen = recoveries;
        if is_new {
            circuit.breaker.on_peer_recovered(now)
        } else {
            None
        }
    }

    /// Adjusts the counters in [`Peers`] by what has changed in this circuit.
    fn update_peers(
        &self,
        circuit: &mut MutexGuard<'_, Circuit>,
        class: CircuitClass,
        now: Instant,
    ) {
        let has_override = circuit.active_override.active().is_some();
        let forced = circuit.active_override.forces_admission();
        let closed = forced || (!has_override && circuit.breaker.state() == CircuitState::Closed);
        match (circuit.counted_closed, closed) {
            (false, true) => {
                self.peers.on_closed(class);
                // A circuit does not react to its own recovery.
                circuit.recoveries_seen = self.peers.recoveries(class);
            }
            (true, false) => self.peers.on_not_closed(class),
            _ => {}
        }
        if circuit.counted_closed != closed && class == CircuitClass::Read {
            self.peers.set_in_use(self.index, closed);
        }
        circuit.counted_closed = closed;
        let steady = !has_override
            && circuit.breaker.availability(now) == Availability::Closed { share: 1.0 };
        match (circuit.counted_steady, steady) {
            (true, false) => self.peers.on_unsteady(class),
            (false, true) => self.peers.on_steady(class),
            _ => {}
        }
        circuit.counted_steady = steady;
        if circuit.counted_forced != forced {
            self.peers.on_forced_changed(class, forced);
        }
        circuit.counted_forced = forced;
    }
}
