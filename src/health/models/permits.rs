//! Attempt counters, and results of attempts that were in flight when the circuit opened.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};

use super::{CircuitState, Model, Permit, READ, UNAVAILABLE, explore, join, opens_at_once};
use crate::health::config::BreakerConfig;
use crate::metrics::AttemptResult;
use crate::types::Verdict;

/// Permits end in every way at once, and each is counted once.
pub fn attempt_counters_add_up() {
    explore(2, || {
        let config = BreakerConfig {
            failure_threshold: 9,
            ..opens_at_once()
        };
        let model = Model::new(1, config);
        let one = model.spawn(|model| {
            if let Some(permit) = model.sent(0) {
                model.succeed(permit);
            }
            drop(model.sent(0));
        });
        let other = model.spawn(|model| model.fail_once(0));
        if let Some(permit) = model.sent(0) {
            permit.record(Verdict::Throttled, model.now);
        }
        join([one, other]);
        let snapshot = model.regions[0].snapshot(model.now);
        assert_eq!(
            (snapshot.attempts, snapshot.successes, snapshot.failures),
            (4, 1, 1)
        );
        model.check();
    });
}

/// A thread that has observed the opening does not use the fast path, and a success from before the
/// opening does not close the circuit.
pub fn success_races_opening() {
    explore(3, || {
        let model = Model::new(2, opens_at_once());
        let is_known = Arc::new(AtomicBool::new(false));
        let before = model.sent(0);
        let known = Arc::clone(&is_known);
        let opens = model.spawn(move |model| {
            model.fail_once(0);
            // Release and acquire: the reader that sees `true` must see the open circuit too.
            known.store(true, Ordering::Release);
        });
        let reads = model.spawn(move |model| {
            let knew = is_known.load(Ordering::Acquire);
            let (steady, permit) = (model.peers.all_steady(READ), model.sent(0));
            assert!(
                !(knew && (steady || permit.is_some())),
                "an open circuit was taken for closed"
            );
            if let Some(permit) = permit {
                model.succeed(permit);
            }
        });
        if let Some(permit) = before {
            model.succeed(permit);
        }
        join([opens, reads]);
        assert_eq!(model.state(0), CircuitState::Open);
        assert!(!model.peers.all_steady(READ));
        model.check();
    });
}

/// The thread that opened the circuit treats its own earlier success as stale, whatever other
/// threads do.
pub fn opener_rejects_stale_success() {
    explore(3, || {
        let model = Model::new(1, opens_at_once());
        let (stale, other) = model
            .sent(0)
            .zip(model.sent(0))
            .expect("a closed circuit admits");
        let opens = model.spawn(move |model| {
            model.fail_once(0);
            model.succeed(stale);
            assert_eq!(
                model.consecutive_failures(),
                1,
                "a stale success reset the failures"
            );
        });
        drop(other);
        join([opens]);
        model.check();
    });
}

/// Two threads lead the circuit through its states. After both have ended, a stale success does not
/// mark the region healthy.
///
/// The model does not depend on how a permit observes that it is stale: under the lock, or from a
/// copy beside it.
pub fn stale_results_change_nothing() {
    explore(3, || {
        let model = Model::new(1, opens_at_once());
        let (stale_success, stale_failure) = model
            .sent(0)
            .zip(model.sent(0))
            .expect("a closed circuit admits");
        let opens = model.spawn(|model| model.fail_once(0));
        let resets = model.spawn(|model| model.regions[0].reset(model.now));
        join([opens, resets]);
        let before = model.consecutive_failures();
        // A failure counts if it is current, and a stale one while the circuit is not closed.
        let fails = Some(stale_failure)
            .filter(|_| model.state(0) != CircuitState::Closed)
            .or_else(|| model.sent(0))
            .expect("a permit");
        model.end(fails, UNAVAILABLE);
        assert_eq!(
            model.consecutive_failures(),
            before + 1,
            "a failure was not counted"
        );
        model.end(stale_success, AttemptResult::Success);
        assert_eq!(
            model.consecutive_failures(),
            before + 1,
            "a stale success reset the failures"
        );
        model.regions[0].reset(model.now);
        model.fail_once(0);
        model.regions[0].reset(model.now);
        let current = model.sent(0).expect("a closed circuit admits");
        model.end(current, AttemptResult::Success);
        assert_eq!(model.consecutive_failures(), 0);
        model.check();
    });
}

impl Model {
    /// Records the result, without a verdict.
    fn end(&self, mut permit: Permit, result: AttemptResult) {
        permit.record_result(result, self.now);
    }

    fn consecutive_failures(&self) -> u32 {
        self.regions[0].snapshot(self.now).consecutive_failures
    }
}
