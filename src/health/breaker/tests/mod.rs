//! Scripts of circuit states, and properties of random scripts.
//!
//! A script is a list of steps. The expected text lists the state after each step except pauses:
//! `c`losed, `o`pen, `h`alf-open, `-` for a refused admission, `~` for one that may wait.
//!
//! | step | meaning |
//! |---|---|
//! | `s` `f` `t` | a call that succeeds, fails, is throttled |
//! | `a1` | admits a call and keeps its ticket as 1 |
//! | `e1` | the same as a last-resort attempt |
//! | `s1` `f1` `t1` | the verdict of call 1 |
//! | `x1` | call 1 is cancelled |
//! | `h1` | response headers of call 1 |
//! | `w1` `i1` | the caller of call 1 waits for the next byte; it does not |
//! | `p` | another region recovers |
//! | `+30s` | time passes |

mod trials;

use std::collections::BTreeMap;

use proptest::prelude::*;
use rand::SeedableRng;

use super::*;
use crate::health::config::AllOpen;
use crate::runtime::clock::now;
use crate::settings::Ratio;

struct Script {
    breaker: Breaker,
    now: Instant,
    tickets: BTreeMap<String, Ticket>,
}

impl Script {
    fn new(config: BreakerConfig) -> Self {
        let now = now();
        Self {
            breaker: Breaker::new(Arc::new(config), SmallRng::seed_from_u64(1), now),
            now,
            tickets: BTreeMap::new(),
        }
    }

    fn step(&mut self, step: &str) -> Option<String> {
        if let Some(time) = step.strip_prefix('+') {
            self.now += parse_duration(time);
            return None;
        }
        let (act, name) = step.split_at(1);
        Some(match (act, name) {
            ("p", "") => self.after(|breaker, now| breaker.on_peer_recovered(now)),
            ("a", name) => self.admit(name),
            ("e", name) => self.admit_last_resort(name),
            (verdict, "") => match self.breaker.admit(self.now).0 {
                Some(ticket) => self.verdict(verdict, ticket),
                None => "-".into(),
            },
            ("h" | "w" | "i", name) => self.verdict(act, self.tickets[name]),
            (verdict, name) => {
                let ticket = self.tickets.remove(name).unwrap();
                self.verdict(verdict, ticket)
            }
        })
    }

    fn admit(&mut self, name: &str) -> String {
        let Some(ticket) = self.breaker.admit(self.now).0 else {
            return "-".into();
        };
        self.tickets.insert(name.into(), ticket);
        self.state()
    }

    fn admit_last_resort(&mut self, name: &str) -> String {
        match self.breaker.admit_last_resort(self.now).0 {
            LastResortDecision::Admitted(ticket) => {
                self.tickets.insert(name.into(), ticket);
                self.state()
            }
            LastResortDecision::InFlight { .. } => "~".into(),
            LastResortDecision::Refused { .. } => "-".into(),
        }
    }

    fn verdict(&mut self, verdict: &str, ticket: Ticket) -> String {
        self.after(|breaker, now| match verdict {
            "s" => breaker.on_success(ticket, now),
            "f" => breaker.on_failure(ticket, now),
            "t" => breaker.on_throttle(ticket, now),
            "x" => breaker.on_cancel(ticket, now, false),
            "h" => {
                breaker.on_response(ticket, now);
                None
            }
            "w" => {
                breaker.on_body_wait(ticket, now);
                None
            }
            "i" => {
                breaker.on_body_progress(ticket, now);
                None
            }
            other => panic!("no step {other}"),
        })
    }

    fn after(&mut self, act: impl FnOnce(&mut Breaker, Instant) -> Option<Transition>) -> String {
        act(&mut self.breaker, self.now);
        self.state()
    }

