//! Those who wait for somebody else's probe: each is let in or sent away, and nobody is forgotten.

use std::sync::Arc;

use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;

use super::{LastResort, Permit, Scene, Unseen, explore, hasty, join};

type Places = Arc<Unseen<Vec<Receiver<Permit>>>>;

/// A probe that ends in each way, while others come to wait for it.
pub fn nobody_waits_for_ever() {
    for end in [End::Answer, End::Success, End::Failure, End::Cancel] {
        explore(2, move || {
            let (scene, places) = probed();
            let (probe, queue) = (scene.probe(), Arc::clone(&places));
            let ends = scene.spawn(move |scene| end.come(probe, &scene));
            let waits = scene.spawn(move |scene| scene.ask(&queue));
            scene.ask(&places);
            join([ends, waits]);
            scene.everybody_goes_on(&places);
            scene.is_sound();
        });
    }
}

/// A place is given up just while it is handed its permit.
pub fn whoever_went_away_is_passed_by() {
    for end in [End::Answer, End::Success, End::Failure, End::Cancel] {
        explore(2, move || {
            let (scene, places) = probed();
            let probe = scene.probe();
            scene.ask(&places);
            let leaver = places.lock().pop();
            scene.ask(&places);
            let ends = scene.spawn(move |scene| end.come(probe, &scene));
            scene.is_seen_by_loom();
            drop(leaver);
            scene.ask(&places);
            join([ends]);
            scene.everybody_goes_on(&places);
            scene.is_sound();
        });
    }
}

/// The probe goes on in other hands, and those give it up as well.
pub fn an_heir_is_found() {
    explore(3, || {
        let (scene, places) = probed();
        let probe = scene.probe();
        (0..2).for_each(|_| scene.ask(&places));
        let first = places.lock().remove(0);
        let gives_up = scene.spawn(move |_| drop(probe));
        let heir = scene.spawn(move |scene| {
            let mut place = first;
            scene.is_seen_by_loom();
            drop(place.try_recv());
            scene.is_seen_by_loom();
        });
        join([gives_up, heir]);
        scene.everybody_goes_on(&places);
        scene.is_sound();
    });
}

/// How a probe ends.
#[derive(Clone, Copy)]
enum End {
    Answer,
    Success,
    Failure,
    Cancel,
}

impl End {
    fn come(self, mut probe: Permit, scene: &Scene) {
        match self {
            Self::Answer => {
                probe.answered(scene.now);
                probe.succeed(scene.now);
            }
            Self::Success => probe.succeed(scene.now),
            Self::Failure => probe.fail(scene.now),
            Self::Cancel => drop(probe),
        }
    }
}

/// A region that is open, and due for a trial.
fn probed() -> (Scene, Places) {
    let scene = Scene::new(1, hasty());
    scene.fail_once(0);
    (scene, Places::default())
}

impl Scene {
    fn probe(&self) -> Permit {
        match self.last_resort(0) {
            LastResort::Admitted(permit) => self.send(permit),
            other => panic!("{other:?}"),
        }
    }

    /// Asks the region as the last resort; whoever is let in fails, whoever has to wait takes a place.
    fn ask(&self, places: &Places) {
        match self.last_resort(0) {
            LastResort::Admitted(permit) => self.send(permit).fail(self.now),
            LastResort::Wait { place, .. } => places.lock().push(place),
            LastResort::Refused { .. } | LastResort::ShutOff => {}
        }
    }

    /// A place is tokio's, and what happens to it is no step for loom: a look at the circuit before it is one, and may come at any time.
    fn is_seen_by_loom(&self) {
        let _ = self.state(0);
    }

    /// Nobody is at work: who still waits has been let in or sent away, or is so by the next who was let in.
    fn everybody_goes_on(&self, places: &Places) {
        let mut waiting = std::mem::take(&mut *places.lock());
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain_mut(|place| match place.try_recv() {
                Ok(permit) => {
                    self.send(permit).succeed(self.now);
                    false
                }
                Err(TryRecvError::Closed) => false,
                Err(TryRecvError::Empty) => true,
            });
            assert!(waiting.len() < before, "{before} wait, and nobody is left who could wake them");
        }
    }
}
