//! Models for loom: what threads may do to circuits at the same time, tried in every order (docs/concurrency.md).
//!
//! Each model is small, for the orders grow faster than exponentially: two or three threads, a few calls each, all at one moment of
//! time. What is only looked at, and decides nothing, is counted with real atomics: to loom it takes no time.

mod accounts;
mod fleets;
mod queues;
mod trials;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use loom::thread::{self, JoinHandle};
use parking_lot::Mutex as Unseen;

pub use accounts::{
    a_tally_adds_up, an_opening_meets_a_success, stragglers_say_nothing_of_how_it_is_now, whoever_opens_knows_its_stragglers,
};
pub use fleets::{a_recovery_is_heard_of, operators_meet_failures, two_operators_leave_one_word, two_regions_open_at_once};
pub use queues::{an_heir_is_found, nobody_waits_for_ever, whoever_went_away_is_passed_by};
pub use trials::{a_trial_that_fails_beside_one_that_succeeds, trials_stay_within_their_number};

use super::breaker::Standing;
use super::config::BreakerConfig;
use super::{CircuitClass, CircuitState, Fleet, Health, LastResort, News, Permit, Transition, Watch};
use crate::metrics::{Metrics, Outcome};
use crate::operation::Operation;
use crate::settings::Ratio;
use crate::time::{Dice, Instant, now};

const READ: CircuitClass = CircuitClass::Read;

/// The regions of a store, at one moment that lasts.
#[derive(Clone)]
struct Scene {
    regions: Vec<Arc<Health>>,
    fleet: Arc<Fleet>,
    told: Arc<Told>,
    now: Instant,
}

/// What was told of the circuits for reads, by region.
#[derive(Debug, Default)]
struct Told(Unseen<Vec<(usize, Transition)>>);

impl Watch for Told {
    fn on_news(&self, region: usize, news: News) {
        if let News::Circuit(READ, change) = news {
            self.0.lock().push((region, change));
        }
    }
}

impl Scene {
    fn new(regions: usize, config: BreakerConfig) -> Self {
        let (now, config, told) = (now(), Arc::new(config), Arc::new(Told::default()));
        let names = (0..regions).map(|index| index.to_string().into()).collect();
        let (fleet, metrics) = (Arc::new(Fleet::new(regions, now)), Arc::new(Metrics::new("models".into(), names, true)));
        let dice = Dice::new(Some(7));
        let health = |index| {
            let watch = Arc::clone(&told) as Arc<dyn Watch>;
            Arc::new(Health::new(index, &config, &fleet, watch, &metrics, &dice, now))
        };
        Self { regions: (0..regions).map(health).collect(), told: Arc::clone(&told), fleet: Arc::clone(&fleet), now }
    }

    fn spawn(&self, act: impl FnOnce(Self) + 'static) -> JoinHandle<()> {
        let scene = self.clone();
        thread::spawn(move || act(scene))
    }

    /// A permit on its way, where the region gives one.
    fn sent(&self, region: usize) -> Option<Permit> {
        self.regions[region].admit(READ, self.now).map(|permit| self.send(permit))
    }

    fn send(&self, mut permit: Permit) -> Permit {
        permit.sent(Operation::Get, true, self.now);
        permit
    }

    fn fail_once(&self, region: usize) {
        if let Some(mut permit) = self.sent(region) {
            permit.note(Outcome::Unavailable, self.now);
            permit.fail(self.now);
        }
    }

    fn last_resort(&self, region: usize) -> LastResort {
        self.regions[region].admit_last_resort(READ, true, self.now)
    }

    fn state(&self, region: usize) -> CircuitState {
        self.regions[region].with(READ, self.now, |circuit| (circuit.breaker.state(), None))
    }

