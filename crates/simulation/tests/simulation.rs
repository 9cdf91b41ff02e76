//! Random runs and kept seeds: no run violates an invariant, and runs are reproducible.
//!
//! `SIM_SEED=n cargo test -p object_store_failover_simulation --test simulation` repeats one run
//! and prints its report; with `SIM_TRACE=file` it writes the whole trace too. Seeds that showed an
//! error are kept in `seeds.txt`.

use std::time::{SystemTime, UNIX_EPOCH};

use object_store_failover_simulation::Simulation;

/// At least so many operations of random runs.
const OPERATIONS: u64 = 20_000;

#[test]
fn random_runs_keep_invariants() {
    if let Ok(seed) = std::env::var("SIM_SEED") {
        return replay(seed.parse().expect("SIM_SEED is a number"));
    }
    let first = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    println!("runs from seed {first}; SIM_SEED=n repeats one");
    let (mut seed, mut operations, mut attempts) = (first, 0, 0);
    while operations < OPERATIONS {
        let report = Simulation::of(seed).run();
        assert!(
            report.violations.is_empty(),
            "SIM_SEED={seed} repeats it\n{report}"
        );
        seed += 1;
        operations += report.operations;
        attempts += report.attempts;
    }
    let runs = seed - first;
    println!("{runs} runs, {operations} operations, {attempts} attempts");
}

#[test]
fn kept_seeds_keep_invariants() {
    for line in include_str!("seeds.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let (seed, reason) = line.split_once(' ').expect("a seed and a reason");
        let report = Simulation::of(seed.parse().unwrap()).run();
        assert!(report.violations.is_empty(), "{reason}\n{report}");
    }
}

/// Anything that is not derived from the seed (the order of a hash map, a clock, another thread)
/// would show as a different trace.
#[test]
fn same_seed_gives_same_trace() {
    for seed in 1..=12 {
        let run = || Simulation::of(seed).operations(150).keep_trace().run();
        let (one, other) = (run(), run());
        assert_eq!(one.trace, other.trace, "seed {seed}");
        assert_eq!(one.digest, other.digest, "seed {seed}");
        let next = Simulation::of(seed + 1).operations(150).run();
        assert_ne!(one.digest, next.digest);
    }
}

fn replay(seed: u64) {
    let report = Simulation::of(seed).keep_trace().run();
    if let Ok(file) = std::env::var("SIM_TRACE") {
        let trace = report.trace.as_deref().unwrap_or_default();
        std::fs::write(&file, trace).expect("SIM_TRACE is writable");
    }
    println!("{report}");
    assert!(report.violations.is_empty(), "seed {seed}");
}
