//! A page after the first is refused or throttled.

use std::time::Duration;

use failover_testkit::*;
use futures::StreamExt;
use object_store::{Error, ObjectStore};
use object_store_failover::CircuitState;
use serde_json::json;
use tokio::time::Instant;

use super::{KEYS, fill, list};

const EXPIRED: Fault = Fault::Status(403, "ExpiredToken");

#[tokio::test(start_paused = true)]
async fn page_refused_by_all_regions_charges_none() {
    let (regions, builder) = replicas(2);
    fill(&regions[0], &KEYS).await;
    let store = builder.build().unwrap();
    for region in &regions {
        region.set(Mode::Fail(EXPIRED));
    }
    for _ in 0..12 {
        // The region that the listing starts in serves one page and refuses the next.
        for region in &regions {
            region.next([Mode::FailAfter(2, EXPIRED)]);
        }
        let mut items = store.list(None);
        items.next().await.unwrap().unwrap();
        regions.iter().for_each(|region| region.clear());
        items.next().await.unwrap().unwrap();
        let error = items.next().await.unwrap().unwrap_err();
        assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    }
    let asked = calls(&regions);
    assert!(asked.iter().all(|asked| *asked >= 12), "{asked:?}");
    assert_eq!(circuits(&store), [CircuitState::Closed; 2]);
    let health = store.health().regions;
    let failures: Vec<_> = health.iter().map(|region| region.failures).collect();
    assert_eq!(failures, [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn page_refused_by_one_region_charges_it() {
    let (regions, builder) = replicas(2);
    fill(&regions[0], &KEYS).await;
    let store = builder.build().unwrap();
    regions[0].set(Mode::FailAfter(2, EXPIRED));
    for _ in 0..12 {
        assert_eq!(list(&store).await.unwrap(), KEYS);
    }
    let states = circuits(&store);
    assert_eq!(states, [CircuitState::Open, CircuitState::Closed]);
    assert!(regions[0].calls() < 10, "an open region is not asked");
}

#[tokio::test(start_paused = true)]
async fn throttled_page_slows_the_throttle() {
    let broken = time_of_reads_after(Mode::BreakAfter(2)).await;
    let throttled = time_of_reads_after(Mode::FailAfter(2, Fault::Status(503, "SlowDown"))).await;
    assert!(
        throttled > broken * 3 / 2,
        "{throttled:?} after a throttled page, {broken:?} after a broken one"
    );
}

/// How long six reads take at ten a second, after a listing that `mode` interrupts.
async fn time_of_reads_after(mode: Mode) -> Duration {
    let (regions, builder) = replicas(1);
    fill(&regions[0], &KEYS).await;
    put(&regions[0], "v").await;
    let throttle = settings(json!({"reads_per_second": 10}));
    let store = builder.throttle(throttle).build().unwrap();
    regions[0].next([mode]);
    assert_eq!(list(&store).await.unwrap().len(), KEYS.len() + 1);
    assert_eq!(regions[0].log(), ["list", "list_with_offset"]);
    let began = Instant::now();
    for _ in 0..6 {
        read(&store).await.unwrap();
    }
    began.elapsed()
}
