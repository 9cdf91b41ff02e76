//! Lives of stores over simulated regions, drawn from seeds: what must never happen does not.
//!
//! `SIM_SEED=n cargo test --test simulation` lives that one life and shows its last lines; `SIM_SEED=n SIM_TRACE=file` writes its whole trace.
//! Seeds that have failed are kept in `tests/simulation/seeds.txt`.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

use std::time::{SystemTime, UNIX_EPOCH};

use object_store_failover::simulation::Simulation;

/// At least so many operations of fresh lives.
const OPERATIONS: u64 = 20_000;

#[test]
fn what_must_never_happen_does_not() {
    if let Ok(seed) = std::env::var("SIM_SEED") {
        return replay(seed.parse().expect("SIM_SEED is a number"));
    }
    let first = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    println!("simulated lives from seed {first} on; SIM_SEED=n replays one");
    let (mut seed, mut operations, mut attempts) = (first, 0, 0);
    while operations < OPERATIONS {
        let report = Simulation::of(seed).run();
        assert!(report.violations.is_empty(), "SIM_SEED={seed} replays it\n{report}");
        (seed, operations, attempts) = (seed + 1, operations + report.operations, attempts + report.attempts);
    }
    println!("{} lives, {operations} operations, {attempts} attempts", seed - first);
}

#[test]
fn seeds_that_have_failed_fail_no_more() {
    for line in include_str!("simulation/seeds.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (seed, why) = line.split_once(' ').expect("a seed, and why it is kept");
        let report = Simulation::of(seed.parse().unwrap()).run();
        assert!(report.violations.is_empty(), "{why}\n{report}");
    }
}

/// Whatever is not drawn from the seed (the order of a hash map, a clock, another thread) would show as another trace.
#[test]
fn the_same_seed_is_the_same_life_to_the_last_line() {
    for seed in 1..=12 {
        let live = || Simulation::of(seed).operations(150).keep_trace().run();
        let (one, other) = (live(), live());
        assert_eq!(one.trace, other.trace, "seed {seed}");
        assert_eq!(one.digest, other.digest, "seed {seed}");
        assert_ne!(one.digest, Simulation::of(seed + 1).operations(150).run().digest);
    }
}

fn replay(seed: u64) {
    let report = Simulation::of(seed).keep_trace().run();
    if let Ok(file) = std::env::var("SIM_TRACE") {
        std::fs::write(&file, report.trace.as_deref().unwrap_or_default()).unwrap();
    }
    println!("{report}");
    assert!(report.violations.is_empty(), "seed {seed}");
}
