//! The operator's hand, what it does and for how long, and what the snapshot says to whoever looks.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use object_store::ObjectStoreExt;
use object_store_failover::{CircuitState, Event, FailoverStore, Override, Status};
use serde_json::{Value, json};
use support::*;
use tokio::time::advance;
use tracing_subscriber::filter::LevelFilter;

use CircuitState::{Closed, Open};

const SICK: &str = NAMES[0];
/// Enough for two threads to meet within a few instructions, some hundred times.
const ROUNDS: usize = 20_000;

async fn store_with(document: Value) -> (Vec<Arc<Scripted>>, FailoverStore) {
    let (regions, builder) = replicas(2);
    put(&regions[0], "value").await;
    (regions, builder.events(settings(document)).build().unwrap())
}

async fn store() -> (Vec<Arc<Scripted>>, FailoverStore) {
    store_with(json!({})).await
}

/// How many of so many reads asked the first region.
async fn share_of(store: &FailoverStore, region: &Scripted, reads: u64) -> u64 {
    let before = region.calls();
    for _ in 0..reads {
        read(store).await.unwrap();
    }
    region.calls() - before
}

fn record() -> (Recorded, impl Drop) {
    let recorded = Recorded::default();
    let kept: &'static Recorded = Box::leak(Box::new(recorded.clone()));
    (recorded, metrics::set_default_local_recorder(kept))
}

fn in_force(recorded: &Recorded) -> Vec<&'static str> {
    let kinds = ["drain", "force_open", "force_closed", "metrics_only"];
    let is_set = |kind: &&str| recorded.gauge("operator_override", &[("bucket_region", SICK), ("kind", kind)]) == Some(1.0);
    kinds.into_iter().filter(is_set).collect()
}

fn heard(events: &mut tokio::sync::broadcast::Receiver<Event>) -> Vec<String> {
    let word = |event| match event {
        Event::OperatorOverride { kind, lasts, .. } => Some(format!("{kind} {lasts:?}")),
        Event::OperatorOverrideEnded { kind, expired, .. } => Some(format!("no longer {kind}{}", if expired { ", expired" } else { "" })),
        Event::OperatorReset { .. } => Some("reset".into()),
        Event::CircuitChanged { change, .. } => Some(format!("{} to {}: {}", change.from, change.to, change.reason)),
        _ => None,
    };
    std::iter::from_fn(|| events.try_recv().ok()).filter_map(word).collect()
}

