//! The retry budget bounds extra load, and never turns the loss of one region into errors.

use failover_testkit::*;
use futures::future;
use object_store_failover::error::{AttemptOutcome, SkipReason};
use object_store_failover::{CircuitState, FailoverError, FailoverStoreBuilder};
use serde_json::json;
use tokio::time::sleep;

const SLOW_DOWN: Mode = Mode::Fail(Fault::Status(503, "SlowDown"));

fn budget(builder: FailoverStoreBuilder, ratio: f64, min_per_second: u32) -> FailoverStoreBuilder {
    builder.retry(settings(
        json!({"budget": {"ratio": ratio, "min_per_second": min_per_second}}),
    ))
}

/// Wire requests per read, with 200 reads a second while every region throttles and no circuit can
/// open.
async fn load_while_throttled(regions: usize, ratio: f64, min_per_second: u32) -> f64 {
    const READS: u32 = 10_000;
    let (regions, builder) = replicas(regions);
    put(&regions[0], "v").await;
    regions.iter().for_each(|region| region.set(SLOW_DOWN));
    let breaker = settings(json!({"enabled": false}));
    let store = budget(builder, ratio, min_per_second)
        .breaker(breaker)
        .build()
        .unwrap();
    let reads: Vec<_> = (0..READS)
        .map(|turn| {
            let store = store.clone();
            tokio::spawn(async move {
                sleep(ms(5) * turn).await;
                assert!(read(&store).await.is_err());
            })
        })
        .collect();
    future::join_all(reads)
        .await
        .into_iter()
        .for_each(|read| read.unwrap());
    calls(&regions).iter().sum::<u64>() as f64 / f64::from(READS)
}

#[tokio::test(start_paused = true)]
async fn budget_bounds_the_load_while_throttled() {
    for regions in 1..=3 {
        let load = load_while_throttled(regions, 0.2, 10).await;
        let unbounded = load_while_throttled(regions, 1e6, 10).await;
        println!("{regions} regions: {load:.3} wire requests per read, {unbounded:.3} unbounded");
        assert!(load <= 1.25, "{regions} regions: {load}");
        assert!(unbounded > 2.9, "{regions} regions: {unbounded}");
    }
}

#[tokio::test(start_paused = true)]
async fn failover_without_throttling_is_free() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = budget(builder, 0.0, 0).build().unwrap();
    regions[0].fail();
    for _ in 0..200 {
        read(&store).await.unwrap();
    }
    assert_eq!(store.health().totals.retry_budget_refused, 0);
}

#[tokio::test(start_paused = true)]
async fn failover_to_a_throttling_region_costs_budget() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = budget(builder, 0.0, 0).build().unwrap();
    regions.iter().for_each(|region| region.set(SLOW_DOWN));
    assert!(read(&store).await.is_err());
    assert_eq!(
        calls(&regions).iter().sum::<u64>(),
        3,
        "no region had throttled before"
    );
    let error = read(&store).await.unwrap_err();
    assert_eq!(calls(&regions).iter().sum::<u64>(), 4);
    let FailoverError::AllRegionsFailed { attempts, .. } = failover_error(&error) else {
        panic!("{error}")
    };
    let exhausted = AttemptOutcome::Skipped(SkipReason::BudgetExhausted);
    let refused = attempts.iter().filter(|report| report.outcome == exhausted);
    assert_eq!(refused.count(), 2, "{error}");
    assert!(
        error
            .to_string()
            .contains("skipped, retry budget exhausted"),
        "{error}"
    );
    sleep(ms(1_001)).await;
    assert!(read(&store).await.is_err());
    assert_eq!(
        calls(&regions).iter().sum::<u64>(),
        7,
        "free again after one second"
    );
    assert_eq!(circuits(&store), [CircuitState::Closed; 3]);
}

/// Regression: once the budget refused one region, it refused all that followed.
#[tokio::test(start_paused = true)]
async fn exhausted_budget_still_reaches_a_healthy_region() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = budget(builder, 0.0, 0)
        .breaker(settings(json!({"enabled": false})))
        .build()
        .unwrap();
    regions[..2].iter().for_each(|region| region.set(SLOW_DOWN));
    for _ in 0..60 {
        read(&store).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn retry_costs_budget() {
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
async fn exhausted_budget_never_yields_not_found() {
    let (regions, builder) = replicas(3);
    let store = budget(builder, 0.0, 0).build().unwrap();
    regions[1..].iter().for_each(|region| region.set(SLOW_DOWN));
    for _ in 0..6 {
        let error = read(&store).await.unwrap_err();
        let (FailoverError::Undecided { .. } | FailoverError::AllRegionsFailed { .. }) =
            failover_error(&error)
        else {
            panic!("{error}")
        };
    }
}
