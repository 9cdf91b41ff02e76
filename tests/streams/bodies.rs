//! Bodies that resume in another region, and those that must not.

use failover_testkit::*;
use futures::StreamExt;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use object_store_failover::{CircuitState, FailoverError, FailoverStore};
use serde_json::json;
use tokio::time::Instant;

/// 1 MiB, which a scripted region sends in pieces of 64 KiB.
fn long() -> Vec<u8> {
    (0..1 << 20).map(|at: u32| (at % 251) as u8).collect()
}

/// The results of several reads, which start in each region in turn.
async fn read_all(store: &FailoverStore, reads: usize) -> Vec<object_store::Result<bytes::Bytes>> {
    let mut results = Vec::new();
    for _ in 0..reads {
        results.push(read(store).await);
    }
    results
}

#[tokio::test(start_paused = true)]
async fn broken_body_resumes_at_the_exact_byte() {
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
        assert_eq!(
            store.health().regions[1].failures,
            2,
            "{mode:?} is a failure of the region"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn body_resumes_across_several_regions() {
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
async fn resumed_range_keeps_its_bounds() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "0123456789").await;
    regions[0].set(Mode::BreakAfter(2));
    let store = builder.build().unwrap();
    for _ in 0..4 {
        assert_eq!(store.get_range(&key(), 3..8).await.unwrap(), "34567");
        let suffix = GetOptions {
            range: Some(GetRange::Suffix(4)),
            ..Default::default()
        };
        let suffix = store.get_opts(&key(), suffix).await.unwrap();
        assert_eq!(suffix.bytes().await.unwrap(), "6789");
        let ranges = store.get_ranges(&key(), &[0..3, 1..2, 7..10]).await;
        assert_eq!(ranges.unwrap(), ["012", "1", "789"]);
    }
}

#[tokio::test(start_paused = true)]
async fn stall_timeout_ignores_slow_callers() {
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
    assert_eq!(calls(&regions), [1, 1], "no body was resumed");
    regions[0].set(Mode::StallAfter(4));
    let start = Instant::now();
    assert_eq!(read(&store).await.unwrap(), "0123456789");
    assert_eq!(read(&store).await.unwrap(), "0123456789");
    assert_eq!(start.elapsed(), secs(10));
}

#[tokio::test(start_paused = true)]
async fn body_never_resumes_with_another_version() {
    for mode in [Mode::OtherEtag, Mode::NoEtag] {
        let (regions, builder) = replicas(2);
        put(&regions[0], "0123456789").await;
        // The region that broke is tried once more after the other one, and fails.
        regions[0].next([Mode::BreakAfter(4)]);
        regions[0].set(Mode::Fail(Fault::Reset));
        regions[1].set(mode);
        let store = builder.build().unwrap();
        let mut seen = false;
        for _ in 0..2 {
            let Err(error) = read(&store).await else {
                continue;
            };
            let FailoverError::ReplicaDiverged {
                region,
                offset,
                source,
                ..
            } = failover_error(&error)
            else {
                panic!("{error}")
            };
            assert_eq!((&**region, *offset), ("us-east-1", 4));
            assert!(
                source.to_string().contains("reset"),
                "the error that interrupted the body: {source}"
            );
            seen = true;
        }
        assert!(seen, "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn diverged_replicas_end_the_body() {
    let (regions, builder) = independent_regions(3);
    put(&regions[0], "0123456789").await;
    for region in &regions[1..] {
        put(region, "older").await;
        put(region, "another one").await;
    }
    regions[0].next([Mode::BreakAfter(4)]);
    regions[0].fail();
    let store = builder.build().unwrap();
    let broken: Vec<_> = read_all(&store, 3)
        .await
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert_eq!(broken.len(), 1);
    assert!(
        matches!(
            failover_error(&broken[0]),
            FailoverError::ReplicaDiverged { .. }
        ),
        "{}",
        broken[0]
    );
}

#[tokio::test(start_paused = true)]
async fn diverged_replica_does_not_hide_a_matching_one() {
    let (regions, builder) = independent_regions(3);
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
async fn resume_can_be_disabled() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "0123456789").await;
    regions
        .iter()
        .for_each(|region| region.set(Mode::BreakAfter(4)));
    let store = builder
        .reads(settings(json!({"resume": false})))
        .build()
        .unwrap();
    let error = read(&store).await.unwrap_err();
    assert!(FailoverError::find(&error).is_none(), "{error}");
    assert!(error.to_string().contains("reset"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn success_requires_a_delivered_body() {
    let (regions, builder) = replicas(1);
    put(&regions[0], "0123456789").await;
    regions[0].set(Mode::BreakAfter(4));
    let store = builder
        .reads(settings(json!({"resume": false})))
        .build()
        .unwrap();
    for _ in 0..5 {
        read(&store).await.unwrap_err();
    }
    assert_eq!(circuits(&store), [CircuitState::Open]);
}

#[tokio::test(start_paused = true)]
async fn dropped_body_succeeds_unless_caller_was_waiting() {
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
    assert_eq!(
        (region.successes, region.failures, region.in_flight),
        (2, 0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn repeated_breaks_end_the_body() {
    for enabled in [true, false] {
        let (regions, builder) = replicas(3);
        put(&regions[0], "0123456789").await;
        regions
            .iter()
            .for_each(|region| region.set(Mode::BreakAfter(1)));
        regions
            .iter()
            .for_each(|region| region.next([Mode::BreakAfter(0); 200]));
        let store = builder
            .breaker(settings(json!({"enabled": enabled})))
            .build()
            .unwrap();
        let start = Instant::now();
        read(&store).await.unwrap_err();
        let (elapsed, calls) = (start.elapsed(), calls(&regions));
        assert!(elapsed < secs(30), "{elapsed:?}");
        assert!(calls.iter().sum::<u64>() <= 20, "{calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ranges_come_from_one_version() {
    let (regions, builder) = independent_regions(2);
    put(&regions[0], "old").await;
    regions.iter().for_each(|region| region.set(Mode::Serve));
    let old = vec![b'o'; 8 << 20];
    let new = vec![b'n'; 8 << 20];
    put(&regions[0], old.clone()).await;
    put(&regions[1], new.clone()).await;
    let store = builder.build().unwrap();
    let ranges: Vec<_> = (0..4)
        .map(|part| part * (2 << 20)..part * (2 << 20) + 10)
        .collect();
    for turn in 0..20 {
        // One of the four range requests fails and moves to the other region, which holds another
        // version.
        regions[turn % 2].next([Mode::Serve, Mode::Fail(Fault::Reset)]);
        let Ok(parts) = store.get_ranges(&key(), &ranges).await else {
            continue;
        };
        let first = parts[0][0];
        assert!(
            parts
                .iter()
                .all(|part| part.iter().all(|byte| *byte == first)),
            "ranges of two versions in turn {turn}"
        );
    }
}

/// Regression: one object that breaks at the same byte in every region opened every circuit, or
/// never ended where no circuit could open.
#[tokio::test(start_paused = true)]
async fn object_broken_everywhere_opens_no_circuit() {
    for (name, breaker) in [
        ("default", json!({})),
        ("disabled", json!({"enabled": false})),
    ] {
        let (regions, builder) = replicas(3);
        put(&regions[0], "0123456789").await;
        regions
            .iter()
            .for_each(|region| region.set(Mode::BreakAfter(0)));
        let store = builder.breaker(settings(breaker)).build().unwrap();
        let error = read(&store).await.unwrap_err();
        assert!(
            matches!(
                failover_error(&error),
                FailoverError::BodyLost { offset: 0, .. }
            ),
            "{name}: {error}"
        );
        assert_eq!(calls(&regions), [1; 3], "{name}");
        assert_eq!(circuits(&store), [CircuitState::Closed; 3], "{name}");
    }
}

/// Regression: the half-open timeout added up the waits between the bytes of a healthy download.
#[tokio::test(start_paused = true)]
async fn long_download_as_trial_closes_circuit() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "0123456789").await;
    let store = builder
        .breaker(settings(json!({"jitter": 0.0})))
        .build()
        .unwrap();
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
