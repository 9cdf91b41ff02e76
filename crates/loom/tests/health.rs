//! One test for each model of `src/health/models`.

use failover_loom::health::models;

macro_rules! models {
    ($($model:ident)+) => { $(#[test] fn $model() { models::$model(); })+ };
}

models! {
    attempt_counters_add_up
    cancelled_waiter_is_skipped
    concurrent_overrides_agree
    dropped_trial_is_handed_over
    every_waiter_is_resolved
    opener_rejects_stale_success
    overrides_race_failures
    recovery_reaches_peers
    stale_results_change_nothing
    success_races_opening
    trial_results_end_half_open_once
    trials_stay_within_limit
    two_regions_open_at_once
}
