//! Loom models of a region's health: two or three threads, every interleaving
//! (docs/concurrency.md).
//!
//! Each model is small, because the number of interleavings grows faster than exponentially: a few
//! calls per thread, all at one instant. State that only the assertions read is behind real locks
//! and atomics, which add no interleavings.

mod peers;
mod permits;
mod trials;
mod waiters;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use loom::thread::{self, JoinHandle};
// Not loom's mutex: it is no part of the model.
use parking_lot::Mutex as RealMutex;

pub use peers::{
    concurrent_overrides_agree, overrides_race_failures, recovery_reaches_peers,
    two_regions_open_at_once,
};
pub use permits::{
    attempt_counters_add_up, opener_rejects_stale_success, stale_results_change_nothing,
    success_races_opening,
};
pub use trials::{trial_results_end_half_open_once, trials_stay_within_limit};
pub use waiters::{
    cancelled_waiter_is_skipped, dropped_trial_is_handed_over, every_waiter_is_resolved,
};

use super::config::BreakerConfig;
use super::{
    Availability, CircuitClass, CircuitState, HealthEvent, HealthObserver, LastResort, Peers,
    Permit, RegionHealth, Transition,
};
use crate::metrics::{AttemptResult, Metrics};
use crate::runtime::clock::{Instant, now};
use crate::runtime::rng::SeededRng;
use crate::settings::Ratio;
use crate::types::{FailureClass, Operation, Verdict};

const READ: CircuitClass = CircuitClass::Read;

/// The regions of a store at one instant.
#[derive(Clone)]
struct Model {
    regions: Vec<Arc<RegionHealth>>,
    peers: Arc<Peers>,
    transitions: Arc<Transitions>,
    now: Instant,
}

/// The reported transitions of read circuits, by region.
#[derive(Debug, Default)]
struct Transitions(RealMutex<Vec<(usize, Transition)>>);

impl HealthObserver for Transitions {
    fn on_event(&self, region: usize, event: HealthEvent) {
        if let HealthEvent::Circuit(READ, change) = event {
            self.0.lock().push((region, change));
        }
    }
}

impl Model {
    fn new(regions: usize, config: BreakerConfig) -> Self {
        let (now, config) = (now(), Arc::new(config));
        let transitions = Arc::new(Transitions::default());
        let names = (0..regions).map(|index| index.to_string().into()).collect();
        let peers = Arc::new(Peers::new(regions, now));
        let metrics = Arc::new(Metrics::new("models".into(), names, true));
        let rng = SeededRng::new(Some(7));
        let health = |index| {
            let observer = Arc::clone(&transitions) as Arc<dyn HealthObserver>;
            let health = RegionHealth::new(index, &config, &peers, observer, &metrics, &rng, now);
            Arc::new(health)
        };
        Self {
            regions: (0..regions).map(health).collect(),
            transitions: Arc::clone(&transitions),
            peers: Arc::clone(&peers),
            now,
        }
    }

    fn spawn(&self, act: impl FnOnce(Self) + 'static) -> JoinHandle<()> {
        let model = self.clone();
        thread::spawn(move || act(model))
    }

    /// An attempt in flight, if the circuit admits it.
    fn sent(&self, region: usize) -> Option<Permit> {
        self.regions[region]
            .admit(READ, self.now)
            .map(|permit| self.send(permit))
    }

    fn send(&self, mut permit: Permit) -> Permit {
        permit.on_sent(Operation::Get, true, Duration::from_secs(1), self.now);
        permit
    }

    fn succeed(&self, permit: Permit) {
        permit.record(Verdict::Success, self.now);
    }

    fn fail(&self, permit: Permit) {
        permit.record(Verdict::Failure, self.now);
    }

    fn fail_once(&self, region: usize) {
        if let Some(mut permit) = self.sent(region) {
            permit.record_result(UNAVAILABLE, self.now);
            self.fail(permit);
        }
    }

    fn last_resort(&self, region: usize) -> LastResort {
        self.regions[region].admit_last_resort(READ, true, self.now)
    }

    fn state(&self, region: usize) -> CircuitState {
        self.regions[region]
            .update_circuit(READ, self.now, |circuit| (circuit.breaker.state(), None))
    }

