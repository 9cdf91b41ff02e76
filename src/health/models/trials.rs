//! Trials that run at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{CircuitState, Model, explore, half_opens_at_once, join};
use crate::health::config::BreakerConfig;

/// Never more than `half_open_max_calls` trials at a time.
pub fn trials_stay_within_limit() {
    const LIMIT: usize = 1;
    explore(2, || {
        let config = BreakerConfig {
            half_open_max_calls: 1,
            success_threshold: 9,
            ..half_opens_at_once()
        };
        let (model, running) = (Model::new(1, config), Arc::new(AtomicUsize::new(0)));
        model.fail_once(0);
        let threads = [0, 1, 2].map(|number| {
            let running = Arc::clone(&running);
            model.spawn(move |model| {
                let Some(permit) = model.sent(0) else { return };
                assert!(permit.is_trial());
                let others = running.fetch_add(1, Ordering::SeqCst);
                assert!(others < LIMIT, "one trial more than the limit");
                // Takes the lock: other threads may run here.
                let _ = model.state(0);
                running.fetch_sub(1, Ordering::SeqCst);
                match number {
                    0 => model.succeed(permit),
                    _ => drop(permit),
                }
            })
        });
        join(threads);
        assert_eq!(model.state(0), CircuitState::HalfOpen);
        model.check();
    });
}

/// One trial succeeds while another fails: the first verdict ends the half-open state, and the
/// other is stale.
pub fn trial_results_end_half_open_once() {
    explore(3, || {
        let config = BreakerConfig {
            half_open_max_calls: 2,
            ..half_opens_at_once()
        };
        let model = Model::new(2, config);
        model.fail_once(0);
        let (one, other) = model.sent(0).zip(model.sent(0)).expect("two trials");
        let succeeds = model.spawn(move |model| model.succeed(one));
        let fails = model.spawn(move |model| model.fail(other));
        let in_flight = model.regions[0].snapshot(model.now).in_flight;
        assert!(in_flight <= 2);
        join([succeeds, fails]);
        let closed = model.transitions_to(CircuitState::Closed);
        let opened = model.transitions_to(CircuitState::Open);
        let half_opened = model.transitions_to(CircuitState::HalfOpen);
        assert_eq!(
            (closed + opened, half_opened),
            (2, 1),
            "open, half-open, then closed or open"
        );
        assert_eq!(model.state(0) == CircuitState::Closed, closed == 1);
        model.check();
    });
}
