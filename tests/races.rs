//! No slow region can hurt a read: hedges, raced trials, silence.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, future};
use object_store::{GetOptions, ObjectStore};
use object_store_failover::{CallOptions, CircuitState, FailoverStore, HedgeConfig, Reason, ServedBy};
use serde_json::json;
use support::*;
use tokio::time::{Instant, advance, sleep, timeout};

/// The second region fails reads until its circuit opens.
async fn open_second(regions: &[Arc<Scripted>], store: &FailoverStore) {
    regions[1].fail();
    while circuits(store)[1] == CircuitState::Closed {
        read(store).await.unwrap();
    }
}

fn hedging(after: &str, max_extra: f64) -> HedgeConfig {
    settings(json!({"after": after, "max_extra": max_extra}))
}

/// A read, how long it took, and who served it.
async fn timed(store: &FailoverStore) -> (Duration, ServedBy) {
    let began = Instant::now();
    let result = store.get_opts(&key(), GetOptions::default()).await.unwrap();
    let served = result.extensions.get::<ServedBy>().unwrap().clone();
    result.bytes().await.unwrap();
    (began.elapsed(), served)
}

/// Regions that answer after a millisecond, and have been seen to do so.
async fn warm(config: HedgeConfig) -> (Vec<Arc<Scripted>>, FailoverStore) {
    let (regions, builder) = replicas(3);
    put(&regions[0], "value").await;
    regions.iter().for_each(|region| region.set(Mode::Slow(ms(1))));
    let store = builder.hedge(config).build().unwrap();
    for _ in 0..300 {
        read(&store).await.unwrap();
    }
    (regions, store)
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_overtaken_by_another_region() {
    let (regions, store) = warm(hedging("p95", 0.05)).await;
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
    assert_eq!((hedges.sent, hedges.won, hedges.lost, hedges.refused), (1, 1, 0, 0));
    assert_eq!(circuits(&store), [CircuitState::Closed; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_loses_is_counted_and_dropped() {
    let (regions, store) = warm(hedging("10ms", 0.05)).await;
    regions.iter().for_each(|region| region.next([Mode::Slow(ms(12))]));
    let (took, served) = timed(&store).await;
    assert_eq!((took, served.hedged, served.attempts), (ms(12), false, 2));
    let hedges = store.hedges();
    assert_eq!((hedges.sent, hedges.won, hedges.lost), (1, 0, 1));
    assert!(store.health().regions.iter().all(|region| region.in_flight == 0));
}

#[tokio::test(start_paused = true)]
async fn hedges_never_cost_more_than_their_budget() {
    let (regions, store) = warm(hedging("10ms", 0.05)).await;
    // Two of three: so the one that is fast is no rule by which they would be avoided.
    regions[..2].iter().for_each(|region| region.set(Mode::Slow(ms(20))));
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
async fn a_region_that_is_slow_as_a_whole_loses_its_first_picks_until_it_is_not() {
    let (regions, store) = warm(hedging("p95", 0.05)).await;
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
    let (again, _) = share(300, ms(10)).await;
    assert!((again - 0.33).abs() < 0.03, "{again}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_hedged_while_all_regions_are_slow_or_one_throttles() {
    let (regions, store) = warm(hedging("10ms", 0.5)).await;
    regions.iter().for_each(|region| region.set(Mode::Slow(ms(500))));
    let readers = future::join_all((0..60).map(|_| read(&store)));
    assert!(readers.await.iter().all(Result::is_ok));
    let hedges = store.hedges();
    assert!(hedges.sent <= 3 && hedges.refused >= 50, "{hedges:?}");

    advance(secs(20)).await;
    regions[0].next([Mode::Fail(Fault::Status(503, "SlowDown"))]);
    regions.iter().for_each(|region| region.set(Mode::Slow(ms(1))));
    for _ in 0..3 {
        read(&store).await.unwrap();
    }
    let before = store.hedges().sent;
    regions.iter().for_each(|region| region.set(Mode::Slow(ms(20))));
    for _ in 0..30 {
        read(&store).await.unwrap();
    }
    assert_eq!(store.hedges().sent, before);
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_fails_does_not_fail_the_read_it_was_sent_beside() {
    let (regions, store) = warm(hedging("10ms", 0.5)).await;
    let faults = [Fault::Status(403, "AccessDenied"), Fault::Status(500, "InternalError"), Fault::Reset];
    for fault in faults {
        advance(secs(5)).await;
        regions.iter().for_each(|region| region.next([Mode::Slow(ms(40))]));
        regions[0].next([Mode::Slow(ms(40))]);
        let slow = regions.iter().map(|region| region.calls()).collect::<Vec<_>>();
        // Whoever is asked second fails at once.
        let read = tokio::spawn({
            let store = store.clone();
            async move { timed(&store).await }
        });
        sleep(ms(5)).await;
        let first = (0..3).find(|index| regions[*index].calls() > slow[*index]).unwrap();
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
async fn a_trial_does_not_make_its_read_wait_and_closes_the_circuit_all_the_same() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "value").await;
    let store = builder.build().unwrap();
    open_second(&regions, &store).await;
    // Far away from now on: no answer within the patience that a read has for a trial.
    regions[1].set(Mode::Slow(ms(900)));
    advance(secs(34)).await;
    for trial in 0..2 {
        assert_ne!(circuits(&store)[1], CircuitState::Closed);
        let before = regions[1].calls();
        let (took, served) = timed(&store).await;
        assert_eq!(took, ms(200), "trial {trial}");
        assert!(served.hedged && &*served.region != NAMES[1], "{served:?}");
        assert_eq!(regions[1].calls(), before + 1);
        // While it runs, no other trial starts.
        read(&store).await.unwrap();
        assert_eq!(regions[1].calls(), before + 1);
        sleep(ms(800)).await;
    }
    assert_eq!(circuits(&store)[1], CircuitState::Closed);
    assert!(store.health().regions.iter().all(|region| region.in_flight == 0));
}

#[tokio::test(start_paused = true)]
async fn an_overtaken_trial_that_hangs_reopens_the_circuit_at_its_limit() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "value").await;
    let store = builder.build().unwrap();
    open_second(&regions, &store).await;
    regions[1].set(Mode::Hang);
    advance(secs(34)).await;
    assert_eq!(timed(&store).await.0, ms(200));
    sleep(ms(4_700)).await;
    assert_eq!(circuits(&store)[1], CircuitState::HalfOpen);
    sleep(ms(200)).await;
    assert_eq!(circuits(&store)[1], CircuitState::Open);
    assert_eq!(store.health().regions[1].in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn callers_with_short_limits_stop_losing_reads_within_about_a_second() {
    for limit in [ms(150), ms(900), secs(2)] {
        let (regions, builder) = replicas(3);
        put(&regions[0], "value").await;
        regions.iter().for_each(|region| region.set(Mode::Slow(ms(3))));
        let store = builder.build().unwrap();
        for _ in 0..30 {
            read(&store).await.unwrap();
        }
        regions[1].set(Mode::Hang);
        let mut events = store.subscribe();
        let began = Instant::now();
        let lost_after = future::join_all((0..24).map(|reader| {
            let store = store.clone();
            async move {
                sleep(ms(reader)).await;
                let mut last_lost = Duration::ZERO;
                while began.elapsed() < secs(8) {
                    match timeout(limit, read(&store)).await {
                        Ok(served) => assert!(served.is_ok()),
                        Err(_) => last_lost = began.elapsed(),
                    }
                    sleep(ms(10)).await;
                }
                last_lost
            }
        }))
        .await;
        assert_eq!(circuits(&store)[1], CircuitState::Open, "{limit:?}");
        let opened = std::iter::from_fn(|| events.try_recv().ok()).find_map(|event| match event {
            object_store_failover::Event::CircuitChanged { change, .. } => Some(change.reason),
            _ => None,
        });
        assert!(matches!(opened, Some(Reason::Silence(_))), "{opened:?}");
        let last = lost_after.into_iter().max().unwrap();
        assert!(last <= ms(1_250), "{limit:?}: a read was lost after {last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_silent_region_are_served_elsewhere_at_once() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "value").await;
    let store = builder.build().unwrap();
    regions[0].set(Mode::Hang);
    let began = Instant::now();
    let reads = future::join_all((0..60).map(|reader| {
        let store = store.clone();
        async move {
            sleep(ms(10 * reader)).await;
            let (took, served) = timed(&store).await;
            (began.elapsed(), took, served)
        }
    }))
    .await;
    // Twenty of them met the region; five of those have waited a second after 1.13 s.
    let late: Vec<_> = reads.iter().filter(|(_, took, _)| *took > ms(1)).collect();
    assert_eq!(late.len(), 20);
    let (first, last) = (late.iter().map(|read| read.0).min().unwrap(), late.iter().map(|read| read.0).max().unwrap());
    assert_eq!(first, last, "all at once");
    assert!(first <= ms(1_160), "{first:?}");
    assert!(late.iter().all(|(_, _, served)| served.hedged && served.attempts == 2));
}

#[tokio::test(start_paused = true)]
async fn when_everything_is_silent_nothing_opens() {
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
async fn a_region_whose_bodies_fall_silent_is_left_alone_and_they_go_on_elsewhere() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "0123456789").await;
    let store = builder.build().unwrap();
    regions[2].set(Mode::StallAfter(4));
    let began = Instant::now();
    let reads = future::join_all((0..30).map(|_| read(&store))).await;
    assert!(reads.iter().all(|body| body.as_ref().is_ok_and(|body| *body == "0123456789")));
    assert_eq!(began.elapsed(), secs(1), "the stall limit is ten");
    assert_eq!(circuits(&store)[2], CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_slow_caller_is_no_silence() {
    let (regions, builder) = replicas(3);
    put(&regions[0], vec![7; 300]).await;
    regions.iter().for_each(|region| region.set(Mode::Drip(ms(30))));
    let store = builder.build().unwrap();
    let readers = (0..12).map(|_| async {
        let mut body = store.get_opts(&key(), GetOptions::default()).await.unwrap().into_stream();
        while let Some(piece) = body.next().await {
            piece.unwrap();
            sleep(secs(2)).await;
        }
    });
    future::join_all(readers).await;
    assert_eq!(circuits(&store), [CircuitState::Closed; 3]);
    assert_eq!(calls(&regions).iter().sum::<u64>(), 12, "nothing was resumed");
}

#[tokio::test(start_paused = true)]
async fn a_pinned_read_is_never_raced() {
    let (regions, store) = warm(hedging("10ms", 0.5)).await;
    regions[1].set(Mode::Slow(ms(300)));
    let mut options = GetOptions::default();
    options.extensions.insert(CallOptions { pin: Some(NAMES[1].into()), ..Default::default() });
    let before = calls(&regions);
    store.get_opts(&key(), options).await.unwrap();
    assert_eq!(calls(&regions), [before[0], before[1] + 1, before[2]]);
}

/// Once a bug: a replica that was faster than home gave older data for it.
#[tokio::test(start_paused = true)]
async fn what_belongs_to_home_is_never_hedged() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    regions.iter().for_each(|region| region.set(Mode::Slow(ms(1))));
    let reads = settings(json!({"home_prefixes": ["folder"], "home_out": "serve_stale"}));
    let writes = settings(json!({"policy": "home", "home": NAMES[0]}));
    let store = builder.hedge(hedging("10ms", 1.0)).reads(reads).writes(writes).build().unwrap();
    regions[0].set(Mode::Slow(ms(150)));
    for _ in 0..50 {
        assert_eq!(&*timed(&store).await.1.region, NAMES[0]);
    }
    assert_eq!(store.hedges().sent, 0);
}

/// Once a bug: its limit was its share of the call's time, and running into that taught nothing.
#[tokio::test(start_paused = true)]
async fn a_region_far_away_closes_its_circuit_under_short_deadlines() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    open_second(&regions, &store).await;
    regions[1].set(Mode::Slow(ms(800)));
    advance(secs(34)).await;
    let mut options = GetOptions::default();
    options.extensions.insert(CallOptions { deadline: Some(ms(900)), ..Default::default() });
    for _ in 0..2 {
        store.get_opts(&key(), options.clone()).await.unwrap();
        sleep(secs(1)).await;
    }
    assert_eq!(circuits(&store)[1], CircuitState::Closed);
}

/// Once a bug: each read of a missing key asked a dead region early, and that counted as an outage of everything.
#[tokio::test(start_paused = true)]
async fn missing_keys_do_not_switch_hedging_off_while_one_region_is_out() {
    let (regions, store) = warm(hedging("10ms", 0.5)).await;
    regions[2].set(Mode::Fail(Fault::Connect));
    while circuits(&store)[2] == CircuitState::Closed {
        read(&store).await.unwrap();
    }
    let before = store.hedges().sent;
    for _ in 0..10 {
        store.get_opts(&"missing".into(), GetOptions::default()).await.unwrap_err();
        sleep(ms(100)).await;
        regions[..2].iter().for_each(|region| region.next([Mode::Slow(ms(40))]));
        read(&store).await.unwrap();
        regions[..2].iter().for_each(|region| region.clear());
        sleep(ms(900)).await;
    }
    assert!(store.hedges().sent >= before + 8, "{:?}", store.hedges());
}

/// Once a bug: attempts that nobody polled were told as silence.
#[tokio::test(start_paused = true)]
async fn reads_that_nobody_polls_are_no_silence() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    regions.iter().for_each(|region| region.set(Mode::Slow(ms(50))));
    let store = builder.build().unwrap();
    let mut reads = futures::stream::iter(0..32).map(|_| read(&store)).buffer_unordered(32);
    reads.next().await.unwrap().unwrap();
    sleep(secs(3)).await;
    drop(reads);
    assert_eq!(circuits(&store), [CircuitState::Closed; 3]);
}

/// Once a bug: bodies that flowed were broken off because the region gave no new headers.
#[tokio::test(start_paused = true)]
async fn bodies_that_flow_are_left_alone_when_a_region_gives_no_new_headers() {
    let (regions, builder) = replicas(3);
    put(&regions[0], vec![7; 40]).await;
    let store = builder.build().unwrap();
    regions[0].set(Mode::Drip(ms(100)));
    let before = calls(&regions);
    let mut options = GetOptions::default();
    options.extensions.insert(CallOptions { pin: Some(NAMES[0].into()), ..Default::default() });
    let body = store.get_opts(&key(), options).await.unwrap();
    regions[0].set(Mode::Hang);
    let download = tokio::spawn(body.bytes());
    let reads = future::join_all((0..30).map(|_| timeout(secs(2), read(&store)))).await;
    assert!(reads.iter().all(|read| matches!(read, Ok(Ok(_)))));
    assert_eq!(circuits(&store)[0], CircuitState::Open);
    assert_eq!(download.await.unwrap().unwrap().len(), 40);
    assert_eq!(calls(&regions).iter().sum::<u64>() - before.iter().sum::<u64>(), 1 + 30 + 10, "the download was not asked for again");
}
