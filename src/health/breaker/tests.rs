//! The circuit's life in one-line scripts, and what holds for all of them.
//!
//! A script is a list of steps; what it says is the state after each step that is not a wait: `c`losed, `o`pen, `h`alf-open, `-` for
//! an admission that was refused, `~` for one that may wait.
//!
//! `s` `f` `t`: a call that succeeds, fails, is throttled. `a1`: a call is admitted and held as 1; `e1`: the same as the last resort.
//! `s1` `f1` `t1`: its verdict; `x1`: its caller goes away; `h1`: headers; `w1` `i1`: its caller waits, or does not. `p`: another
//! region has recovered. `+30s`: time passes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rand::SeedableRng;

use super::*;
use crate::health::config::AllOpen;
use crate::settings::Ratio;
use crate::time::now;

struct World {
    breaker: Breaker,
    now: Instant,
    held: BTreeMap<String, Ticket>,
}

impl World {
    fn new(config: BreakerConfig) -> Self {
        let now = now();
        Self { breaker: Breaker::new(Arc::new(config), SmallRng::seed_from_u64(1), now), now, held: BTreeMap::new() }
    }

    fn step(&mut self, step: &str) -> Option<String> {
        if let Some(time) = step.strip_prefix('+') {
            self.now += humantime(time);
            return None;
        }
        let (act, name) = step.split_at(1);
        Some(match (act, name) {
            ("p", "") => self.after(|breaker, now| breaker.on_peer_recovered(now)),
            ("a", name) => self.admit(name),
            ("e", name) => self.admit_early(name),
            (verdict, "") => match self.breaker.admit(self.now).0 {
                Some(ticket) => self.verdict(verdict, ticket),
                None => "-".into(),
            },
            ("h" | "w" | "i", name) => self.verdict(act, self.held[name]),
            (verdict, name) => {
                let ticket = self.held.remove(name).unwrap();
                self.verdict(verdict, ticket)
            }
        })
    }

    fn admit(&mut self, name: &str) -> String {
        let Some(ticket) = self.breaker.admit(self.now).0 else {
            return "-".into();
        };
        self.held.insert(name.into(), ticket);
        self.state()
    }

    fn admit_early(&mut self, name: &str) -> String {
        match self.breaker.admit_early(self.now).0 {
            EarlyAnswer::Admitted(ticket) => {
                self.held.insert(name.into(), ticket);
                self.state()
            }
            EarlyAnswer::InFlight { .. } => "~".into(),
            EarlyAnswer::Refused { .. } => "-".into(),
        }
    }

    fn verdict(&mut self, verdict: &str, ticket: Ticket) -> String {
        self.after(|breaker, now| match verdict {
            "s" => breaker.on_success(ticket, now),
            "f" => breaker.on_failure(ticket, now),
            "t" => breaker.on_throttle(ticket, now),
            "x" => breaker.on_cancel(ticket, now, false),
            "h" => {
                breaker.on_answer(ticket, now);
                None
            }
            "w" => {
                breaker.on_wait(ticket, now);
                None
            }
            "i" => {
                breaker.on_idle(ticket, now);
                None
            }
            other => panic!("no step {other}"),
        })
    }

    fn after(&mut self, act: impl FnOnce(&mut Breaker, Instant) -> Option<Transition>) -> String {
        act(&mut self.breaker, self.now);
        self.state()
    }

    fn state(&self) -> String {
        match self.breaker.state() {
            CircuitState::Closed => "c",
            CircuitState::Open => "o",
            CircuitState::HalfOpen => "h",
        }
        .into()
    }
}

fn humantime(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(ms) => Duration::from_millis(ms.parse().unwrap()),
        None => Duration::from_secs(text.strip_suffix('s').unwrap().parse().unwrap()),
    }
}

fn plain() -> BreakerConfig {
    BreakerConfig { jitter: Ratio::literal(0.0), ..Default::default() }
}

fn check_with(config: BreakerConfig, script: &str, expected: &str) {
    let mut world = World::new(config);
    let states: Vec<_> = script.split_whitespace().filter_map(|step| world.step(step)).collect();
    assert_eq!(states.join(" "), expected, "{script}");
}

fn check(script: &str, expected: &str) {
    check_with(plain(), script, expected);
}

