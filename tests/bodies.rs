//! Bodies that survive their region, and those that must not.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use futures::StreamExt;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use object_store_failover::{CircuitState, FailoverError, FailoverStore};
use serde_json::json;
use support::*;
use tokio::time::Instant;

/// A body long enough to break anywhere: 1 MiB in pieces of 64 KiB.
fn long() -> Vec<u8> {
    (0..1 << 20).map(|at: u32| (at % 251) as u8).collect()
}

/// Reads until the first region, whose turn it may not be at once, has served or failed one read.
async fn read_all(store: &FailoverStore, reads: usize) -> Vec<object_store::Result<bytes::Bytes>> {
    let mut results = Vec::new();
    for _ in 0..reads {
        results.push(read(store).await);
    }
    results
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_or_lies_is_continued_elsewhere_from_the_exact_byte() {
    let modes = [
        Mode::BreakAfter(300_000),
        Mode::StallAfter(300_000),
        Mode::CutAfter(300_000),
        Mode::Overlong,
        Mode::BreakAfter(0),
        Mode::CutAfter(0),
    ];
    for mode in modes {
        let (regions, builder) = replicas(3);
        put(&regions[0], long()).await;
        regions[1].set(mode);
        let store = builder.build().unwrap();
        for body in read_all(&store, 6).await {
            assert!(body.unwrap() == long(), "{mode:?}");
        }
        assert_eq!(store.health().regions[1].failures, 2, "{mode:?} is the region's failure");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_survives_several_regions_one_after_the_other() {
    let (regions, builder) = replicas(3);
    put(&regions[0], long()).await;
    regions[0].next([Mode::BreakAfter(200_000); 3]);
    regions[1].next([Mode::BreakAfter(200_000); 2]);
    regions[2].next([Mode::StallAfter(200_000); 2]);
    let store = builder.build().unwrap();
    assert!(read(&store).await.unwrap() == long());
    assert!(read(&store).await.unwrap() == long());
}

#[tokio::test(start_paused = true)]
async fn a_range_is_continued_within_its_bounds() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "0123456789").await;
    regions[0].set(Mode::BreakAfter(2));
    let store = builder.build().unwrap();
    for _ in 0..4 {
        assert_eq!(store.get_range(&key(), 3..8).await.unwrap(), "34567");
        let suffix = GetOptions { range: Some(object_store::GetRange::Suffix(4)), ..Default::default() };
        assert_eq!(store.get_opts(&key(), suffix).await.unwrap().bytes().await.unwrap(), "6789");
        assert_eq!(store.get_ranges(&key(), &[0..3, 1..2, 7..10]).await.unwrap(), ["012", "1", "789"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_costs_one_stall_limit_and_a_slow_caller_costs_nothing() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "0123456789").await;
    let store = builder.build().unwrap();
    for _ in 0..2 {
        let mut body = store.get(&key()).await.unwrap().into_stream();
        while let Some(piece) = body.next().await {
            piece.unwrap();
            tokio::time::sleep(secs(60)).await;
        }
    }
    assert_eq!(calls(&regions), [1, 1], "nothing was read again");
    regions[0].set(Mode::StallAfter(4));
    let began = Instant::now();
    assert_eq!(read(&store).await.unwrap(), "0123456789");
    assert_eq!(read(&store).await.unwrap(), "0123456789");
    assert_eq!(began.elapsed(), secs(10));
}

#[tokio::test(start_paused = true)]
async fn bodies_of_another_version_are_never_spliced() {
    for mode in [Mode::OtherTag, Mode::NoTag] {
        let (regions, builder) = replicas(2);
        put(&regions[0], "0123456789").await;
        // Whoever broke is asked once more, after the other: in vain.
        regions[0].next([Mode::BreakAfter(4)]);
        regions[0].set(Mode::Fail(Fault::Reset));
        regions[1].set(mode);
        let store = builder.build().unwrap();
        let mut seen = false;
        for _ in 0..2 {
            let Err(error) = read(&store).await else { continue };
            let FailoverError::ReplicaDiverged { region, offset, source, .. } = story(&error) else { panic!("{error}") };
            assert_eq!((&**region, *offset), ("us-east-1", 4));
            assert!(source.to_string().contains("reset"), "the error that broke it: {source}");
            seen = true;
        }
        assert!(seen, "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_holds_another_object_ends_the_body_with_what_broke_it() {
    let (regions, builder) = strangers(3);
    put(&regions[0], "0123456789").await;
    for region in &regions[1..] {
        put(region, "older").await;
        put(region, "another one").await;
    }
    regions[0].next([Mode::BreakAfter(4)]);
    regions[0].fail();
    let store = builder.build().unwrap();
    let broken: Vec<_> = read_all(&store, 3).await.into_iter().filter_map(Result::err).collect();
    assert_eq!(broken.len(), 1);
    assert!(matches!(story(&broken[0]), FailoverError::ReplicaDiverged { .. }), "{}", broken[0]);
}

#[tokio::test(start_paused = true)]
async fn one_replica_that_differs_does_not_hide_another_that_has_the_rest() {
    let (regions, builder) = strangers(3);
    for region in [&regions[0], &regions[2]] {
        put(region, "0123456789").await;
    }
    put(&regions[1], "older").await;
    put(&regions[1], "another one").await;
    regions[0].set(Mode::BreakAfter(4));
    let store = builder.build().unwrap();
    for body in read_all(&store, 3).await {
        let body = body.unwrap();
        assert!(body == "0123456789" || body == "another one", "{body:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn resume_can_be_turned_off() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "0123456789").await;
    regions.iter().for_each(|region| region.set(Mode::BreakAfter(4)));
    let store = builder.reads(settings(json!({"resume": false}))).build().unwrap();
    let error = read(&store).await.unwrap_err();
    assert!(FailoverError::find(&error).is_none() && error.to_string().contains("reset"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_success_is_a_delivered_body_and_not_its_headers() {
    let (regions, builder) = replicas(1);
    put(&regions[0], "0123456789").await;
    regions[0].set(Mode::BreakAfter(4));
    let store = builder.reads(settings(json!({"resume": false}))).build().unwrap();
    for _ in 0..5 {
        read(&store).await.unwrap_err();
    }
    assert_eq!(circuits(&store), [CircuitState::Open]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_its_caller_drops_is_a_success_unless_the_caller_was_waiting() {
    let (regions, builder) = replicas(1);
    put(&regions[0], "0123456789").await;
    let store = builder.build().unwrap();
    drop(store.get(&key()).await.unwrap());
    let mut body = store.get(&key()).await.unwrap().into_stream();
    body.next().await.unwrap().unwrap();
    drop(body);
    assert_eq!(store.health().regions[0].successes, 2);
    regions[0].set(Mode::StallAfter(4));
    let read = tokio::time::timeout(secs(5), store.get(&key()).await.unwrap().bytes()).await;
    assert!(read.is_err());
    let region = &store.health().regions[0];
    assert_eq!((region.successes, region.failures, region.in_flight), (2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn where_every_region_breaks_at_the_same_byte_circuits_or_a_count_end_it() {
    for enabled in [true, false] {
        let (regions, builder) = replicas(3);
        put(&regions[0], "0123456789").await;
        regions.iter().for_each(|region| region.set(Mode::BreakAfter(1)));
        regions.iter().for_each(|region| region.next([Mode::BreakAfter(0); 200]));
        let store = builder.breaker(settings(json!({"enabled": enabled}))).build().unwrap();
        let began = Instant::now();
        read(&store).await.unwrap_err();
        assert!(began.elapsed() < secs(30), "{:?}", began.elapsed());
        assert!(calls(&regions).iter().sum::<u64>() <= 20, "{:?}", calls(&regions));
    }
}

#[tokio::test(start_paused = true)]
async fn ranges_of_one_call_come_from_one_version_of_the_object() {
    let (regions, builder) = strangers(2);
    put(&regions[0], "old").await;
    regions.iter().for_each(|region| region.set(Mode::Serve));
    let old = vec![b'o'; 8 << 20];
    let new = vec![b'n'; 8 << 20];
    put(&regions[0], old.clone()).await;
    put(&regions[1], new.clone()).await;
    let store = builder.build().unwrap();
    let ranges: Vec<_> = (0..4).map(|part| part * (2 << 20)..part * (2 << 20) + 10).collect();
    for turn in 0..20 {
        // One of the four parts is refused, so that it moves to the other region, which has another version.
        regions[turn % 2].next([Mode::Serve, Mode::Fail(Fault::Reset)]);
        let Ok(parts) = store.get_ranges(&key(), &ranges).await else {
            continue;
        };
        let first = parts[0][0];
        assert!(parts.iter().all(|part| part.iter().all(|byte| *byte == first)), "a torn read in turn {turn}");
    }
}

/// Once a bug: one object that breaks at the same byte everywhere opened every circuit, or never ended where none could open.
#[tokio::test(start_paused = true)]
async fn an_object_that_breaks_at_the_same_byte_everywhere_is_given_up_and_opens_nothing() {
    for (name, breaker) in [("store", json!({})), ("none", json!({"enabled": false}))] {
        let (regions, builder) = replicas(3);
        put(&regions[0], "0123456789").await;
        regions.iter().for_each(|region| region.set(Mode::BreakAfter(0)));
        let store = builder.breaker(settings(breaker)).build().unwrap();
        let error = read(&store).await.unwrap_err();
        assert!(matches!(story(&error), FailoverError::BodyLost { offset: 0, .. }), "{name}: {error}");
        assert_eq!((calls(&regions), circuits(&store)), (vec![1; 3], vec![CircuitState::Closed; 3]), "{name}");
    }
}

/// Once a bug: the half-open clock added up the waits between the bytes of a long and healthy download.
#[tokio::test(start_paused = true)]
async fn a_long_download_as_a_trial_closes_the_circuit() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "0123456789").await;
    let store = builder.breaker(settings(json!({"jitter": 0.0}))).build().unwrap();
    regions[1].fail();
    for _ in 0..10 {
        read(&store).await.unwrap();
    }
    regions[1].set(Mode::Drip(secs(9)));
    tokio::time::advance(secs(30)).await;
    for _ in 0..2 {
        assert_eq!(read(&store).await.unwrap(), "0123456789");
    }
    assert_eq!(circuits(&store), [CircuitState::Closed; 2]);
}