    /// Trials that wait for the region.
    fn waiting_trials(&self) -> usize {
        let State::HalfOpen(half_open) = &self.breaker.state else {
            return 0;
        };
        let waits =
            |trial: &&half_open::Trial| matches!(trial.phase, TrialPhase::WaitingForRegion(_));
        half_open.trials.iter().filter(waits).count()
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

fn parse_duration(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(ms) => Duration::from_millis(ms.parse().unwrap()),
        None => Duration::from_secs(text.strip_suffix('s').unwrap().parse().unwrap()),
    }
}

fn without_jitter() -> BreakerConfig {
    BreakerConfig {
        jitter: Ratio::literal(0.0),
        ..Default::default()
    }
}

fn check_with(config: BreakerConfig, steps: &str, expected: &str) {
    let mut script = Script::new(config);
    let states: Vec<_> = steps
        .split_whitespace()
        .filter_map(|step| script.step(step))
        .collect();
    assert_eq!(states.join(" "), expected, "{steps}");
}

fn check(steps: &str, expected: &str) {
    check_with(without_jitter(), steps, expected);
}

#[test]
fn consecutive_failures_open() {
    check("f f f f f s", "c c c c o -");
    check("f f f f s f f f f s", "c c c c c c c c c c");
}

#[test]
fn failure_rate_opens_without_consecutive_failures() {
    check(&"s f ".repeat(10), &format!("{}o", "c ".repeat(19)));
    check(&"s s f ".repeat(20), "c ".repeat(60).trim_end());
    check(
        &format!("{} +11s {}", "s f ".repeat(9), "s f"),
        "c ".repeat(20).trim_end(),
    );
}

#[test]
fn throttling_keeps_consecutive_failures() {
    check("f f f f t f", "c c c c c o");
    check(&"t ".repeat(19), "c ".repeat(19).trim_end());
}

#[test]
fn lasting_throttling_opens() {
    check(&"t ".repeat(20), &format!("{}o", "c ".repeat(19)));
    check(
        &"t t t t s ".repeat(5),
        &format!("{}o - - - -", "c ".repeat(20)),
    );
    check(&"t t t s ".repeat(20), "c ".repeat(80).trim_end());
    check(
        &"t t t t t t t t t +31s ".repeat(5),
        "c ".repeat(45).trim_end(),
    );
}

#[test]
fn disabled_circuit_never_opens() {
    check_with(
        BreakerConfig {
            enabled: false,
            ..without_jitter()
        },
        &"f ".repeat(50),
        "c ".repeat(50).trim_end(),
    );
}

#[test]
fn half_open_max_calls_admits_several_trials() {
    check_with(
        BreakerConfig {
            half_open_max_calls: 2,
            ..without_jitter()
        },
        "f f f f f +30s a1 a2 a3 s1 s2",
        "c c c c o h h - h c",
    );
}

#[test]
fn share_ramps_up_after_recovery() {
    let mut script = Script::new(without_jitter());
    for step in "f f f f f +30s s s".split_whitespace() {
        script.step(step);
    }
    let mut share_after = |time| {
        script.now += time;
        match script.breaker.availability(script.now) {
            Availability::Closed { share } => (share * 100.0).round(),
            other => panic!("{other:?}"),
        }
    };
    let half = Duration::from_secs(5);
    assert_eq!(
        [
            share_after(Duration::ZERO),
            share_after(half),
            share_after(half),
            share_after(half)
        ],
        [10.0, 55.0, 100.0, 100.0]
    );
}

#[test]
fn jitter_varies_open_time_by_a_tenth() {
    let open_time = |seed| {
        let mut breaker = Breaker::new(Arc::default(), SmallRng::seed_from_u64(seed), now());
        let start = now();
        for _ in 0..5 {
            let ticket = breaker.admit(start).0.unwrap();
            breaker.on_failure(ticket, start);
        }
        match breaker.availability(start) {
            Availability::Open { retry_after } => retry_after.as_secs_f64(),
            other => panic!("{other:?}"),
        }
    };
    let times: Vec<f64> = (0..200).map(open_time).collect();
    assert!(times.iter().all(|time| (27.0..=33.0).contains(time)));
    assert!(times.iter().any(|time| *time < 28.0) && times.iter().any(|time| *time > 32.0));
}

proptest! {
    /// At most one trial waits for the region, and the circuit opens only on a trip condition.
    #[test]
    fn opens_only_on_threshold_with_one_trial_at_a_time(
        steps in prop::collection::vec((0u8..9, 0u64..8_000), 1..200),
    ) {
        let mut script = Script::new(without_jitter());
        let (mut failures, mut names) = (0u32, 0u32);
        for (act, wait) in steps {
            script.now += Duration::from_millis(wait);
            let before = script.state();
            match act {
                0 | 1 => {
                    names += 1;
                    script.admit(&names.to_string());
                }
                2 => {
                    names += 1;
                    script.admit_last_resort(&names.to_string());
                }
                3..=7 => {
                    let Some((_, ticket)) = script.tickets.pop_first() else { continue };
                    let counts = script.breaker.is_current(ticket) && before == "c";
                    let verdict = ["s", "f", "t", "x", "f"][usize::from(act - 3)];
                    script.verdict(verdict, ticket);
                    failures = match verdict {
                        "s" if counts => 0,
                        "f" if counts => failures + 1,
                        _ => failures,
                    };
                }
                _ => {
                    script.step("p");
                }
            }
            if before == "c" && script.state() == "o" {
                let may_be_rate = script.breaker.config.minimum_calls <= names;
                prop_assert!(failures >= 5 || may_be_rate, "opened after {failures}");
            }
            if script.state() != "c" {
                failures = 0;
            }
            prop_assert!(script.waiting_trials() <= 1);
        }
    }
}
