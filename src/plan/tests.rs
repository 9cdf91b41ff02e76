//! Orders and plans as data.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::operation::Operation;
use crate::settings::Ratio;

fn weights(of: &[u32]) -> Weights {
    Weights::new(of.to_vec())
}

/// The whole walk of one order, where all regions are well.
fn walk(order: Order, weights: &Weights, dice: &Dice) -> Vec<usize> {
    walk_with(order, weights, dice, None)
}

fn walk_with(order: Order, weights: &Weights, dice: &Dice, standings: Option<&[Standing]>) -> Vec<usize> {
    let mut untried = RegionSet::first(weights.len());
    let plan = Plan::new(order, standings, untried, untried, RegionSet::default(), weights, dice);
    let mut walked = Vec::new();
    while let Some(region) = plan.next(untried, weights, dice) {
        untried.remove(region);
        walked.push(region);
    }
    walked
}

fn seeded() -> Dice {
    Dice::new(Some(7))
}

const IN_USE: Standing = Standing::Closed { share: 1.0 };
const OPEN: Standing = Standing::Open { retry_after: Duration::from_secs(9) };

#[test]
fn round_robin_starts_everywhere_equally_often_and_spreads_followers() {
    let (weights, dice) = (weights(&[1, 1, 1, 1]), seeded());
    let orders: Vec<_> = (0..12).map(|turn| walk(round_robin::order(turn, &weights), &weights, &dice)).collect();
    assert_eq!(orders[..5], [vec![0, 1, 2, 3], vec![1, 2, 3, 0], vec![2, 3, 0, 1], vec![3, 0, 1, 2], vec![0, 2, 3, 1]]);
    let after_zero: Vec<_> = orders.iter().filter(|order| order[0] == 0).map(|order| order[1]).collect();
    assert_eq!(after_zero, [1, 2, 3]);
}

#[test]
fn a_dead_regions_load_falls_on_all_survivors_alike() {
    let (weights, dice) = (weights(&[1, 1, 1, 1]), seeded());
    let mut load = [0; 4];
    for turn in 0..1200 {
        let order = walk(round_robin::order(turn, &weights), &weights, &dice);
        load[*order.iter().find(|region| **region != 2).unwrap()] += 1;
    }
    assert_eq!(load, [400, 400, 0, 400]);
}

#[test]
fn weights_are_exact_over_a_cycle_and_zero_comes_last() {
    let (weights, dice) = (weights(&[3, 0, 1, 4]), seeded());
    let mut firsts = [0; 4];
    for turn in 0..800 {
        let order = walk(round_robin::order(turn, &weights), &weights, &dice);
        firsts[order[0]] += 1;
        assert_eq!(order[3], 1, "weight 0 is asked when the others are out");
    }
    assert_eq!(firsts, [300, 0, 100, 400]);
}

#[test]
fn followers_are_drawn_by_weight() {
    let (weights, dice) = (weights(&[1, 1, 8]), seeded());
    let orders: Vec<_> = (0..10_000).map(|turn| walk(round_robin::order(turn, &weights), &weights, &dice)).collect();
    let after_zero: Vec<_> = orders.iter().filter(|order| order[0] == 0).map(|order| order[1]).collect();
    let share = after_zero.iter().filter(|region| **region == 2).count() as f64 / after_zero.len() as f64;
    assert!((0.84..0.94).contains(&share), "8 of 9, not {share}");
}

#[test]
fn nearest_goes_in_configured_order_but_for_its_canaries() {
    let (weights, dice) = (weights(&[1, 1, 1]), seeded());
    let order = |turn, canary| walk(nearest::order(turn, 3, Ratio::literal(canary), &dice), &weights, &dice);
    assert_eq!(order(0, 0.0), [0, 1, 2]);
    assert_eq!((order(0, 1.0), order(1, 1.0)), (vec![1, 0, 2], vec![2, 0, 1]));
    let canaries = (0..10_000).filter(|turn| order(*turn, 0.01)[0] != 0).count();
    assert!((60..150).contains(&canaries), "1 % of 10,000, not {canaries}");
}

