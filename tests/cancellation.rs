//! Callers that go away, at every point where they can.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::pin::pin;
use std::task::Poll;

use futures::{FutureExt, StreamExt, poll};
use object_store_failover::{CircuitState, Event, FailoverStore};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use support::*;

/// Polls a whole read so many times, with a little time in between, and drops it: None, unless it ended before.
async fn read_for(store: &FailoverStore, polls: u32, pause: std::time::Duration) -> Option<bool> {
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
    store.health().regions.iter().map(|region| region.in_flight).collect()
}

/// Every region serves again, and every circuit closes, whatever was dropped before.
async fn recovers(store: &FailoverStore, regions: &[std::sync::Arc<Scripted>]) {
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
    let each: Vec<_> = calls(regions).iter().zip(before).map(|(after, before)| after - before).collect();
    assert_eq!(each, vec![30 / regions.len() as u64; regions.len()]);
}

#[tokio::test(start_paused = true)]
async fn a_read_dropped_at_any_await_point_leaves_every_permit_free() {
    let modes = [Mode::Slow(ms(300)), Mode::Hang, Mode::StallAfter(3), Mode::BreakAfter(3), Mode::Fail(Fault::Reset), Mode::CutAfter(0)];
    for first in modes {
        for second in modes {
            let (regions, builder) = replicas(3);
            put(&regions[0], "0123456789").await;
            let store = builder.build().unwrap();
            for polls in 0..40 {
                regions[0].set(first);
                regions[1].set(second);
                regions[2].set(if polls % 2 == 0 { first } else { Mode::Slow(ms(10)) });
                read_for(&store, polls, ms(120)).await;
                // A trial that another region has overtaken runs on to its limit.
                tokio::time::sleep(secs(6)).await;
                assert_eq!(in_flight(&store), [0; 3], "{first:?} {second:?} after {polls} polls");
            }
            recovers(&store, &regions).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_dropped_at_any_item_leaves_every_permit_free() {
    let modes = [Mode::Serve, Mode::Slow(ms(50)), Mode::BreakAfter(2), Mode::StallAfter(2), Mode::StallAfter(1), Mode::Hang];
    for (ordered, mode, next) in
        [true, false].into_iter().flat_map(|ordered| modes.map(|mode| modes.map(|next| (ordered, mode, next))).concat())
    {
        let (regions, _) = replicas(2);
        for name in ["a", "b", "c", "d"] {
            put_at(&regions[0], name).await;
        }
        let store = over(&regions, &[true, ordered]).build().unwrap();
        for polls in 0..12 {
            regions[0].set(mode);
            regions[1].set(next);
            let mut items = object_store::ObjectStore::list(&store, None);
            for _ in 0..polls {
                if let Poll::Ready(None) = poll!(items.next()) {
                    break;
                }
                tokio::time::advance(secs(3)).await;
            }
            drop(items);
            assert_eq!(in_flight(&store), [0; 2], "{mode:?}, {next:?} after {polls} polls");
        }
    }
}

/// Ten thousand reads dropped at random points, many at a time, while circuits open and half-open.
#[tokio::test(start_paused = true)]
async fn ten_thousand_dropped_reads_leave_every_permit_free_and_the_regions_recover() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("SEED={seed}");
    let mut dice = SmallRng::seed_from_u64(seed);
    let (regions, builder) = replicas(3);
    put(&regions[0], "0123456789").await;
    let store = builder.seed(seed).breaker(settings(json!({"open_for": "2s", "open_for_max": "4s"}))).build().unwrap();
    let faults = [
        Mode::Slow(ms(40)),
        Mode::Hang,
        Mode::StallAfter(5),
        Mode::BreakAfter(5),
        Mode::Fail(Fault::Connect),
        Mode::Fail(Fault::Status(503, "SlowDown")),
        Mode::Fail(Fault::Status(403, "")),
    ];
    let mut events = store.subscribe();
    let (mut dropped, mut served, mut opened, mut half_open, mut closed) = (0, 0, 0, 0, 0);
    while dropped < 10_000 {
        for region in &regions {
            region.set(if dice.random_bool(0.5) { Mode::Serve } else { faults[dice.random_range(0..faults.len())] });
        }
        let reads: Vec<_> = (0..20)
            .map(|_| {
                let (store, polls, pause) = (store.clone(), dice.random_range(0..8), ms(dice.random_range(1..400)));
                tokio::spawn(async move { read_for(&store, polls, pause).await })
            })
            .collect();
        for read in reads {
            match read.await.unwrap() {
                None => dropped += 1,
                Some(whole) => served += u32::from(whole),
            }
        }
        assert!(in_flight(&store).iter().all(|count| *count <= 1), "one trial at most runs on");
        tokio::time::advance(ms(dice.random_range(0..1500))).await;
        while let Ok(event) = events.try_recv() {
            let Event::CircuitChanged { change, .. } = event else { continue };
            match change.to {
                CircuitState::Open => opened += 1,
                CircuitState::HalfOpen => half_open += 1,
                _ => closed += 1,
            }
        }
    }
    println!("{dropped} dropped, {served} served; circuits opened {opened}, half-opened {half_open}, closed {closed} times");
    tokio::time::sleep(secs(6)).await;
    assert_eq!(in_flight(&store), [0; 3]);
    assert!(served > 1_000 && opened > 100 && half_open > 100 && closed > 20, "the storm was none");
    recovers(&store, &regions).await;
}
