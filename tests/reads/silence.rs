//! Silence detection: a region that does not respond opens before any attempt times out.

use std::time::Duration;

use failover_testkit::*;
use futures::{StreamExt, future};
use object_store::{GetOptions, ObjectStore};
use object_store_failover::CircuitState;
use object_store_failover::health::{Event, TransitionReason};
use tokio::time::{Instant, sleep, timeout};

use crate::{pinned, timed};

#[tokio::test(start_paused = true)]
async fn silent_region_opens_under_short_caller_timeouts() {
    for limit in [ms(150), ms(900), secs(2)] {
        let (regions, builder) = replicas(3);
        put(&regions[0], "value").await;
        regions
            .iter()
            .for_each(|region| region.set(Mode::Slow(ms(3))));
        let store = builder.build().unwrap();
        for _ in 0..30 {
            read(&store).await.unwrap();
        }
        regions[1].set(Mode::Hang);
        let mut events = store.subscribe();
        let start = Instant::now();
        let last_timeouts = future::join_all((0..24).map(|reader| {
            let store = store.clone();
            async move {
                sleep(ms(reader)).await;
                let mut last_timeout = Duration::ZERO;
                while start.elapsed() < secs(8) {
                    match timeout(limit, read(&store)).await {
                        Ok(served) => assert!(served.is_ok()),
                        Err(_) => last_timeout = start.elapsed(),
                    }
                    sleep(ms(10)).await;
                }
                last_timeout
            }
        }))
        .await;
        assert_eq!(circuits(&store)[1], CircuitState::Open, "{limit:?}");
        let opened = std::iter::from_fn(|| events.try_recv().ok()).find_map(|event| match event {
            Event::CircuitChanged { change, .. } => Some(change.reason),
            _ => None,
        });
        assert!(
            matches!(opened, Some(TransitionReason::Silence(_))),
            "{opened:?}"
        );
        let last = last_timeouts.into_iter().max().unwrap();
        assert!(
            last <= ms(1_250),
            "{limit:?}: a read timed out after {last:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn reads_waiting_for_a_silent_region_move_on() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "value").await;
    let store = builder.build().unwrap();
    regions[0].set(Mode::Hang);
    let start = Instant::now();
    let reads = future::join_all((0..60).map(|reader| {
        let store = store.clone();
        async move {
            sleep(ms(10 * reader)).await;
            let (took, served) = timed(&store).await;
            (start.elapsed(), took, served)
        }
    }))
    .await;
    // Twenty reads start in the silent region. After 1.13 s five of them have waited a second each.
    let late: Vec<_> = reads.iter().filter(|(_, took, _)| *took > ms(1)).collect();
    assert_eq!(late.len(), 20);
    let first = late.iter().map(|read| read.0).min().unwrap();
    let last = late.iter().map(|read| read.0).max().unwrap();
    assert_eq!(first, last, "all move on at the same moment");
    assert!(first <= ms(1_160), "{first:?}");
    assert!(
        late.iter()
            .all(|(_, _, served)| served.hedged && served.attempts == 2)
    );
}

#[tokio::test(start_paused = true)]
async fn silence_of_all_regions_opens_no_circuit() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "value").await;
    let store = builder.build().unwrap();
    regions.iter().for_each(|region| region.set(Mode::Hang));
    for _ in 0..4 {
        let reads = future::join_all((0..30).map(|_| timeout(secs(2), read(&store))));
        assert!(reads.await.iter().all(Result::is_err));
    }
    assert_eq!(circuits(&store), [CircuitState::Closed; 3]);
}

#[tokio::test(start_paused = true)]
async fn silent_bodies_open_the_circuit_and_resume() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "0123456789").await;
    let store = builder.build().unwrap();
    regions[2].set(Mode::StallAfter(4));
    let start = Instant::now();
    let reads = future::join_all((0..30).map(|_| read(&store))).await;
    assert!(reads.into_iter().all(|body| body.unwrap() == "0123456789"));
    assert_eq!(
        start.elapsed(),
        secs(1),
        "one second of silence, not the stall timeout of ten"
    );
    assert_eq!(circuits(&store)[2], CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn slow_caller_is_no_silence() {
    let (regions, builder) = replicas(3);
    put(&regions[0], vec![7; 300]).await;
    regions
        .iter()
        .for_each(|region| region.set(Mode::Drip(ms(30))));
    let store = builder.build().unwrap();
    let readers = (0..12).map(|_| async {
        let mut body = store
            .get_opts(&key(), GetOptions::default())
            .await
            .unwrap()
            .into_stream();
        while let Some(piece) = body.next().await {
            piece.unwrap();
            sleep(secs(2)).await;
        }
    });
    future::join_all(readers).await;
    assert_eq!(circuits(&store), [CircuitState::Closed; 3]);
    assert_eq!(
        calls(&regions).iter().sum::<u64>(),
        12,
        "no body was resumed"
    );
}

/// Regression: attempts that were not polled counted as silence.
#[tokio::test(start_paused = true)]
async fn unpolled_reads_are_no_silence() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    regions
        .iter()
        .for_each(|region| region.set(Mode::Slow(ms(50))));
    let store = builder.build().unwrap();
    let mut reads = futures::stream::iter(0..32)
        .map(|_| read(&store))
        .buffer_unordered(32);
    reads.next().await.unwrap().unwrap();
    sleep(secs(3)).await;
    drop(reads);
    assert_eq!(circuits(&store), [CircuitState::Closed; 3]);
}

/// Regression: flowing bodies were broken off because the region sent no headers for new requests.
#[tokio::test(start_paused = true)]
async fn flowing_body_survives_silence_of_new_requests() {
    let (regions, builder) = replicas(3);
    put(&regions[0], vec![7; 40]).await;
    let store = builder.build().unwrap();
    regions[0].set(Mode::Drip(ms(100)));
    let before = calls(&regions);
    let body = store.get_opts(&key(), pinned(NAMES[0])).await.unwrap();
    regions[0].set(Mode::Hang);
    let download = tokio::spawn(body.bytes());
    let reads = future::join_all((0..30).map(|_| timeout(secs(2), read(&store)))).await;
    assert!(reads.iter().all(|read| matches!(read, Ok(Ok(_)))));
    assert_eq!(circuits(&store)[0], CircuitState::Open);
    assert_eq!(download.await.unwrap().unwrap().len(), 40);
    let sent = calls(&regions).iter().sum::<u64>() - before.iter().sum::<u64>();
    assert_eq!(sent, 1 + 30 + 10, "no attempt resumed the download");
}
