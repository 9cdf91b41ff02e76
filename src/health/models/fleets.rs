//! What circuits know of each other, and operators who speak meanwhile.

use super::{CircuitClass, CircuitState, READ, Scene, Standing, explore, hasty, join, touchy};
use crate::health::Override;

pub fn two_regions_open_at_once() {
    explore(3, || {
        let scene = Scene::new(2, touchy());
        let one = scene.spawn(|scene| scene.fail_once(0));
        let other = scene.spawn(|scene| scene.fail_once(1));
        let calm = scene.fleet.is_calm(READ);
        join([one, other]);
        assert!(!scene.fleet.is_calm(READ), "calm before: {calm}");
        assert_eq!(scene.fleet.told(READ).closed, 0);
        scene.is_sound();
    });
}

/// All are open; one closes, perhaps while another does: whoever is still open may be tried at once.
pub fn a_recovery_is_heard_of() {
    explore(2, || {
        let scene = Scene::new(3, touchy());
        (0..3).for_each(|region| scene.fail_once(region));
        let before = scene.fleet.recoveries(READ);
        let [one, other] = [0, 1].map(|region| {
            scene.spawn(move |scene| match scene.last_resort(region) {
                crate::health::LastResort::Admitted(permit) => scene.send(permit).succeed(scene.now),
                other => panic!("{other:?}"),
            })
        });
        join([one, other]);
        assert!(scene.fleet.recoveries(READ) > before, "the end of the outage was not noticed");
        assert_eq!([0, 1].map(|region| scene.state(region)), [CircuitState::Closed; 2]);
        assert_eq!(scene.regions[2].with(READ, scene.now, |_| ((), None)), ());
        assert_eq!(scene.regions[2].standing(READ, scene.now), Standing::Trial, "it sits out its open time");
        scene.is_sound();
    });
}

/// Regions are taken out and put back while they fail and recover.
pub fn operators_meet_failures() {
    for word in Override::ALL {
        explore(2, move || {
            let scene = Scene::new(1, hasty());
            let speaks = scene.spawn(move |scene| {
                scene.regions[0].set_override(word, None, scene.now);
                scene.regions[0].end_override(&[word], scene.now);
            });
            let fails = scene.spawn(|scene| scene.fail_once(0));
            drop(scene.sent(0));
            join([speaks, fails]);
            scene.is_sound();
        });
    }
}

/// Two speak at once: one word is in force, on both circuits.
pub fn two_operators_leave_one_word() {
    explore(2, || {
        let scene = Scene::new(1, hasty());
        let closes = scene.spawn(|scene| scene.regions[0].set_override(Override::ForceClosed, None, scene.now));
        let opens = scene.spawn(|scene| scene.regions[0].set_override(Override::ForceOpen, None, scene.now));
        scene.fail_once(0);
        join([closes, opens]);
        let words = CircuitClass::ALL.map(|class| scene.regions[0].with(class, scene.now, |circuit| (circuit.control.active(), None)));
        assert!(words[0].is_some() && words[0] == words[1], "{words:?}");
        scene.is_sound();
    });
}
