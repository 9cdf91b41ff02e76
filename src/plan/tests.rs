//! Orders and plans of single turns.

use std::time::Duration;

use proptest::prelude::*;

use super::policy::{nearest, random, round_robin};
use super::*;
use crate::settings::Ratio;
use crate::types::Operation;

fn weights(values: &[u32]) -> Weights {
    Weights::new(values.to_vec())
}

/// The regions of one order in sequence, while all circuits are closed.
fn sequence(order: Order, weights: &Weights, rng: &SeededRng) -> Vec<usize> {
    sequence_with(order, weights, rng, None)
}

fn sequence_with(
    order: Order,
    weights: &Weights,
    rng: &SeededRng,
    availabilities: Option<&[Availability]>,
) -> Vec<usize> {
    let mut untried = RegionSet::first(weights.len());
    let plan = Plan::new(
        order,
        availabilities,
        untried,
        untried,
        RegionSet::default(),
        weights,
        rng,
    );
    let mut sequence = Vec::new();
    while let Some(region) = plan.next(untried, weights, rng) {
        untried.remove(region);
        sequence.push(region);
    }
    sequence
}

fn seeded() -> SeededRng {
    SeededRng::new(Some(7))
}

const IN_USE: Availability = Availability::Closed { share: 1.0 };
const OPEN: Availability = Availability::Open {
    retry_after: Duration::from_secs(9),
};

#[test]
fn round_robin_spreads_starts_and_successors_evenly() {
    let (weights, rng) = (weights(&[1, 1, 1, 1]), seeded());
    let orders: Vec<_> = (0..12)
        .map(|turn| sequence(round_robin(turn, &weights), &weights, &rng))
        .collect();
    assert_eq!(
        orders[..5],
        [
            vec![0, 1, 2, 3],
            vec![1, 2, 3, 0],
            vec![2, 3, 0, 1],
            vec![3, 0, 1, 2],
            vec![0, 2, 3, 1]
        ]
    );
    let after_zero: Vec<_> = orders
        .iter()
        .filter(|order| order[0] == 0)
        .map(|order| order[1])
        .collect();
    assert_eq!(after_zero, [1, 2, 3]);
}

#[test]
fn load_of_a_failed_region_is_spread_evenly() {
    let (weights, rng) = (weights(&[1, 1, 1, 1]), seeded());
    let mut load = [0; 4];
    for turn in 0..1200 {
        let order = sequence(round_robin(turn, &weights), &weights, &rng);
        load[*order.iter().find(|region| **region != 2).unwrap()] += 1;
    }
    assert_eq!(load, [400, 400, 0, 400]);
}

#[test]
fn weights_are_exact_and_zero_comes_last() {
    let (weights, rng) = (weights(&[3, 0, 1, 4]), seeded());
    let mut firsts = [0; 4];
    for turn in 0..800 {
        let order = sequence(round_robin(turn, &weights), &weights, &rng);
        firsts[order[0]] += 1;
        assert_eq!(order[3], 1, "weight 0 comes last");
    }
    assert_eq!(firsts, [300, 0, 100, 400]);
}

#[test]
fn successors_are_drawn_by_weight() {
    let (weights, rng) = (weights(&[1, 1, 8]), seeded());
    let orders: Vec<_> = (0..10_000)
        .map(|turn| sequence(round_robin(turn, &weights), &weights, &rng))
        .collect();
    let after_zero: Vec<_> = orders
        .iter()
        .filter(|order| order[0] == 0)
        .map(|order| order[1])
        .collect();
    let share =
        after_zero.iter().filter(|region| **region == 2).count() as f64 / after_zero.len() as f64;
    assert!((0.84..0.94).contains(&share), "share {share}, expected 8/9");
}

#[test]
fn nearest_uses_configured_order_except_for_canaries() {
    let (weights, rng) = (weights(&[1, 1, 1]), seeded());
    let order = |turn, canary| {
        sequence(
            nearest(turn, 3, Ratio::literal(canary), &rng),
            &weights,
            &rng,
        )
    };
    assert_eq!(order(0, 0.0), [0, 1, 2]);
    assert_eq!(
        (order(0, 1.0), order(1, 1.0)),
        (vec![1, 0, 2], vec![2, 0, 1])
    );
    let canaries = (0..10_000)
        .filter(|turn| order(*turn, 0.01)[0] != 0)
        .count();
    assert!(
        (60..150).contains(&canaries),
        "{canaries} canaries of 10,000, expected 1 %"
    );
}

