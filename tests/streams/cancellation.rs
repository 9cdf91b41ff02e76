//! Reads and listings dropped by their callers at any await point.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use failover_testkit::*;
use futures::{FutureExt, StreamExt, poll};
use object_store::ObjectStore;
use object_store_failover::health::Event;
use object_store_failover::{CircuitState, FailoverStore};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

/// Polls a whole read `polls` times, `pause` apart, and drops it. None where it was dropped,
/// otherwise whether it succeeded.
async fn poll_read(store: &FailoverStore, polls: u32, pause: Duration) -> Option<bool> {
    let mut read = pin!(read(store).fuse());
    for _ in 0..polls {
        if let Poll::Ready(result) = poll!(read.as_mut()) {
            return Some(result.is_ok());
        }
        tokio::time::advance(pause).await;
    }
    None
}

fn in_flight(store: &FailoverStore) -> Vec<u32> {
    let regions = store.health().regions;
    regions.iter().map(|region| region.in_flight).collect()
}

/// Every circuit closes once the regions serve again, and every region gets its share of reads.
async fn check_recovery(store: &FailoverStore, regions: &[Arc<Scripted>]) {
    regions.iter().for_each(|region| region.serve());
    for _ in 0..40 {
        tokio::time::advance(secs(5)).await;
        let _ = read(store).await;
    }
    assert_eq!(circuits(store), vec![CircuitState::Closed; regions.len()]);
    tokio::time::advance(secs(10)).await;
    let before = calls(regions);
    for _ in 0..30 {
        read(store).await.unwrap();
    }
    let calls = calls(regions).into_iter().zip(before);
    let shares: Vec<_> = calls.map(|(after, before)| after - before).collect();
    assert_eq!(shares, vec![30 / regions.len() as u64; regions.len()]);
}

#[tokio::test(start_paused = true)]
async fn reads_dropped_at_any_await_release_permits() {
    let modes = [
        Mode::Slow(ms(300)),
        Mode::Hang,
        Mode::StallAfter(3),
        Mode::BreakAfter(3),
        Mode::Fail(Fault::Reset),
        Mode::CutAfter(0),
    ];
    for first in modes {
        for second in modes {
            let (regions, builder) = replicas(3);
            put(&regions[0], "0123456789").await;
            let store = builder.build().unwrap();
            for polls in 0..40 {
                regions[0].set(first);
                regions[1].set(second);
                regions[2].set(if polls % 2 == 0 {
                    first
                } else {
                    Mode::Slow(ms(10))
                });
                poll_read(&store, polls, ms(120)).await;
                // A trial that lost the race stays in flight until its timeout.
                tokio::time::sleep(secs(6)).await;
                assert_eq!(
                    in_flight(&store),
                    [0; 3],
                    "{first:?} {second:?} after {polls} polls"
                );
            }
            check_recovery(&store, &regions).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn listings_dropped_at_any_item_release_permits() {
    let modes = [
        Mode::Serve,
        Mode::Slow(ms(50)),
        Mode::BreakAfter(2),
        Mode::StallAfter(2),
        Mode::StallAfter(1),
        Mode::Hang,
    ];
    for ordered in [true, false] {
        for first in modes {
            for second in modes {
                drop_listings([first, second], ordered).await;
            }
        }
    }
}

async fn drop_listings(modes: [Mode; 2], ordered: bool) {
    let (regions, _) = replicas(2);
    for name in ["a", "b", "c", "d"] {
        put_at(&regions[0], name).await;
    }
    let store = over(&regions, &[true, ordered]).build().unwrap();
    for polls in 0..12 {
        regions[0].set(modes[0]);
        regions[1].set(modes[1]);
        let mut items = store.list(None);
        for _ in 0..polls {
            if let Poll::Ready(None) = poll!(items.next()) {
                break;
            }
            tokio::time::advance(secs(3)).await;
        }
        drop(items);
        // A trial that lost its race runs on until its own limit.
        if circuits(&store).contains(&CircuitState::HalfOpen) {
            tokio::time::sleep(secs(31)).await;
        }
        assert_eq!(in_flight(&store), [0; 2], "{modes:?} after {polls} polls");
    }
}

const FAULTS: [Mode; 7] = [
    Mode::Slow(ms(40)),
    Mode::Hang,
    Mode::StallAfter(5),
    Mode::BreakAfter(5),
    Mode::Fail(Fault::Connect),
    Mode::Fail(Fault::Status(503, "SlowDown")),
    Mode::Fail(Fault::Status(403, "")),
];

/// Drops reads at random points, 20 at a time, while circuits open and half-open. `SEED=n` replays.
#[tokio::test(start_paused = true)]
async fn regions_recover_from_ten_thousand_dropped_reads() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(rand::random);
    println!("SEED={seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let (regions, builder) = replicas(3);
    put(&regions[0], "0123456789").await;
    let breaker = settings(json!({"open_for": "2s", "open_for_max": "4s"}));
    let store = builder.seed(seed).breaker(breaker).build().unwrap();
    let mut events = store.subscribe();
    let (mut dropped, mut served, mut opened, mut half_open, mut closed) = (0, 0, 0, 0, 0);
    while dropped < 10_000 {
        for region in &regions {
            region.set(match rng.random_bool(0.5) {
                true => Mode::Serve,
                false => FAULTS[rng.random_range(0..FAULTS.len())],
            });
        }
        let reads: Vec<_> = (0..20)
            .map(|_| {
                let store = store.clone();
                let (polls, pause) = (rng.random_range(0..8), ms(rng.random_range(1..400)));
                tokio::spawn(async move { poll_read(&store, polls, pause).await })
            })
            .collect();
        for read in reads {
            match read.await.unwrap() {
                None => dropped += 1,
                Some(succeeded) => served += u32::from(succeeded),
            }
        }
        assert!(
            in_flight(&store).iter().all(|count| *count <= 1),
            "only one trial may stay in flight"
        );
        tokio::time::advance(ms(rng.random_range(0..1500))).await;
        while let Ok(event) = events.try_recv() {
            let Event::CircuitChanged { change, .. } = event else {
                continue;
            };
            match change.to {
                CircuitState::Open => opened += 1,
                CircuitState::HalfOpen => half_open += 1,
                _ => closed += 1,
            }
        }
    }
    println!("{dropped} dropped, {served} served");
    println!("circuits: opened {opened}, half-opened {half_open}, closed {closed} times");
    tokio::time::sleep(secs(6)).await;
    assert_eq!(in_flight(&store), [0; 3]);
    assert!(
        served > 1_000 && opened > 100 && half_open > 100 && closed > 20,
        "too few faults"
    );
    check_recovery(&store, &regions).await;
}
