//! Hedged reads: a second attempt beside a slow one, within its budget.

use std::sync::Arc;
use std::time::Duration;

use failover_testkit::*;
use futures::future;
use object_store::{GetOptions, ObjectStore};
use object_store_failover::config::HedgeConfig;
use object_store_failover::{CircuitState, FailoverStore};
use serde_json::json;
use tokio::time::{advance, sleep};

use crate::{pinned, timed};

fn hedge_config(after: &str, max_extra: f64) -> HedgeConfig {
    settings(json!({"after": after, "max_extra": max_extra}))
}

/// Three regions that respond after 1 ms, and a store that has measured them.
async fn warm(config: HedgeConfig) -> (Vec<Arc<Scripted>>, FailoverStore) {
    let (regions, builder) = replicas(3);
    put(&regions[0], "value").await;
    regions
        .iter()
        .for_each(|region| region.set(Mode::Slow(ms(1))));
    let store = builder.hedge(config).build().unwrap();
    for _ in 0..300 {
        read(&store).await.unwrap();
    }
    (regions, store)
}

#[tokio::test(start_paused = true)]
async fn hedge_overtakes_a_slow_response() {
    let (regions, store) = warm(hedge_config("p95", 0.05)).await;
    regions[1].next([Mode::Slow(secs(3))]);
    let mut hedged = Vec::new();
    for _ in 0..3 {
        let (took, served) = timed(&store).await;
        assert!(took <= ms(5), "{took:?}");
        if served.hedged {
            assert_eq!(served.attempts, 2);
            hedged.push(served.region);
        }
    }
    assert_eq!(hedged.len(), 1);
    assert_ne!(&*hedged[0], NAMES[1]);
    let hedges = store.hedges();
    assert_eq!(
        (hedges.sent, hedges.won, hedges.lost, hedges.refused),
        (1, 1, 0, 0)
    );
    assert_eq!(circuits(&store), [CircuitState::Closed; 3]);
}

#[tokio::test(start_paused = true)]
async fn losing_hedge_is_counted_and_dropped() {
    let (regions, store) = warm(hedge_config("10ms", 0.05)).await;
    regions
        .iter()
        .for_each(|region| region.next([Mode::Slow(ms(12))]));
    let (took, served) = timed(&store).await;
    assert_eq!((took, served.hedged, served.attempts), (ms(12), false, 2));
    let hedges = store.hedges();
    assert_eq!((hedges.sent, hedges.won, hedges.lost), (1, 0, 1));
    let regions = store.health().regions;
    assert!(regions.iter().all(|region| region.in_flight == 0));
}

#[tokio::test(start_paused = true)]
async fn hedges_stay_within_max_extra() {
    let (regions, store) = warm(hedge_config("10ms", 0.05)).await;
    // Two of three are slow: with a slow minority, the rotation would start reads elsewhere.
    regions[..2]
        .iter()
        .for_each(|region| region.set(Mode::Slow(ms(20))));
    let before: u64 = calls(&regions).iter().sum();
    for _ in 0..2_000 {
        read(&store).await.unwrap();
    }
    let extra = calls(&regions).iter().sum::<u64>() - before - 2_000;
    let hedges = store.hedges();
    assert_eq!(hedges.sent, extra);
    assert!((50..=115).contains(&extra), "{extra} of 2,000");
}

#[tokio::test(start_paused = true)]
async fn slow_region_starts_few_reads_until_it_recovers() {
    let (regions, store) = warm(hedge_config("p95", 0.05)).await;
    let share = async |count: u64, pause| {
        let before = regions[2].calls();
        let mut worst = Duration::ZERO;
        for _ in 0..count {
            worst = worst.max(timed(&store).await.0);
            sleep(pause).await;
        }
        ((regions[2].calls() - before) as f64 / count as f64, worst)
    };
    assert!((share(300, ms(0)).await.0 - 0.33).abs() < 0.03);
    regions[2].set(Mode::Slow(ms(60)));
    share(600, ms(10)).await;
    let (slow, _) = share(2_000, ms(10)).await;
    assert!(slow < 0.03, "{slow}");
    regions[2].set(Mode::Slow(ms(1)));
    share(20_000, ms(10)).await;
    let (recovered, _) = share(300, ms(10)).await;
    assert!((recovered - 0.33).abs() < 0.03, "{recovered}");
}