    /// The invariants that hold after every model, once all threads have ended.
    fn check(&self) {
        for region in &self.regions {
            let snapshot = region.snapshot(self.now);
            assert_eq!(snapshot.in_flight, 0, "a permit was not returned");
            assert!(
                region.counters.waiting.load(SeqCst) == 0,
                "an attempt is still counted as waiting"
            );
        }
        CircuitClass::ALL
            .into_iter()
            .for_each(|class| self.check_peers(class));
        (0..self.regions.len()).for_each(|region| self.check_transitions(region));
    }

    /// The counters of `Peers` and the fast paths, which are read without a lock, match the
    /// circuits.
    fn check_peers(&self, class: CircuitClass) {
        let state_of = |region: &Arc<RegionHealth>| {
            region.update_circuit(class, self.now, |circuit| {
                let state = (circuit.active_override.active(), circuit.breaker.state());
                (state, None)
            })
        };
        let states: Vec<_> = self.regions.iter().map(state_of).collect();
        let is_forced = |region: &usize| {
            states[*region]
                .0
                .is_some_and(|active| !active.excludes_region())
        };
        let is_closed =
            |region: &usize| is_forced(region) || states[*region] == (None, CircuitState::Closed);
        let is_steady = |region: &usize| {
            self.regions[*region].availability(class, self.now)
                == Availability::Closed { share: 1.0 }
        };
        let is_unsteady = |region: &usize| states[*region].0.is_some() || !is_steady(region);
        let all = || 0..self.regions.len();
        for region in all() {
            let ticket = self.regions[region].fast_paths[class.index()].admit();
            assert_eq!(
                ticket.is_some(),
                !is_unsteady(&region),
                "the fast path of region {region} does not match its circuit"
            );
        }
        let counts = self.peers.counts(class);
        let expected = |matches: &dyn Fn(&usize) -> bool| all().filter(matches).count();
        assert_eq!(counts.closed, expected(&is_closed), "closed: {states:?}");
        assert_eq!(counts.forced, expected(&is_forced), "forced: {states:?}");
        assert_eq!(
            counts.unsteady,
            expected(&is_unsteady),
            "unsteady: {states:?}"
        );
        if class == READ {
            let in_use: Vec<_> = all().map(|region| is_closed(&region)).collect();
            assert_eq!(counts.in_use, in_use);
        }
    }

    /// The reported transitions lead from closed to the circuit's state, in whatever order the
    /// threads reported them: each state is entered as often as it is left, except both ends.
    fn check_transitions(&self, region: usize) {
        let reported = self.transitions.0.lock().clone();
        let balance = |state: CircuitState| -> i32 {
            reported
                .iter()
                .filter(|(index, _)| *index == region)
                .map(|(_, change)| i32::from(change.to == state) - i32::from(change.from == state))
                .sum()
        };
        let end = self.state(region);
        for state in CircuitState::ALL {
            let expected = i32::from(end == state) - i32::from(state == CircuitState::Closed);
            assert_eq!(
                balance(state),
                expected,
                "region {region} is {end} after {reported:?}"
            );
        }
    }

    fn transitions_to(&self, state: CircuitState) -> usize {
        self.transitions
            .0
            .lock()
            .iter()
            .filter(|(_, change)| change.to == state)
            .count()
    }
}

/// One failure opens a circuit, and it stays open during the model.
fn opens_at_once() -> BreakerConfig {
    let jitter = Ratio::try_from(0.0).expect("zero is a ratio");
    BreakerConfig {
        failure_threshold: 1,
        success_threshold: 1,
        ramp: Duration::ZERO,
        jitter,
        ..BreakerConfig::default()
    }
}

/// As above, and a trial is due at once.
fn half_opens_at_once() -> BreakerConfig {
    BreakerConfig {
        open_for: Duration::ZERO,
        open_for_max: Duration::ZERO,
        ..opens_at_once()
    }
}

/// Runs `act` in every interleaving with at most `preemptions` preemptions of a runnable thread, or
/// `LOOM_MAX_PREEMPTIONS` where it is set.
fn explore(preemptions: usize, act: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.max_branches = 20_000;
    let orders = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&orders);
    builder.check(move || {
        counter.fetch_add(1, SeqCst);
        act();
    });
    let orders = orders.load(SeqCst);
    println!("{orders} orders");
    assert!(orders >= 10, "the threads hardly interact");
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    threads
        .into_iter()
        .for_each(|thread| thread.join().expect("no model thread panics"));
}

const UNAVAILABLE: AttemptResult = AttemptResult::Failed(FailureClass::Unavailable);