    /// What must hold once nobody is at work any more, whatever has happened.
    fn is_sound(&self) {
        for region in &self.regions {
            let vitals = region.vitals(self.now);
            assert_eq!(vitals.in_flight, 0, "a permit did not come back");
            assert!(region.tally.waiting.load(SeqCst) == 0, "somebody is still counted among those who wait");
        }
        CircuitClass::ALL.into_iter().for_each(|class| self.counts_agree(class));
        (0..self.regions.len()).for_each(|region| self.story_agrees(region));
    }

    /// What the fleet counts without a lock is what its circuits are.
    fn counts_agree(&self, class: CircuitClass) {
        let of = |region: &Arc<Health>| region.with(class, self.now, |circuit| ((circuit.control.active(), circuit.breaker.state()), None));
        let stand: Vec<_> = self.regions.iter().map(of).collect();
        let is_unguarded = |region: &usize| stand[*region].0.is_some_and(|word| !word.takes_out());
        let is_closed = |region: &usize| is_unguarded(region) || stand[*region] == (None, CircuitState::Closed);
        let is_settled = |region: &usize| self.regions[*region].standing(class, self.now) == Standing::Closed { share: 1.0 };
        let all = || 0..self.regions.len();
        for region in all() {
            let ticket = self.regions[region].glances[class.index()].admit();
            assert_eq!(ticket.is_some(), stand[region].0.is_none() && is_settled(&region), "what is seen without the lock is what it is");
        }
        let told = self.fleet.told(class);
        assert_eq!(told.closed, all().filter(is_closed).count(), "closed: {stand:?}");
        assert_eq!(told.unguarded, all().filter(is_unguarded).count(), "unguarded: {stand:?}");
        assert_eq!(told.unsettled, all().filter(|region| stand[*region].0.is_some() || !is_settled(region)).count(), "{stand:?}");
        if class == READ {
            assert_eq!(told.in_use, all().map(|region| is_closed(&region)).collect::<Vec<_>>());
        }
    }

    /// What was told leads from closed to where the circuit is: nothing twice, nothing left out, whatever the order in which it arrived.
    fn story_agrees(&self, region: usize) {
        let told = self.told.0.lock().clone();
        let balance = |state: CircuitState| -> i32 {
            let of_region = told.iter().filter(|(index, _)| *index == region).map(|(_, change)| change);
            of_region.map(|change| i32::from(change.to == state) - i32::from(change.from == state)).sum()
        };
        let end = self.state(region);
        for state in [CircuitState::Closed, CircuitState::HalfOpen, CircuitState::Open] {
            let expected = i32::from(end == state) - i32::from(state == CircuitState::Closed);
            assert_eq!(balance(state), expected, "region {region} is {end}, and it was told {told:?}");
        }
    }

    fn transitions_to(&self, state: CircuitState) -> usize {
        self.told.0.lock().iter().filter(|(_, change)| change.to == state).count()
    }
}

/// One failure opens; an open circuit stays so for as long as any model lasts.
fn touchy() -> BreakerConfig {
    let jitter = Ratio::try_from(0.0).expect("zero is a ratio");
    BreakerConfig { failure_threshold: 1, success_threshold: 1, ramp: Duration::ZERO, jitter, ..BreakerConfig::default() }
}

/// An open circuit is due for a trial at once.
fn hasty() -> BreakerConfig {
    BreakerConfig { open_for: Duration::ZERO, open_for_max: Duration::ZERO, ..touchy() }
}

/// Tries `act` in every order, with as many interruptions of a thread that could go on as this, or as LOOM_MAX_PREEMPTIONS says.
fn explore(interruptions: usize, act: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(interruptions);
    builder.max_branches = 20_000;
    let orders = Arc::new(AtomicUsize::new(0));
    let tried = Arc::clone(&orders);
    builder.check(move || {
        tried.fetch_add(1, SeqCst);
        act();
    });
    let orders = orders.load(SeqCst);
    println!("{orders} orders");
    assert!(orders >= 10, "threads that meet so rarely prove nothing");
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().expect("the thread has panicked"));
}