#[test]
fn random_starts_everywhere() {
    let (weights, dice) = (weights(&[1, 1, 1]), seeded());
    let mut firsts = [0; 3];
    for _ in 0..3000 {
        firsts[walk(random::order(&weights, &dice), &weights, &dice)[0]] += 1;
    }
    assert!(firsts.iter().all(|count| (880..1120).contains(count)), "{firsts:?}");
}

#[test]
fn each_operation_has_a_turn_of_its_own_from_a_random_start() {
    let dice = seeded();
    let starts = |seed| {
        let rotation = Rotation::new(RotationConfig::default(), vec![1; 3], &Dice::new(Some(seed)));
        [Operation::Head, Operation::Get, Operation::Head, Operation::Get].map(|operation| rotation.next_order(operation, &dice).start)
    };
    let [head, get, next_head, next_get] = starts(1);
    assert_eq!((next_head, next_get), ((head + 1) % 3, (get + 1) % 3));
    let first: Vec<_> = (0..60).map(|seed| starts(seed)[1]).collect();
    assert!((0..3).all(|region| first.contains(&region)), "a fleet must not start in step: {first:?}");
}

#[test]
fn a_region_that_is_not_in_use_is_not_asked() {
    let (weights, dice) = (weights(&[1; 4]), seeded());
    let standings = [IN_USE, OPEN, Standing::Drained, IN_USE];
    assert_eq!(walk_with(round_robin::order(1, &weights), &weights, &dice, Some(&standings)), [3, 0]);
}

#[test]
fn a_region_that_is_owed_a_trial_comes_first_and_only_one_does() {
    let (weights, dice) = (weights(&[1; 4]), seeded());
    let standings = [IN_USE, Standing::Trial, Standing::Trial, IN_USE];
    assert_eq!(walk_with(round_robin::order(0, &weights), &weights, &dice, Some(&standings)), [1, 0, 3]);
    let nobody = [OPEN, Standing::Trial, Standing::Trial, OPEN];
    assert_eq!(walk_with(round_robin::order(0, &weights), &weights, &dice, Some(&nobody)), [0; 0]);
}

#[test]
fn a_region_that_climbs_back_gets_its_share_of_first_picks_and_is_never_skipped() {
    let (weights, dice) = (weights(&[1; 2]), seeded());
    let standings = [Standing::Closed { share: 0.3 }, IN_USE];
    let orders: Vec<_> = (0..4000).map(|turn| walk_with(round_robin::order(turn, &weights), &weights, &dice, Some(&standings))).collect();
    assert!(orders.iter().all(|order| order.len() == 2));
    let first = orders.iter().filter(|order| order[0] == 0).count();
    assert!((520..680).contains(&first), "30 % of 2,000, not {first}");
}

proptest! {
    /// A walk asks every region in use exactly once, whatever the policy, the weights and the turn.
    #[test]
    fn a_walk_is_a_permutation_of_the_regions_in_use(
        given in prop::collection::vec(0u32..20, 1..12),
        turn in any::<u64>(),
        canary in 0.0f64..1.0,
        out in any::<u16>(),
        seed in any::<u64>(),
    ) {
        prop_assume!(given.iter().any(|weight| *weight > 0));
        let (weights, dice, n) = (weights(&given), Dice::new(Some(seed)), given.len());
        let standings: Vec<_> = (0..n).map(|index| if out & (1 << index) == 0 { IN_USE } else { OPEN }).collect();
        let canary = Ratio::new(canary).unwrap();
        let orders = [
            round_robin::order(turn, &weights),
            random::order(&weights, &dice),
            nearest::order(turn, n, canary, &dice),
            Order::after(&[turn as usize % n], n),
        ];
        for order in orders {
            let mut walked = walk_with(order, &weights, &dice, Some(&standings));
            walked.sort_unstable();
            prop_assert_eq!(walked, (0..n).filter(|index| out & (1 << index) == 0).collect::<Vec<_>>());
        }
    }
}
