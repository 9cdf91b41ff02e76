//! Two operators at the same moment.

use std::sync::atomic::{AtomicUsize, Ordering};

use failover_testkit::replicas;
use object_store_failover::FailoverStore;

use crate::UNHEALTHY;

/// Enough for two threads to meet within a few instructions some hundred times.
const ROUNDS: usize = 20_000;

/// `drain` and `undrain` at once: one of them wins in both circuits. A region that is drained for
/// reads only would stay so until the next override.
#[test]
fn concurrent_overrides_agree_on_both_circuits() {
    let store = replicas(1).1.build().unwrap();
    let (round, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for number in 1..=ROUNDS {
                spin_until(&round, number);
                store.undrain(UNHEALTHY).unwrap();
                done.store(number, Ordering::Release);
            }
        });
        // Snapshots take the same locks, and delay now one operator and now the other.
        threads.spawn(|| {
            while done.load(Ordering::Acquire) < ROUNDS {
                let _ = store.health();
            }
        });
        let mut split = Vec::new();
        for number in 1..=ROUNDS {
            round.store(number, Ordering::Release);
            store.drain(UNHEALTHY).unwrap();
            spin_until(&done, number);
            split.extend(is_split(&store).then_some(number));
            store.undrain(UNHEALTHY).unwrap();
            // A split would last into the next round.
            store.reset(UNHEALTHY).unwrap();
        }
        assert_eq!(split, [0; 0]);
    });
}

/// Both threads start within nanoseconds, unlike after a barrier that parks them.
fn spin_until(counter: &AtomicUsize, value: usize) {
    while counter.load(Ordering::Acquire) != value {
        std::thread::yield_now();
    }
}

fn is_split(store: &FailoverStore) -> bool {
    let region = &store.health().regions[0];
    region.read.admits != region.write.admits
}