#[test]
fn random_starts_in_every_region() {
    let (weights, rng) = (weights(&[1, 1, 1]), seeded());
    let mut firsts = [0; 3];
    for _ in 0..3000 {
        firsts[sequence(random(&weights, &rng), &weights, &rng)[0]] += 1;
    }
    assert!(
        firsts.iter().all(|count| (880..1120).contains(count)),
        "{firsts:?}"
    );
}

#[test]
fn each_operation_has_its_own_random_counter() {
    let rng = seeded();
    let starts = |seed| {
        let rotation = Rotation::new(
            RotationConfig::default(),
            vec![1; 3],
            &SeededRng::new(Some(seed)),
        );
        [
            Operation::Head,
            Operation::Get,
            Operation::Head,
            Operation::Get,
        ]
        .map(|operation| rotation.next_order(operation, &rng).start)
    };
    let [head, get, next_head, next_get] = starts(1);
    assert_eq!((next_head, next_get), ((head + 1) % 3, (get + 1) % 3));
    let first: Vec<_> = (0..60).map(|seed| starts(seed)[1]).collect();
    assert!(
        (0..3).all(|region| first.contains(&region)),
        "processes start in different regions: {first:?}"
    );
}

#[test]
fn region_with_open_circuit_is_not_planned() {
    let (weights, rng) = (weights(&[1; 4]), seeded());
    let availabilities = [IN_USE, OPEN, Availability::Drained, IN_USE];
    assert_eq!(
        sequence_with(
            round_robin(1, &weights),
            &weights,
            &rng,
            Some(&availabilities)
        ),
        [3, 0]
    );
}

#[test]
fn region_due_for_a_trial_comes_first() {
    let (weights, rng) = (weights(&[1; 4]), seeded());
    let availabilities = [
        IN_USE,
        Availability::TrialDue,
        Availability::TrialDue,
        IN_USE,
    ];
    assert_eq!(
        sequence_with(
            round_robin(0, &weights),
            &weights,
            &rng,
            Some(&availabilities)
        ),
        [1, 0, 3]
    );
    let none_in_use = [OPEN, Availability::TrialDue, Availability::TrialDue, OPEN];
    assert_eq!(
        sequence_with(round_robin(0, &weights), &weights, &rng, Some(&none_in_use)),
        [0; 0]
    );
}

#[test]
fn ramping_region_keeps_its_share_of_first_attempts() {
    let (weights, rng) = (weights(&[1; 2]), seeded());
    let availabilities = [Availability::Closed { share: 0.3 }, IN_USE];
    let orders: Vec<_> = (0..4000)
        .map(|turn| {
            sequence_with(
                round_robin(turn, &weights),
                &weights,
                &rng,
                Some(&availabilities),
            )
        })
        .collect();
    assert!(orders.iter().all(|order| order.len() == 2));
    let first = orders.iter().filter(|order| order[0] == 0).count();
    assert!(
        (520..680).contains(&first),
        "{first} of 2,000, expected 30 %"
    );
}

proptest! {
    /// Holds for every policy, weight and turn.
    #[test]
    fn plan_contains_every_region_in_use_once(
        values in prop::collection::vec(0u32..20, 1..12),
        turn in any::<u64>(),
        canary in 0.0f64..1.0,
        out in any::<u16>(),
        seed in any::<u64>(),
    ) {
        prop_assume!(values.iter().any(|weight| *weight > 0));
        let (weights, rng, n) = (weights(&values), SeededRng::new(Some(seed)), values.len());
        let is_in_use = |index: &usize| out & (1 << index) == 0;
        let availabilities: Vec<_> =
            (0..n).map(|index| if is_in_use(&index) { IN_USE } else { OPEN }).collect();
        let canary = Ratio::new(canary).unwrap();
        let orders = [
            round_robin(turn, &weights),
            random(&weights, &rng),
            nearest(turn, n, canary, &rng),
            Order::after(&[turn as usize % n], n),
        ];
        for order in orders {
            let mut sequence = sequence_with(order, &weights, &rng, Some(&availabilities));
            sequence.sort_unstable();
            prop_assert_eq!(sequence, (0..n).filter(is_in_use).collect::<Vec<_>>());
        }
    }
}
