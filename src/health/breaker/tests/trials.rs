//! Trials, the half-open state and last-resort attempts, as scripts.

use super::*;

#[test]
fn two_successful_trials_close() {
    check(
        "f f f f f +29s a1 +1s a1 a2 s1 a2 s2",
        "c c c c o - h - h h c",
    );
}

#[test]
fn failed_trial_doubles_open_time_up_to_maximum() {
    check(
        "f f f f f +30s f +59s s +1s f +59s s +1s s",
        "c c c c o o - o - h",
    );
}

#[test]
fn open_time_starts_over_after_staying_closed() {
    let reopened = "f f f f f +30s f +60s s s";
    check(
        &format!("{reopened} +59s f f f f f +59s s +1s s"),
        "c c c c o o h c c c c c o - h",
    );
    check(
        &format!("{reopened} +60s f f f f f +29s s +1s s"),
        "c c c c o o h c c c c c o - h",
    );
}

#[test]
fn throttled_trial_opens_without_doubling() {
    check("f f f f f +30s t +29s s +1s s", "c c c c o o - h");
}

#[test]
fn verdict_from_earlier_epoch_is_ignored() {
    check("a1 a2 f f f f f s1 +30s s f2 s", "c c c c c c o o h h c");
    check(
        "a1 f f f f f +30s s s f1 f f f f",
        "c c c c c o h c c c c c c",
    );
}

#[test]
fn success_from_earlier_epoch_does_not_close() {
    check("a1 a2 f f f f f +30s s s1 s2 s", "c c c c c c o h h h c");
}

#[test]
fn cancelled_trial_frees_slot_after_cooldown() {
    check(
        "f f f f f +30s a1 x1 s +999ms s +1ms s s",
        "c c c c o h h - - h c",
    );
}

#[test]
fn half_open_timeout_accumulates_over_cancelled_trials() {
    let cancelled = "+1s a1 +9s x1 ";
    check(
        &format!("f f f f f +30s {} +1s s", cancelled.repeat(4)),
        "c c c c o h h h h h h h o -",
    );
}

#[test]
fn half_open_timeout_stops_while_body_is_not_polled() {
    check("f f f f f +30s a1 h1 +3600s s1 s", "c c c c o h h h c");
    check("f f f f f +30s a1 h1 w1 +31s a2", "c c c c o h h h -");
}

#[test]
fn unpolled_body_frees_slot_and_keeps_verdict() {
    check(
        "f f f f f +30s a1 h1 +999ms a2 +1ms a2 s2 s1",
        "c c c c o h h - h h c",
    );
}

#[test]
fn last_resort_is_admitted_once_per_interval() {
    check(
        "f f f f f e1 e2 f1 e2 +999ms e2 +1ms e2",
        "c c c c o h ~ o - - h",
    );
}

#[test]
fn failed_last_resort_keeps_open_time() {
    check("f f f f f +10s e1 f1 +19s s +1s s s", "c c c c o h o - h c");
}

#[test]
fn cancelled_last_resort_keeps_open_time() {
    check("f f f f f +10s e1 x1 +19s s +1s s s", "c c c c o h o - h c");
}

#[test]
fn last_resort_frees_slot_at_headers() {
    check("f f f f f e1 h1 e2 h2 s1 s2", "c c c c o h h h h h c");
    check("f f f f f e1 h1 e2 f1 s2", "c c c c o h h h o o");
}

#[test]
fn fail_fast_admits_no_last_resort() {
    let config = BreakerConfig {
        all_open: AllOpen::FailFast,
        ..without_jitter()
    };
    check_with(config, "f f f f f e1 +30s e1 e2", "c c c c o - h -");
}

#[test]
fn peer_recovery_allows_trial_at_once() {
    check("f f f f f p s s", "c c c c o h h c");
    check("f f f f f +30s f p f +29s s +1s s", "c c c c o o h o - h");
}