#[test]
fn five_failures_in_a_row_open_it() {
    check("f f f f f s", "c c c c o -");
    check("f f f f s f f f f s", "c c c c c c c c c c");
}

#[test]
fn half_of_twenty_calls_open_it_though_never_five_in_a_row() {
    check(&"s f ".repeat(10), &format!("{}o", "c ".repeat(19)));
    check(&"s s f ".repeat(20), "c ".repeat(60).trim_end());
    check(&format!("{} +11s {}", "s f ".repeat(9), "s f"), "c ".repeat(20).trim_end());
}

#[test]
fn throttling_neither_counts_nor_interrupts_the_run() {
    check("f f f f t f", "c c c c c o");
    check(&"t ".repeat(19), "c ".repeat(19).trim_end());
}

#[test]
fn throttling_that_lasts_opens_it() {
    check(&"t ".repeat(20), &format!("{}o", "c ".repeat(19)));
    check(&"t t t t s ".repeat(5), &format!("{}o - - - -", "c ".repeat(20)));
    check(&"t t t s ".repeat(20), "c ".repeat(80).trim_end());
    check(&"t t t t t t t t t +31s ".repeat(5), "c ".repeat(45).trim_end());
}

#[test]
fn after_its_time_one_trial_at_a_time_and_two_successes_close_it() {
    check("f f f f f +29s a1 +1s a1 a2 s1 a2 s2", "c c c c o - h - h h c");
}

#[test]
fn a_failed_trial_doubles_the_open_time_up_to_its_maximum() {
    check("f f f f f +30s f +59s s +1s f +59s s +1s s", "c c c c o o - o - h");
}

#[test]
fn it_starts_from_the_first_open_time_once_it_has_stayed_closed_as_long_as_it_was_open() {
    let reopened = "f f f f f +30s f +60s s s";
    check(&format!("{reopened} +59s f f f f f +59s s +1s s"), "c c c c o o h c c c c c o - h");
    check(&format!("{reopened} +60s f f f f f +29s s +1s s"), "c c c c o o h c c c c c o - h");
}

#[test]
fn a_throttled_trial_opens_it_again_without_doubling() {
    check("f f f f f +30s t +29s s +1s s", "c c c c o o - h");
}

#[test]
fn a_straggler_from_before_the_transition_is_ignored() {
    check("a1 a2 f f f f f s1 +30s s f2 s", "c c c c c c o o h h c");
    check("a1 f f f f f +30s s s f1 f f f f", "c c c c c o h c c c c c c");
}

#[test]
fn a_success_from_before_it_opened_closes_nothing() {
    check("a1 a2 f f f f f +30s s s1 s2 s", "c c c c c c o h h h c");
}

#[test]
fn a_cancelled_trial_frees_its_slot_a_second_later() {
    check("f f f f f +30s a1 x1 s +999ms s +1ms s s", "c c c c o h h - - h c");
}

#[test]
fn the_half_open_clock_adds_up_over_cancelled_trials() {
    let cancelled = "+1s a1 +9s x1 ";
    check(&format!("f f f f f +30s {} +1s s", cancelled.repeat(4)), "c c c c o h h h h h h h o -");
}

#[test]
fn the_half_open_clock_does_not_run_while_the_caller_sits_on_its_body() {
    check("f f f f f +30s a1 h1 +3600s s1 s", "c c c c o h h h c");
    check("f f f f f +30s a1 h1 w1 +31s a2", "c c c c o h h h -");
}

#[test]
fn a_body_that_nobody_polls_gives_its_slot_back_and_its_end_still_counts() {
    check("f f f f f +30s a1 h1 +999ms a2 +1ms a2 s2 s1", "c c c c o h h - h h c");
}

#[test]
fn as_the_last_resort_it_is_asked_early_once_a_second() {
    check("f f f f f e1 e2 f1 e2 +999ms e2 +1ms e2", "c c c c o h ~ o - - h");
}

#[test]
fn a_failed_early_probe_leaves_the_open_time_as_it_was() {
    check("f f f f f +10s e1 f1 +19s s +1s s s", "c c c c o h o - h c");
}

#[test]
fn an_abandoned_early_probe_leaves_it_open_as_it_was() {
    check("f f f f f +10s e1 x1 +19s s +1s s s", "c c c c o h o - h c");
}