#[tokio::test(start_paused = true)]
async fn no_hedges_under_overload_or_throttling() {
    let (regions, store) = warm(hedge_config("10ms", 0.5)).await;
    regions
        .iter()
        .for_each(|region| region.set(Mode::Slow(ms(500))));
    let readers = future::join_all((0..60).map(|_| read(&store)));
    assert!(readers.await.iter().all(Result::is_ok));
    let hedges = store.hedges();
    assert!(hedges.sent <= 3 && hedges.refused >= 50, "{hedges:?}");

    advance(secs(20)).await;
    regions[0].next([Mode::Fail(Fault::Status(503, "SlowDown"))]);
    regions
        .iter()
        .for_each(|region| region.set(Mode::Slow(ms(1))));
    for _ in 0..3 {
        read(&store).await.unwrap();
    }
    let before = store.hedges().sent;
    regions
        .iter()
        .for_each(|region| region.set(Mode::Slow(ms(20))));
    for _ in 0..30 {
        read(&store).await.unwrap();
    }
    assert_eq!(store.hedges().sent, before);
}

#[tokio::test(start_paused = true)]
async fn failed_hedge_does_not_fail_the_read() {
    let (regions, store) = warm(hedge_config("10ms", 0.5)).await;
    let faults = [
        Fault::Status(403, "AccessDenied"),
        Fault::Status(500, "InternalError"),
        Fault::Reset,
    ];
    for fault in faults {
        advance(secs(5)).await;
        regions
            .iter()
            .for_each(|region| region.next([Mode::Slow(ms(40))]));
        regions[0].next([Mode::Slow(ms(40))]);
        let before = calls(&regions);
        let read = tokio::spawn({
            let store = store.clone();
            async move { timed(&store).await }
        });
        sleep(ms(5)).await;
        let first = (0..3)
            .find(|index| regions[*index].calls() > before[*index])
            .unwrap();
        // The region of the hedge fails at once.
        for other in (0..3).filter(|other| *other != first) {
            regions[other].clear();
            regions[other].set(Mode::Fail(fault));
        }
        let (took, served) = read.await.unwrap();
        assert_eq!((took, &*served.region), (ms(40), NAMES[first]), "{fault:?}");
        regions.iter().for_each(|region| {
            region.clear();
            region.set(Mode::Slow(ms(1)));
        });
    }
}

#[tokio::test(start_paused = true)]
async fn pinned_read_is_never_hedged() {
    let (regions, store) = warm(hedge_config("10ms", 0.5)).await;
    regions[1].set(Mode::Slow(ms(300)));
    let before = calls(&regions);
    store.get_opts(&key(), pinned(NAMES[1])).await.unwrap();
    assert_eq!(calls(&regions), [before[0], before[1] + 1, before[2]]);
}

/// Regression: a replica that was faster than home returned older data.
#[tokio::test(start_paused = true)]
async fn home_prefixes_are_never_hedged() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    regions
        .iter()
        .for_each(|region| region.set(Mode::Slow(ms(1))));
    let reads = settings(json!({"home_prefixes": ["folder"], "home_out": "serve_stale"}));
    let writes = settings(json!({"policy": "home", "home": NAMES[0]}));
    let hedge = hedge_config("10ms", 1.0);
    let store = builder
        .hedge(hedge)
        .reads(reads)
        .writes(writes)
        .build()
        .unwrap();
    regions[0].set(Mode::Slow(ms(150)));
    for _ in 0..50 {
        assert_eq!(&*timed(&store).await.1.region, NAMES[0]);
    }
    assert_eq!(store.hedges().sent, 0);
}

/// Regression: reads of missing keys made last-resort attempts in the failed region, which counted
/// as an outage of all regions.
#[tokio::test(start_paused = true)]
async fn missing_keys_keep_hedging_on_during_an_outage() {
    let (regions, store) = warm(hedge_config("10ms", 0.5)).await;
    regions[2].set(Mode::Fail(Fault::Connect));
    while circuits(&store)[2] == CircuitState::Closed {
        read(&store).await.unwrap();
    }
    let before = store.hedges().sent;
    for _ in 0..10 {
        store
            .get_opts(&"missing".into(), GetOptions::default())
            .await
            .unwrap_err();
        sleep(ms(100)).await;
        regions[..2]
            .iter()
            .for_each(|region| region.next([Mode::Slow(ms(40))]));
        read(&store).await.unwrap();
        regions[..2].iter().for_each(|region| region.clear());
        sleep(ms(900)).await;
    }
    assert!(store.hedges().sent >= before + 8, "{:?}", store.hedges());
}
