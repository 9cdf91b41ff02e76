//! What is counted of attempts, and what an opening does to those that are on their way.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};

use super::{CircuitState, Permit, READ, Scene, explore, join, touchy};
use crate::health::config::BreakerConfig;
use crate::metrics::Outcome;

/// Permits that end in every way, at the same time.
pub fn a_tally_adds_up() {
    explore(2, || {
        let scene = Scene::new(1, BreakerConfig { failure_threshold: 9, ..touchy() });
        let one = scene.spawn(|scene| {
            scene.sent(0).into_iter().for_each(|permit| permit.succeed(scene.now));
            drop(scene.sent(0));
        });
        let other = scene.spawn(|scene| scene.fail_once(0));
        scene.sent(0).into_iter().for_each(|permit| permit.throttled(scene.now));
        join([one, other]);
        let vitals = scene.regions[0].vitals(scene.now);
        assert_eq!((vitals.attempts, vitals.successes, vitals.failures), (4, 1, 1));
        scene.is_sound();
    });
}

/// Whoever knows that a circuit has opened does not take the short way past all circuits, and a success from before closes nothing.
pub fn an_opening_meets_a_success() {
    explore(3, || {
        let (scene, is_known) = (Scene::new(2, touchy()), Arc::new(AtomicBool::new(false)));
        let before = scene.sent(0);
        let known = Arc::clone(&is_known);
        let opens = scene.spawn(move |scene| {
            scene.fail_once(0);
            known.store(true, Ordering::Release);
        });
        let reads = scene.spawn(move |scene| {
            let knew = is_known.load(Ordering::Acquire);
            let (calm, permit) = (scene.fleet.is_calm(READ), scene.sent(0));
            assert!(!(knew && (calm || permit.is_some())), "it is open, and was taken for closed");
            permit.into_iter().for_each(|permit| permit.succeed(scene.now));
        });
        before.into_iter().for_each(|permit| permit.succeed(scene.now));
        join([opens, reads]);
        assert_eq!(scene.state(0), CircuitState::Open);
        assert!(!scene.fleet.is_calm(READ));
        scene.is_sound();
    });
}

/// Whoever has opened a circuit knows that what it had under way there comes from before, whatever others do meanwhile.
pub fn whoever_opens_knows_its_stragglers() {
    explore(3, || {
        let scene = Scene::new(1, touchy());
        let (straggler, other) = scene.sent(0).zip(scene.sent(0)).expect("a closed circuit admits");
        let opens = scene.spawn(move |scene| {
            scene.fail_once(0);
            straggler.succeed(scene.now);
            assert_eq!(scene.failing(), 1, "a straggler has declared the region well");
        });
        drop(other);
        join([opens]);
        scene.is_sound();
    });
}

/// Two threads lead the circuit through its states. Once both are done, everybody knows which permits are stragglers.
///
/// This asks nothing of how a permit knows that it is one: under the lock, or from something that is kept beside it.
pub fn stragglers_say_nothing_of_how_it_is_now() {
    explore(3, || {
        let scene = Scene::new(1, touchy());
        let (late, later) = scene.sent(0).zip(scene.sent(0)).expect("a closed circuit admits");
        let opens = scene.spawn(|scene| scene.fail_once(0));
        let resets = scene.spawn(|scene| scene.regions[0].reset(scene.now));
        join([opens, resets]);
        let before = scene.failing();
        // A failure tells where it is current, and a straggler's where the circuit is not closed.
        let tells = Some(later).filter(|_| scene.state(0) != CircuitState::Closed).or_else(|| scene.sent(0)).expect("a permit");
        scene.end(tells, Outcome::Unavailable);
        assert_eq!(scene.failing(), before + 1, "the region fails, and nobody took note");
        scene.end(late, Outcome::Success);
        assert_eq!(scene.failing(), before + 1, "a straggler has declared the region well");
        scene.regions[0].reset(scene.now);
        scene.fail_once(0);
        scene.regions[0].reset(scene.now);
        let current = scene.sent(0).expect("a closed circuit admits");
        scene.end(current, Outcome::Success);
        assert_eq!(scene.failing(), 0);
        scene.is_sound();
    });
}

impl Scene {
    /// Takes note of what came of it, and brings no verdict.
    fn end(&self, mut permit: Permit, outcome: Outcome) {
        permit.note(outcome, self.now);
    }

    /// Attempts in a row that failed, as far as it is known.
    fn failing(&self) -> u32 {
        self.regions[0].vitals(self.now).failing_in_a_row
    }
}