#[tokio::test(start_paused = true)]
async fn each_word_is_an_event_a_gauge_and_a_part_of_the_snapshot_and_the_last_one_counts() {
    let (_regions, store) = store().await;
    let (recorded, _guard) = record();
    let mut events = store.subscribe();
    read(&store).await.unwrap();
    let look = || (in_force(&recorded), store.health().regions[0].overrides.iter().map(|one| one.kind).collect::<Vec<_>>());
    store.drain(SICK).unwrap();
    assert_eq!(look(), (vec!["drain"], vec![Override::Drain]));
    assert_eq!(heard(&mut events), ["drained None"]);
    store.undrain(SICK).unwrap();
    assert_eq!(look(), (vec![], vec![]));
    store.undrain(SICK).unwrap();
    assert_eq!(heard(&mut events), ["no longer drained"], "once");
    store.force_open(SICK, Some(secs(60))).unwrap();
    assert_eq!(look(), (vec!["force_open"], vec![Override::ForceOpen]));
    assert_eq!(store.health().regions[0].overrides[0].seconds_left, Some(60.0));
    store.force_closed(SICK, None).unwrap();
    assert_eq!(look(), (vec!["force_closed"], vec![Override::ForceClosed]));
    store.undrain(SICK).unwrap();
    assert_eq!(look().1, [Override::ForceClosed], "undrain takes back what took the region out");
    store.metrics_only(SICK, None).unwrap();
    assert_eq!(look(), (vec!["metrics_only"], vec![Override::MetricsOnly]));
    store.reset(SICK).unwrap();
    assert_eq!(look(), (vec![], vec![]));
    let expected = [
        "forced open Some(60s)",
        "no longer forced open",
        "forced closed None",
        "no longer forced closed",
        "metrics only None",
        "no longer metrics only",
        "reset",
    ];
    assert_eq!(heard(&mut events), expected);
    for error in [store.reset("mars"), store.force_closed("mars", None), store.metrics_only("mars", None), store.drain("mars")] {
        assert!(error.unwrap_err().to_string().contains("mars"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_word_ends_at_its_time_and_is_told_at_the_next_request_or_look() {
    for reads in [true, false] {
        let (regions, store) = store().await;
        let (recorded, _guard) = record();
        read(&store).await.unwrap();
        let mut events = store.subscribe();
        store.force_open(SICK, Some(secs(60))).unwrap();
        assert_eq!(share_of(&store, &regions[0], 10).await, 0);
        advance(secs(59)).await;
        assert_eq!(share_of(&store, &regions[0], 10).await, 0);
        advance(secs(1)).await;
        assert_eq!(in_force(&recorded), ["force_open"], "nothing runs in the background");
        if reads {
            assert!(share_of(&store, &regions[0], 10).await >= 4);
        } else {
            assert!(store.health().regions[0].overrides.is_empty());
        }
        assert!(in_force(&recorded).is_empty());
        assert_eq!(heard(&mut events), ["forced open Some(60s)", "no longer forced open, expired"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_notices_that_a_word_has_ended_too() {
    let (regions, builder) = replicas(2);
    let store = builder.writes(settings(json!({"policy": "home", "home": SICK}))).build().unwrap();
    let mut events = store.subscribe();
    store.force_open(SICK, Some(secs(60))).unwrap();
    store.put(&key(), "v".into()).await.unwrap_err();
    advance(secs(60)).await;
    store.put(&key(), "v".into()).await.unwrap();
    assert_eq!(heard(&mut events), ["forced open Some(60s)", "no longer forced open, expired"]);
    assert_eq!(regions[0].calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn forced_closed_closes_at_once_and_counts_on_without_opening() {
    let (regions, store) = store().await;
    regions[0].fail();
    for _ in 0..20 {
        read(&store).await.unwrap();
    }
    assert_eq!((circuits(&store)[0], share_of(&store, &regions[0], 10).await), (Open, 0));
    let mut events = store.subscribe();
    store.force_closed(SICK, Some(secs(60))).unwrap();
    assert_eq!(circuits(&store)[0], Closed);
    assert_eq!(share_of(&store, &regions[0], 40).await, 20, "it is asked as often as any, from the first request on");
    let snapshot = store.health().regions[0].clone();
    assert_eq!((snapshot.read.state, snapshot.read.consecutive_failures, snapshot.in_use), (Closed, 20, true));
    assert_eq!(heard(&mut events), ["forced closed Some(60s)", "open to closed: an operator has forced it closed"]);
    advance(secs(60)).await;
    assert!(share_of(&store, &regions[0], 10).await <= 1, "the next failure opens it");
    assert_eq!(circuits(&store)[0], Open);
}

#[tokio::test(start_paused = true)]
async fn metrics_only_looks_on_while_the_circuit_lives_its_life() {
    let (regions, store) = store().await;
    let (recorded, _guard) = record();
    store.metrics_only(SICK, Some(secs(3600))).unwrap();
    let mut events = store.subscribe();
    regions[0].fail();
    assert_eq!(share_of(&store, &regions[0], 40).await, 20, "all that are its turn");
    let state = || recorded.gauge("circuit_state", &[("bucket_region", SICK), ("class", "read")]);
    assert_eq!((circuits(&store)[0], state()), (Open, Some(2.0)), "it would not be asked");
    assert_eq!(recorded.gauge("region_admitted", &[("bucket_region", SICK)]), Some(1.0));
    assert_eq!((store.health().status, store.health().regions[0].in_use), (Status::Healthy, true));
    regions[0].serve();
    advance(secs(40)).await;
    assert_eq!(share_of(&store, &regions[0], 40).await, 20);
    assert_eq!((circuits(&store)[0], state()), (Closed, Some(0.0)));
    let life =
        ["closed to open: 5 failures in a row", "open to half-open: the open time is over", "half-open to closed: 2 successful trials"];
    assert_eq!(heard(&mut events), life);
    // It is over, and the circuit is in earnest.
    advance(secs(3600)).await;
    regions[0].fail();
    assert_eq!(share_of(&store, &regions[0], 40).await, 5);
}

/// Two who wait for a probe: it is answered after the operator has shut the region off, and they went there all the same.
#[tokio::test(start_paused = true)]
async fn those_who_waited_for_a_probe_were_let_into_a_region_that_had_been_shut_off_meanwhile() {
    for shut_off in [false, true] {
        let (regions, builder) = replicas(1);
        put(&regions[0], "value").await;
        let store = builder.build().unwrap();
        regions[0].fail();
        while circuits(&store)[0] != Open {
            read(&store).await.unwrap_err();
        }
        advance(secs(2)).await;
        regions[0].set(Mode::Slow(ms(500)));
        let before = regions[0].calls();
        let operator = async {
            tokio::time::sleep(ms(100)).await;
            if shut_off { store.force_open(SICK, None) } else { store.drain(SICK) }.unwrap();
        };
        let waiting = tokio::time::timeout(secs(60), futures::future::join(read(&store), read(&store)));
        let (probe, waiting, ()) = tokio::join!(read(&store), waiting, operator);
        assert_eq!(probe.unwrap(), "value", "what is under way goes on");
        let (one, other) = waiting.expect("they hang");
        assert!(one.is_err() && other.is_err());
        assert_eq!(regions[0].calls() - before, 1, "only the probe");
    }
}

/// Reads drained and writes not, for good: no later word of either operator's was needed for that.
#[test]
fn two_operators_at_once_left_a_region_with_a_word_on_one_of_its_circuits_only() {
    let store = replicas(1).1.build().unwrap();
    let (round, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Both begin at the same moment, which no barrier that sleeps would give.
    let wait = |counter: &AtomicUsize, value| {
        while counter.load(Ordering::Acquire) != value {
            std::thread::yield_now();
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for number in 1..=ROUNDS {
                wait(&round, number);
                store.undrain(SICK).unwrap();
                done.store(number, Ordering::Release);
            }
        });
        // Somebody looks all the while, and holds up now the one and now the other.
        threads.spawn(|| {
            while done.load(Ordering::Acquire) < ROUNDS {
                let _ = store.health();
            }
        });
        let mut split = Vec::new();
        for number in 1..=ROUNDS {
            round.store(number, Ordering::Release);
            store.drain(SICK).unwrap();
            wait(&done, number);
            let region = &store.health().regions[0];
            split.extend((region.read.admits != region.write.admits).then_some(number));
            store.undrain(SICK).unwrap();
            // What is split stays so: the next word on both ends it.
            store.reset(SICK).unwrap();
        }
        assert_eq!(split, [0; 0]);
    });
}

/// Where nothing but a circuit would end a walk from one broken body to the next, and none can, the budget does.
#[tokio::test(start_paused = true)]
async fn where_circuits_only_look_on_the_budget_ends_a_fruitless_walk() {
    for shadow in [false, true] {
        let (regions, builder) = replicas(2);
        put(&regions[0], vec![7; 4000]).await;
        let store = builder.retry(settings(json!({"budget": {"ratio": 0.0, "min_per_second": 1}}))).build().unwrap();
        let (recorded, _guard) = record();
        if shadow {
            NAMES[..2].iter().for_each(|region| store.metrics_only(region, None).unwrap());
        }
        regions.iter().for_each(|region| region.set(Mode::BreakAfter(0)));
        assert!(read(&store).await.is_err());
        let refused = recorded.count("retry_budget_exhausted_total", &[]).unwrap();
        assert_eq!(refused > 0, shadow);
        assert_eq!(store.health().retry_budget_refused, refused);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_forgets_what_was() {
    let (regions, store) = store().await;
    regions[0].fail();
    for _ in 0..20 {
        read(&store).await.unwrap();
    }
    assert_eq!(circuits(&store)[0], Open);
    store.reset(SICK).unwrap();
    let circuit = store.health().regions[0].read;
    assert_eq!((circuit.state, circuit.consecutive_failures, circuit.failure_rate), (Closed, 0, 0.0));
    // Four failures, forgotten, and four again: not enough to open it.
    advance(secs(60)).await;
    for _ in 0..2 {
        regions[0].fail();
        while store.health().regions[0].read.consecutive_failures < 4 {
            read(&store).await.unwrap();
        }
        store.reset(SICK).unwrap();
    }
    assert_eq!(circuits(&store)[0], Closed);
}

#[tokio::test(start_paused = true)]
async fn the_snapshot_says_which_region_is_sick_since_when_and_why() {
    let (regions, store) = store().await;
    assert_eq!((store.health().status, store.health().regions[0].share), (Status::Healthy, 0.5));
    regions[0].set(Mode::Fail(Fault::Status(503, "ServiceUnavailable")));
    for _ in 0..20 {
        read(&store).await.unwrap();
    }
    advance(secs(12)).await;
    let snapshot = serde_json::to_value(store.health()).unwrap();
    let region = &snapshot["regions"][0];
    assert_eq!((&snapshot["status"], &region["in_use"], &region["share"]), (&json!("degraded"), &json!(false), &json!(0.0)));
    assert_eq!((&region["read"]["state"], &region["read"]["seconds_in_state"]), (&json!("open"), &json!(12.0)));
    assert!(region["read"]["since_unix_seconds"].as_f64().unwrap() > 1e9);
    let last = &region["last_error"];
    assert_eq!((&last["class"], &last["status"], &last["code"]), (&json!("unavailable"), &json!(503), &json!("ServiceUnavailable")));
    assert_eq!((&region["failing_in_a_row"], &snapshot["totals"]["opens"]), (&json!(5), &json!(1)));
    store.drain(NAMES[1]).unwrap();
    assert_eq!(store.health().status, Status::Down);
    assert_eq!(store.health().regions[1].share, 0.0);
}

/// Each trial begins the state anew: after three hours it said "for 4 s".
#[tokio::test(start_paused = true)]
async fn since_when_a_region_is_out_was_forgotten_at_every_trial() {
    let (regions, store) = store().await;
    assert_eq!(store.health().regions[0].read.seconds_not_closed, None);
    regions[0].fail();
    for _ in 0..20 {
        read(&store).await.unwrap();
    }
    for _ in 0..30 {
        advance(secs(100)).await;
        read(&store).await.unwrap();
        read(&store).await.unwrap();
    }
    let circuit = store.health().regions[0].read;
    assert_eq!((circuit.state, circuit.seconds_not_closed), (Open, Some(3000.0)));
    assert!(circuit.seconds_in_state < 300.0, "{circuit:?}");
    assert!((circuit.since_unix_seconds - circuit.not_closed_since_unix_seconds.unwrap()) > 2700.0, "{circuit:?}");
    regions[0].serve();
    while circuits(&store)[0] != Closed {
        advance(secs(100)).await;
        read(&store).await.unwrap();
    }
    let circuit = store.health().regions[0].read;
    assert_eq!((circuit.seconds_not_closed, circuit.not_closed_since_unix_seconds), (None, None));
    regions[0].fail();
    while circuits(&store)[0] != Open {
        read(&store).await.unwrap();
    }
    assert_eq!(store.health().regions[0].read.seconds_not_closed, Some(0.0), "another outage");
}

#[tokio::test(start_paused = true)]
async fn the_snapshot_says_which_region_is_home_before_somebody_takes_it_out() {
    let home = |store: &FailoverStore| store.health().regions.iter().map(|region| region.home).collect::<Vec<_>>();
    let (_regions, builder) = replicas(2);
    assert_eq!(home(&builder.clone().build().unwrap()), [false, false]);
    let store = builder.writes(settings(json!({"policy": "home", "home": NAMES[1]}))).build().unwrap();
    assert_eq!(home(&store), [false, true]);
    store.drain(NAMES[1]).unwrap();
    assert!(store.put(&key(), "v".into()).await.is_err(), "it refuses writes while it is drained");
}

#[tokio::test(start_paused = true)]
async fn shares_are_those_of_weights_and_of_the_nearest() {
    let build = |policy: &str, weights: [u32; 3]| {
        let (regions, _) = replicas(3);
        let builder = FailoverStore::builder().rotation(settings(json!({"policy": policy})));
        let regions = regions.into_iter().zip(NAMES).zip(weights);
        let with = |builder: object_store_failover::FailoverStoreBuilder, ((region, name), weight): ((Arc<Scripted>, &str), u32)| {
            builder.region(object_store_failover::Region::new(name, region).weight(weight))
        };
        regions.fold(builder, with).build().unwrap()
    };
    let shares = |store: &FailoverStore| store.health().regions.iter().map(|region| (region.share * 1000.0).round()).collect::<Vec<_>>();
    let store = build("round_robin", [2, 1, 0]);
    assert_eq!(shares(&store), [667.0, 333.0, 0.0]);
    store.drain(NAMES[0]).unwrap();
    assert_eq!(shares(&store), [0.0, 1000.0, 0.0]);
    store.drain(NAMES[1]).unwrap();
    assert_eq!(shares(&store), [0.0, 0.0, 1000.0]);
    let store = build("nearest", [1, 1, 1]);
    assert_eq!(shares(&store), [990.0, 5.0, 5.0]);
    store.drain(NAMES[0]).unwrap();
    assert_eq!(shares(&store), [0.0, 995.0, 5.0]);
}

#[tokio::test(start_paused = true)]
async fn alert_after_says_how_many_failures_in_a_row_are_an_alert_and_a_success_arms_it_again() {
    let alerts = |events: &mut tokio::sync::broadcast::Receiver<Event>| {
        let alert = |event| match event {
            Event::RegionAlert { region, failures, last } => Some((region, failures, last.unwrap().status)),
            _ => None,
        };
        std::iter::from_fn(|| events.try_recv().ok()).filter_map(alert).collect::<Vec<_>>()
    };
    let (regions, store) = store_with(json!({"alert_after": 7})).await;
    let mut events = store.subscribe();
    regions[0].fail();
    for _ in 0..20 {
        read(&store).await.unwrap();
    }
    assert_eq!(alerts(&mut events), [], "five, and it is left alone");
    // Each trial that fails is one more.
    for _ in 0..4 {
        advance(secs(70)).await;
        read(&store).await.unwrap();
    }
    assert_eq!(alerts(&mut events), [(SICK.into(), 7, Some(500))], "once");
    regions[0].serve();
    while circuits(&store)[0] != Closed {
        advance(secs(70)).await;
        read(&store).await.unwrap();
    }
    regions[0].fail();
    while alerts(&mut events).is_empty() {
        advance(secs(70)).await;
        read(&store).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn log_retries_and_log_transitions_say_what_is_worth_a_line() {
    for (document, hop, opened) in [
        (json!({}), "DEBUG", "WARN"),
        (json!({"log_retries": true}), "INFO", "WARN"),
        (json!({"log_transitions": false}), "DEBUG", "DEBUG"),
    ] {
        let (regions, store) = store_with(document).await;
        let log = Log::at(LevelFilter::DEBUG);
        regions[0].fail();
        for _ in 0..12 {
            read(&store).await.unwrap();
        }
        regions[1].fail();
        read(&store).await.unwrap_err();
        let lines = log.take();
        let level_of = |what: &str| lines.iter().find(|line| line.contains(what)).and_then(|line| line.split(' ').next()).unwrap();
        assert_eq!(level_of("moves on to another region"), hop);
        assert_eq!(level_of("asks the regions once more"), hop);
        assert_eq!(level_of("circuit opened"), opened);
        assert_eq!(level_of("one more failure in a row"), "WARN");
    }
}
