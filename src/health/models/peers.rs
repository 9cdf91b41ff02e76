//! What the circuits of one store know of each other, and overrides set at the same time.

use super::{
    Availability, CircuitClass, CircuitState, LastResort, Model, READ, explore, half_opens_at_once,
    join, opens_at_once,
};
use crate::health::Override;

/// The counter of closed circuits is correct after two circuits open at once.
pub fn two_regions_open_at_once() {
    explore(3, || {
        let model = Model::new(2, opens_at_once());
        let one = model.spawn(|model| model.fail_once(0));
        let other = model.spawn(|model| model.fail_once(1));
        let steady_before = model.peers.all_steady(READ);
        join([one, other]);
        assert!(
            !model.peers.all_steady(READ),
            "steady before: {steady_before}"
        );
        assert_eq!(model.peers.counts(READ).closed, 0);
        model.check();
    });
}

/// All circuits are open, and two close at once: the third may send a trial before its open time
/// ends.
pub fn recovery_reaches_peers() {
    explore(2, || {
        let model = Model::new(3, opens_at_once());
        (0..3).for_each(|region| model.fail_once(region));
        let before = model.peers.recoveries(READ);
        let threads = [0, 1].map(|region| {
            model.spawn(move |model| match model.last_resort(region) {
                LastResort::Admitted(permit) => model.succeed(model.send(permit)),
                other => panic!("{other:?}"),
            })
        });
        join(threads);
        assert!(
            model.peers.recoveries(READ) > before,
            "the recovery was not counted"
        );
        let states = [0, 1].map(|region| model.state(region));
        assert_eq!(states, [CircuitState::Closed; 2]);
        // A circuit learns of the recovery the next time it is locked.
        model.regions[2].update_circuit(READ, model.now, |_| ((), None));
        assert_eq!(
            model.regions[2].availability(READ, model.now),
            Availability::TrialDue,
            "the recovery did not end the open time"
        );
        model.check();
    });
}

/// An override is set and cleared while the region fails and recovers.
pub fn overrides_race_failures() {
    for kind in Override::ALL {
        explore(2, move || {
            let model = Model::new(1, half_opens_at_once());
            let overrides = model.spawn(move |model| {
                model.regions[0].set_override(kind, None, model.now);
                model.regions[0].end_override(&[kind], model.now);
            });
            let fails = model.spawn(|model| model.fail_once(0));
            drop(model.sent(0));
            join([overrides, fails]);
            model.check();
        });
    }
}

/// Of two overrides set at once, one is in force, on both circuits.
pub fn concurrent_overrides_agree() {
    explore(2, || {
        let model = Model::new(1, half_opens_at_once());
        let [closes, opens] = [Override::ForceClosed, Override::ForceOpen].map(|kind| {
            model.spawn(move |model| model.regions[0].set_override(kind, None, model.now))
        });
        model.fail_once(0);
        join([closes, opens]);
        let active = CircuitClass::ALL.map(|class| {
            model.regions[0].update_circuit(class, model.now, |circuit| {
                (circuit.active_override.active(), None)
            })
        });
        assert!(active[0].is_some() && active[0] == active[1], "{active:?}");
        model.check();
    });
}
