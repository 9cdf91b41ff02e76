//! Trials that run at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{CircuitState, Scene, explore, hasty, join};
use crate::health::config::BreakerConfig;

/// Never more than `half_open_max_calls`, whether they come as trials or as the last resort.
pub fn trials_stay_within_their_number() {
    const MOST: usize = 1;
    explore(2, || {
        let config = BreakerConfig { half_open_max_calls: 1, success_threshold: 9, ..hasty() };
        let (scene, running) = (Scene::new(1, config), Arc::new(AtomicUsize::new(0)));
        scene.fail_once(0);
        let threads = [0, 1, 2].map(|way| {
            let running = Arc::clone(&running);
            scene.spawn(move |scene| {
                let Some(permit) = scene.sent(0) else { return };
                assert!(permit.is_trial());
                assert!(running.fetch_add(1, Ordering::SeqCst) < MOST, "one trial too many");
                // A step at which others may come.
                let _ = scene.state(0);
                running.fetch_sub(1, Ordering::SeqCst);
                match way {
                    0 => permit.succeed(scene.now),
                    _ => drop(permit),
                }
            })
        });
        join(threads);
        assert_eq!(scene.state(0), CircuitState::HalfOpen);
        scene.is_sound();
    });
}

/// The first verdict decides, and the other comes from before: the circuit leaves the half-open state once.
pub fn a_trial_that_fails_beside_one_that_succeeds() {
    explore(3, || {
        let scene = Scene::new(2, BreakerConfig { half_open_max_calls: 2, ..hasty() });
        scene.fail_once(0);
        let (one, other) = (scene.sent(0), scene.sent(0));
        let (one, other) = one.zip(other).expect("two trials");
        let well = scene.spawn(move |scene| one.succeed(scene.now));
        let ill = scene.spawn(move |scene| other.fail(scene.now));
        let looks = scene.regions[0].vitals(scene.now).in_flight;
        assert!(looks <= 2);
        join([well, ill]);
        let (closed, opened) = (scene.transitions_to(CircuitState::Closed), scene.transitions_to(CircuitState::Open));
        assert_eq!((closed + opened, scene.transitions_to(CircuitState::HalfOpen)), (2, 1), "opened, half-opened, decided");
        assert_eq!(scene.state(0) == CircuitState::Closed, closed == 1);
        scene.is_sound();
    });
}
