//! The retry budget: failures do not multiply the load, and no budget turns the loss of a region into errors.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use futures::future;
use object_store_failover::{AttemptOutcome, CircuitState, FailoverError, FailoverStoreBuilder, LeftOut};
use serde_json::json;
use support::*;
use tokio::time::sleep;

const SLOW_DOWN: Mode = Mode::Fail(Fault::Status(503, "SlowDown"));

fn budget(builder: FailoverStoreBuilder, ratio: f64, min_per_second: u32) -> FailoverStoreBuilder {
    builder.retry(settings(json!({"budget": {"ratio": ratio, "min_per_second": min_per_second}})))
}

/// Reads at 200 a second while every region throttles and no circuit can open; wire requests per read.
async fn load_of_a_throttled_fleet(regions: usize, ratio: f64, min_per_second: u32) -> f64 {
    const READS: u32 = 10_000;
    let (regions, builder) = replicas(regions);
    put(&regions[0], "v").await;
    regions.iter().for_each(|region| region.set(SLOW_DOWN));
    let store = budget(builder, ratio, min_per_second).breaker(settings(json!({"enabled": false}))).build().unwrap();
    let reads: Vec<_> = (0..READS)
        .map(|turn| {
            let store = store.clone();
            tokio::spawn(async move {
                sleep(ms(5) * turn).await;
                assert!(read(&store).await.is_err());
            })
        })
        .collect();
    future::join_all(reads).await.into_iter().for_each(|read| read.unwrap());
    calls(&regions).iter().sum::<u64>() as f64 / f64::from(READS)
}

#[tokio::test(start_paused = true)]
async fn a_throttled_fleet_sees_at_most_a_quarter_more_than_what_was_asked() {
    for regions in 1..=3 {
        let load = load_of_a_throttled_fleet(regions, 0.2, 10).await;
        let unbounded = load_of_a_throttled_fleet(regions, 1e6, 10).await;
        println!("{regions} regions: {load:.3} wire requests per read; without a budget {unbounded:.3}");
        assert!(load <= 1.25, "{regions} regions: {load}");
        assert!(unbounded > 2.9, "{regions} regions: {unbounded}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_hop_to_a_region_that_does_not_throttle_is_free() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = budget(builder, 0.0, 0).build().unwrap();
    regions[0].fail();
    for _ in 0..200 {
        read(&store).await.unwrap();
    }
    assert_eq!(store.health().retry_budget_refused, 0);
}

#[tokio::test(start_paused = true)]
async fn a_hop_to_a_region_that_has_just_throttled_us_is_paid_for() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = budget(builder, 0.0, 0).build().unwrap();
    regions.iter().for_each(|region| region.set(SLOW_DOWN));
    assert!(read(&store).await.is_err());
    assert_eq!(calls(&regions).iter().sum::<u64>(), 3, "nobody had throttled us before");
    let error = read(&store).await.unwrap_err();
    assert_eq!(calls(&regions).iter().sum::<u64>(), 4);
    let FailoverError::AllRegionsFailed { attempts, .. } = story(&error) else { panic!("{error}") };
    let refused = attempts.iter().filter(|report| report.outcome == AttemptOutcome::LeftOut(LeftOut::BudgetSpent)).count();
    assert_eq!(refused, 2, "{error}");
    assert!(error.to_string().contains("the retry budget is spent"), "{error}");
    sleep(ms(1_001)).await;
    assert!(read(&store).await.is_err());
    assert_eq!(calls(&regions).iter().sum::<u64>(), 7, "a second later it is free again");
    assert_eq!(circuits(&store), [CircuitState::Closed; 3]);
}

/// Once a bug: what the budget refused at one region was refused at all that followed.
#[tokio::test(start_paused = true)]
async fn a_region_that_does_not_throttle_serves_though_the_others_do_and_the_budget_is_spent() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = budget(builder, 0.0, 0).breaker(settings(json!({"enabled": false}))).build().unwrap();
    regions[..2].iter().for_each(|region| region.set(SLOW_DOWN));
    for _ in 0..60 {
        read(&store).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_further_round_is_paid_for() {
    for (min_per_second, served) in [(10, true), (0, false)] {
        let (regions, builder) = replicas(1);
        put(&regions[0], "v").await;
        regions[0].next([SLOW_DOWN, SLOW_DOWN]);
        let store = budget(builder, 0.0, min_per_second).build().unwrap();
        assert_eq!(read(&store).await.is_ok(), served);
        assert_eq!(regions[0].calls(), if served { 3 } else { 1 });
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_for_a_missing_key_pays_for_regions_that_throttle_and_never_says_that_it_is_missing() {
    let (regions, builder) = replicas(3);
    let store = budget(builder, 0.0, 0).build().unwrap();
    regions[1..].iter().for_each(|region| region.set(SLOW_DOWN));
    for _ in 0..6 {
        let error = read(&store).await.unwrap_err();
        let undecided =
            matches!(FailoverError::find(&error), Some(FailoverError::Undecided { .. } | FailoverError::AllRegionsFailed { .. }));
        assert!(undecided, "{error}");
    }
}
