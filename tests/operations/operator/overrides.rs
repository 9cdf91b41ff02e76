//! Drain, forced open, forced closed, metrics only and reset: effect, expiry and report.

use failover_testkit::{Mode, NAMES, Recorded, circuits, key, put, read, replicas, secs, settings};
use object_store::ObjectStoreExt;
use object_store_failover::health::{Event, Override, StoreStatus};
use object_store_failover::{CircuitState, FailoverStore};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::time::advance;

use super::{calls_in_reads, read_times, store};
use crate::{UNHEALTHY, record_metrics};

use CircuitState::{Closed, Open};

/// The kinds whose gauge is set.
fn override_gauges(recorded: &Recorded) -> Vec<&'static str> {
    let kinds = ["drain", "force_open", "force_closed", "metrics_only"];
    let is_set = |kind: &&str| {
        let labels = [("bucket_region", UNHEALTHY), ("kind", kind)];
        recorded.gauge("operator_override", &labels) == Some(1.0)
    };
    kinds.into_iter().filter(is_set).collect()
}

/// The kinds in the snapshot.
fn override_kinds(store: &FailoverStore) -> Vec<Override> {
    let active = store.health().regions[0].override_active;
    active.into_iter().map(|active| active.kind).collect()
}

/// The events since the last call, as text.
fn drain(events: &mut Receiver<Event>) -> Vec<String> {
    let text = |event| match event {
        Event::OperatorOverride { kind, duration, .. } => {
            Some(format!("{} {duration:?}", kind.label()))
        }
        Event::OperatorOverrideEnded { kind, expired, .. } => {
            let how = if expired { "expired" } else { "ended" };
            Some(format!("{} {how}", kind.label()))
        }
        Event::OperatorReset { .. } => Some("reset".into()),
        Event::CircuitChanged { change, .. } => Some(format!(
            "{} to {}: {}",
            change.from, change.to, change.reason
        )),
        _ => None,
    };
    let events = std::iter::from_fn(|| events.try_recv().ok());
    events.filter_map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn override_sets_event_gauge_and_snapshot() {
    let (_regions, store) = store().await;
    let (recorded, _guard) = record_metrics();
    let mut events = store.subscribe();
    read(&store).await.unwrap();
    let state = || (override_gauges(&recorded), override_kinds(&store));
    store.drain(UNHEALTHY).unwrap();
    assert_eq!(state(), (vec!["drain"], vec![Override::Drain]));
    assert_eq!(drain(&mut events), ["drain None"]);
    store.undrain(UNHEALTHY).unwrap();
    assert_eq!(state(), (vec![], vec![]));
    store.undrain(UNHEALTHY).unwrap();
    assert_eq!(
        drain(&mut events),
        ["drain ended"],
        "the second call does nothing"
    );
    store.force_open(UNHEALTHY, Some(secs(60))).unwrap();
    assert_eq!(state(), (vec!["force_open"], vec![Override::ForceOpen]));
    let active = store.health().regions[0].override_active.unwrap();
    assert_eq!(active.time_left, Some(secs(60)));
    store.force_closed(UNHEALTHY, None).unwrap();
    assert_eq!(state(), (vec!["force_closed"], vec![Override::ForceClosed]));
    store.undrain(UNHEALTHY).unwrap();
    // `undrain` ends only overrides that exclude the region.
    assert_eq!(state().1, [Override::ForceClosed]);
    store.metrics_only(UNHEALTHY, None).unwrap();
    assert_eq!(state(), (vec!["metrics_only"], vec![Override::MetricsOnly]));
    store.reset(UNHEALTHY).unwrap();
    assert_eq!(state(), (vec![], vec![]));
    let expected = [
        "force_open Some(60s)",
        "force_open ended",
        "force_closed None",
        "force_closed ended",
        "metrics_only None",
        "metrics_only ended",
        "reset",
    ];
    assert_eq!(drain(&mut events), expected);
}

#[tokio::test(start_paused = true)]
async fn unknown_region_is_an_error() {
    let (_regions, store) = store().await;
    for result in [
        store.reset("mars"),
        store.force_closed("mars", None),
        store.metrics_only("mars", None),
        store.drain("mars"),
    ] {
        assert!(result.unwrap_err().to_string().contains("mars"));
    }
}

/// No task runs for an override: the next request or snapshot after its end reports it.
#[tokio::test(start_paused = true)]
async fn override_ends_on_next_request_or_snapshot() {
    for by_request in [true, false] {
        let (regions, store) = store().await;
        let (recorded, _guard) = record_metrics();
        read(&store).await.unwrap();
        let mut events = store.subscribe();
        store.force_open(UNHEALTHY, Some(secs(60))).unwrap();
        assert_eq!(calls_in_reads(&store, &regions[0], 10).await, 0);
        advance(secs(59)).await;
        assert_eq!(calls_in_reads(&store, &regions[0], 10).await, 0);
        advance(secs(1)).await;
        assert_eq!(override_gauges(&recorded), ["force_open"]);
        if by_request {
            assert!(calls_in_reads(&store, &regions[0], 10).await >= 4);
        } else {
            assert!(store.health().regions[0].override_active.is_none());
        }
        assert!(override_gauges(&recorded).is_empty());
        let expected = ["force_open Some(60s)", "force_open expired"];
        assert_eq!(drain(&mut events), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn write_ends_an_expired_override() {
    let (regions, builder) = replicas(2);
    let writes = settings(json!({"policy": "home", "home": UNHEALTHY}));
    let store = builder.writes(writes).build().unwrap();
    let mut events = store.subscribe();
    store.force_open(UNHEALTHY, Some(secs(60))).unwrap();
    store.put(&key(), "v".into()).await.unwrap_err();
    advance(secs(60)).await;
    store.put(&key(), "v".into()).await.unwrap();
    let expected = ["force_open Some(60s)", "force_open expired"];
    assert_eq!(drain(&mut events), expected);
    assert_eq!(regions[0].calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn forced_closed_counts_failures_without_opening() {
    let (regions, store) = store().await;
    regions[0].fail();
    read_times(&store, 20).await;
    assert_eq!(circuits(&store)[0], Open);
    assert_eq!(calls_in_reads(&store, &regions[0], 10).await, 0);
    let mut events = store.subscribe();
    store.force_closed(UNHEALTHY, Some(secs(60))).unwrap();
    assert_eq!(circuits(&store)[0], Closed);
    // A full share of the rotation from the first request on.
    assert_eq!(calls_in_reads(&store, &regions[0], 40).await, 20);
    let region = store.health().regions[0].clone();
    assert_eq!((region.read.state, region.in_use), (Closed, true));
    assert_eq!(region.read.consecutive_failures, 20);
    let expected = [
        "force_closed Some(60s)",
        "open to closed: forced closed by an operator",
    ];
    assert_eq!(drain(&mut events), expected);
    // Afterwards the next failure opens the circuit.
    advance(secs(60)).await;
    assert!(calls_in_reads(&store, &regions[0], 10).await <= 1);
    assert_eq!(circuits(&store)[0], Open);
}

#[tokio::test(start_paused = true)]
async fn metrics_only_sends_requests_despite_open_circuit() {
    let (regions, store) = store().await;
    let (recorded, _guard) = record_metrics();
    store.metrics_only(UNHEALTHY, Some(secs(3600))).unwrap();
    let mut events = store.subscribe();
    regions[0].fail();
    assert_eq!(
        calls_in_reads(&store, &regions[0], 40).await,
        20,
        "its full share"
    );
    let region = ("bucket_region", UNHEALTHY);
    let state = || recorded.gauge("circuit_state", &[region, ("class", "read")]);
    assert_eq!((circuits(&store)[0], state()), (Open, Some(2.0)));
    assert_eq!(recorded.gauge("region_admitted", &[region]), Some(1.0));
    let health = store.health();
    assert_eq!(
        (health.status, health.regions[0].in_use),
        (StoreStatus::Healthy, true)
    );
    regions[0].serve();
    advance(secs(40)).await;
    assert_eq!(calls_in_reads(&store, &regions[0], 40).await, 20);
    assert_eq!((circuits(&store)[0], state()), (Closed, Some(0.0)));
    let expected = [
        "closed to open: 5 consecutive failures",
        "open to half-open: open time elapsed",
        "half-open to closed: 2 trials succeeded",
    ];
    assert_eq!(drain(&mut events), expected);
    // After its end the circuit takes effect again.
    advance(secs(3600)).await;
    regions[0].fail();
    assert_eq!(calls_in_reads(&store, &regions[0], 40).await, 5);
}

/// With `metrics_only` in all regions no circuit stops the resumes of a body that breaks without
/// progress in each region: the retry budget has to.
#[tokio::test(start_paused = true)]
async fn retry_budget_limits_resumes_under_metrics_only() {
    for metrics_only in [false, true] {
        let (regions, builder) = replicas(2);
        put(&regions[0], vec![7; 4000]).await;
        let retry = json!({"budget": {"ratio": 0.0, "min_per_second": 1}});
        let store = builder.retry(settings(retry)).build().unwrap();
        let (recorded, _guard) = record_metrics();
        if metrics_only {
            for region in &NAMES[..2] {
                store.metrics_only(region, None).unwrap();
            }
        }
        regions
            .iter()
            .for_each(|region| region.set(Mode::BreakAfter(0)));
        assert!(read(&store).await.is_err());
        let refused = recorded.count("retry_budget_exhausted_total", &[]).unwrap();
        assert_eq!(refused > 0, metrics_only);
        assert_eq!(store.health().totals.retry_budget_refused, refused);
    }
}

#[tokio::test(start_paused = true)]
async fn reset_clears_the_circuit() {
    let (regions, store) = store().await;
    regions[0].fail();
    read_times(&store, 20).await;
    assert_eq!(circuits(&store)[0], Open);
    store.reset(UNHEALTHY).unwrap();
    let circuit = store.health().regions[0].read;
    assert_eq!((circuit.state, circuit.consecutive_failures), (Closed, 0));
    assert_eq!(circuit.failure_rate, 0.0);
    // Twice four failures, with a reset between them, are too few to open it.
    advance(secs(60)).await;
    for _ in 0..2 {
        regions[0].fail();
        while store.health().regions[0].read.consecutive_failures < 4 {
            read(&store).await.unwrap();
        }
        store.reset(UNHEALTHY).unwrap();
    }
    assert_eq!(circuits(&store)[0], Closed);
}
