//! Interrupted listings resume in another region.

use failover_testkit::*;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;
use serde_json::json;
use tokio::time::Instant;

use super::{KEYS, fill, list, names};

#[tokio::test(start_paused = true)]
async fn interrupted_listing_returns_every_key_once() {
    for count in 0..=KEYS.len() {
        for after in 0..=count as u64 {
            for mode in [Mode::BreakAfter(after), Mode::StallAfter(after)] {
                for broken in 0..3 {
                    check_interruption(count, mode, broken).await;
                }
            }
        }
    }
}

/// Lists `count` keys three times, once starting in the region that is interrupted.
async fn check_interruption(count: usize, mode: Mode, broken: usize) {
    let (regions, builder) = replicas(3);
    fill(&regions[0], &KEYS[..count]).await;
    regions[broken].set(mode);
    let store = builder
        .timeouts(settings(json!({"total": "1m"})))
        .build()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(
            list(&store).await.unwrap(),
            KEYS[..count],
            "{mode:?} in {broken}"
        );
    }
    let regions = store.health().regions;
    let failures: Vec<_> = regions.iter().map(|region| region.failures).collect();
    assert_eq!(failures[broken], 1, "{mode:?} is a failure of the region");
    assert_eq!(failures.iter().sum::<u64>(), 1);
}

#[tokio::test(start_paused = true)]
async fn listing_survives_breaks_in_different_regions() {
    let (regions, builder) = replicas(3);
    fill(&regions[0], &KEYS).await;
    let store = builder.build().unwrap();
    for _ in 0..3 {
        let before: u64 = calls(&regions).iter().sum();
        regions[0].next([Mode::BreakAfter(1)]);
        regions[1].next([Mode::StallAfter(2)]);
        regions[2].next([Mode::BreakAfter(1)]);
        assert_eq!(list(&store).await.unwrap(), KEYS);
        assert_eq!(
            calls(&regions).iter().sum::<u64>() - before,
            4,
            "each region once, and then the first again"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn list_stall_timeout_ignores_slow_callers() {
    let (regions, builder) = replicas(2);
    fill(&regions[0], &KEYS).await;
    let timeouts = settings(json!({"operations": {"list": {"attempt": "7s"}}}));
    let store = builder.timeouts(timeouts).build().unwrap();
    for _ in 0..2 {
        let mut items = store.list(None);
        while let Some(item) = items.next().await {
            item.unwrap();
            tokio::time::sleep(secs(60)).await;
        }
    }
    assert_eq!(calls(&regions), [1, 1]);
    regions[0].set(Mode::StallAfter(4));
    let start = Instant::now();
    for _ in 0..2 {
        assert_eq!(list(&store).await.unwrap(), KEYS);
    }
    assert_eq!(start.elapsed(), secs(7));
}

#[tokio::test(start_paused = true)]
async fn resumed_listing_keeps_prefix_and_offset() {
    for ordered in [true, false] {
        for after in 1..3 {
            let (regions, _) = replicas(3);
            fill(&regions[0], &["p/a", "p/b", "p/c", "p/d", "pq/e", "q"]).await;
            regions[0].set(Mode::BreakAfter(after));
            let store = over(&regions, &[true, ordered, true]).build().unwrap();
            let prefix = Path::from("p");
            let offset = Path::from("p/b");
            let context = format!("ordered: {ordered}, interrupted after {after}");
            for _ in 0..3 {
                let keys = store.list(Some(&prefix)).try_collect().await.map(names);
                assert_eq!(keys.unwrap(), ["p/a", "p/b", "p/c", "p/d"], "{context}");
            }
            for _ in 0..3 {
                let items = store.list_with_offset(Some(&prefix), &offset);
                let keys = items.try_collect().await.map(names);
                assert_eq!(keys.unwrap(), ["p/c", "p/d"], "{context}");
            }
            for _ in 0..3 {
                let items = store.list_with_offset(None, &offset);
                let keys = items.try_collect().await.map(names);
                assert_eq!(keys.unwrap(), ["p/c", "p/d", "pq/e", "q"], "{context}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn single_region_resumes_its_own_listing() {
    let (regions, builder) = replicas(1);
    fill(&regions[0], &KEYS).await;
    regions[0].next([Mode::BreakAfter(2), Mode::StallAfter(3)]);
    assert_eq!(list(&builder.build().unwrap()).await.unwrap(), KEYS);
}
