//! Each model of `src/health/models`, by its name.

use object_store_failover_models::models;

macro_rules! models {
    ($($model:ident)+) => { $(#[test] fn $model() { models::$model(); })+ };
}

models! {
    a_recovery_is_heard_of
    a_tally_adds_up
    a_trial_that_fails_beside_one_that_succeeds
    an_heir_is_found
    an_opening_meets_a_success
    nobody_waits_for_ever
    operators_meet_failures
    stragglers_say_nothing_of_how_it_is_now
    trials_stay_within_their_number
    two_operators_leave_one_word
    two_regions_open_at_once
    whoever_opens_knows_its_stragglers
    whoever_went_away_is_passed_by
}