#[test]
fn the_last_resort_frees_its_slot_at_its_headers_and_its_end_decides() {
    check("f f f f f e1 h1 e2 h2 s1 s2", "c c c c o h h h h h c");
    check("f f f f f e1 h1 e2 f1 s2", "c c c c o h h h o o");
}

#[test]
fn fail_fast_never_asks_early() {
    let config = BreakerConfig { all_open: AllOpen::FailFast, ..plain() };
    check_with(config, "f f f f f e1 +30s e1 e2", "c c c c o - h -");
}

#[test]
fn the_recovery_of_a_peer_opens_the_door_at_once() {
    check("f f f f f p s s", "c c c c o h h c");
    check("f f f f f +30s f p f +29s s +1s s", "c c c c o o h o - h");
}

#[test]
fn without_circuits_nothing_opens() {
    check_with(BreakerConfig { enabled: false, ..plain() }, &"f ".repeat(50), "c ".repeat(50).trim_end());
}

#[test]
fn several_trials_may_pass_where_that_is_set() {
    check_with(BreakerConfig { half_open_max_calls: 2, ..plain() }, "f f f f f +30s a1 a2 a3 s1 s2", "c c c c o h h - h c");
}

#[test]
fn the_share_climbs_back_over_the_ramp() {
    let mut world = World::new(plain());
    for step in "f f f f f +30s s s".split_whitespace() {
        world.step(step);
    }
    let mut share_after = |time| {
        world.now += time;
        match world.breaker.standing(world.now) {
            Standing::Closed { share } => (share * 100.0).round(),
            other => panic!("{other:?}"),
        }
    };
    let half = Duration::from_secs(5);
    assert_eq!([share_after(Duration::ZERO), share_after(half), share_after(half), share_after(half)], [10.0, 55.0, 100.0, 100.0]);
}

#[test]
fn jitter_spreads_the_open_time_by_a_tenth_each_way() {
    let open_time = |seed| {
        let mut breaker = Breaker::new(Arc::default(), SmallRng::seed_from_u64(seed), now());
        let start = now();
        for _ in 0..5 {
            let ticket = breaker.admit(start).0.unwrap();
            breaker.on_failure(ticket, start);
        }
        match breaker.standing(start) {
            Standing::Open { retry_after } => retry_after.as_secs_f64(),
            other => panic!("{other:?}"),
        }
    };
    let times: Vec<f64> = (0..200).map(open_time).collect();
    assert!(times.iter().all(|time| (27.0..=33.0).contains(time)));
    assert!(times.iter().any(|time| *time < 28.0) && times.iter().any(|time| *time > 32.0));
}

proptest! {
    /// Whatever happens, at most one trial waits for the region, and the circuit leaves `closed` only for a reason.
    #[test]
    fn it_opens_only_by_threshold_and_tries_one_at_a_time(steps in prop::collection::vec((0u8..9, 0u64..8_000), 1..200)) {
        let mut world = World::new(plain());
        let (mut run, mut names) = (0u32, 0u32);
        for (act, wait) in steps {
            world.now += Duration::from_millis(wait);
            let before = world.state();
            match act {
                0 | 1 => { names += 1; world.admit(&names.to_string()); }
                2 => { names += 1; world.admit_early(&names.to_string()); }
                3..=7 => {
                    let Some((_, ticket)) = world.held.pop_first() else { continue };
                    let counts = ticket.era == world.breaker.era && before == "c";
                    let verdict = ["s", "f", "t", "x", "f"][usize::from(act - 3)];
                    world.verdict(verdict, ticket);
                    run = match verdict { "s" if counts => 0, "f" if counts => run + 1, _ => run };
                }
                _ => { world.step("p"); }
            }
            if before == "c" && world.state() == "o" {
                prop_assert!(run >= 5 || world.breaker.config.minimum_calls <= names, "opened after {run}");
            }
            if world.state() != "c" { run = 0; }
            if let State::HalfOpen(half) = &world.breaker.state {
                let waiting = half.trials.iter().filter(|trial| matches!(trial.phase, Phase::Waiting(_))).count();
                prop_assert!(waiting <= 1, "{waiting} trials at once");
            }
        }
    }
}
