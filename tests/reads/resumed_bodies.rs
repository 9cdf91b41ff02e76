//! The rest of a body: which regions are asked for it, and that a refusal of it ends nothing.

use std::sync::Arc;

use failover_testkit::*;
use object_store::ObjectStoreExt;
use object_store_failover::CircuitState::{Closed, HalfOpen, Open};
use object_store_failover::FailoverStore;
use serde_json::json;

use crate::open_second;

const BODY: &str = "0123456789";

/// Reads of another key, until it is the turn of the first region. Returns the calls so far.
async fn first_is_next(regions: &[Arc<Scripted>], store: &FailoverStore) -> Vec<u64> {
    for region in regions {
        put_at(region, "other").await;
    }
    let last = &regions[regions.len() - 1];
    while last.calls() == 0 {
        store.get(&"other".into()).await.unwrap();
    }
    calls(regions)
}

/// The calls to each region since `before`.
fn since(before: &[u64], regions: &[Arc<Scripted>]) -> Vec<u64> {
    let calls = calls(regions);
    calls
        .iter()
        .zip(before)
        .map(|(now, then)| now - then)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn broken_region_is_asked_after_an_open_one() {
    let (regions, builder) = replicas(2);
    put(&regions[0], BODY).await;
    let store = builder.build().unwrap();
    open_second(&regions, &store).await;
    regions[1].serve();
    tokio::time::advance(secs(5)).await;
    assert_eq!(circuits(&store), [Closed, Open]);
    let before = calls(&regions);
    regions[0].next([Mode::BreakAfter(4)]);
    regions[0].set(Mode::BreakAfter(0));
    assert_eq!(read(&store).await.unwrap(), BODY);
    assert_eq!(since(&before, &regions), [1, 1]);
    assert_eq!(circuits(&store), [Closed, HalfOpen]);
}

#[tokio::test(start_paused = true)]
async fn search_asks_broken_regions_last() {
    let (regions, builder) = independent_regions(3);
    for region in [&regions[0], &regions[2]] {
        put(region, BODY).await;
    }
    let store = builder.build().unwrap();
    let before = first_is_next(&regions, &store).await;
    regions[0].next([Mode::BreakAfter(4)]);
    regions[0].set(Mode::BreakAfter(0));
    // In a search of all others the region that broke would respond first.
    regions[2].set(Mode::Slow(ms(50)));
    assert_eq!(read(&store).await.unwrap(), BODY);
    assert_eq!(since(&before, &regions), [1, 1, 1]);
    assert_eq!(circuits(&store), [Closed; 3]);
}

/// At the end of all others it is asked again: a break may have been an accident.
#[tokio::test(start_paused = true)]
async fn broken_region_is_asked_again_in_the_end() {
    let (regions, builder) = independent_regions(2);
    put(&regions[0], BODY).await;
    let store = builder.build().unwrap();
    let before = first_is_next(&regions, &store).await;
    regions[0].next([Mode::BreakAfter(4)]);
    assert_eq!(read(&store).await.unwrap(), BODY);
    assert_eq!(since(&before, &regions), [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn refused_rest_of_a_body_moves_on() {
    for (status, code) in [
        (404, "NoSuchKey"),
        (412, "PreconditionFailed"),
        (416, "InvalidRange"),
        (405, "MethodNotAllowed"),
        (409, ""),
        (411, "MissingContentLength"),
        (414, ""),
        (400, "InvalidArgument"),
    ] {
        let (regions, builder) = replicas(3);
        put(&regions[0], BODY).await;
        // The 404 and 412 of home would be final for a new read.
        let home = settings(json!({"policy": "home", "home": NAMES[1]}));
        let store = builder.writes(home).build().unwrap();
        let before = first_is_next(&regions, &store).await;
        regions[0].next([Mode::BreakAfter(4)]);
        regions[0].set(Mode::BreakAfter(0));
        regions[1].set(Mode::Fail(Fault::Status(status, code)));
        let body = read(&store).await;
        assert!(body.is_ok(), "{status} {code}: {body:?}");
        assert_eq!(body.unwrap(), BODY);
        assert_eq!(since(&before, &regions), [1; 3], "{status} {code}");
        assert_eq!(circuits(&store), [Closed; 3], "{status} {code}");
    }
}
