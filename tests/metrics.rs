//! What a store tells its operators, in numbers, events and lines of the log.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;

use futures::{FutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use object_store_failover::{CircuitClass, CircuitState, Event, FailoverStore};
use serde_json::json;
use support::*;
use tokio::sync::broadcast::Receiver;
use tokio::time::advance;
use tracing_subscriber::filter::LevelFilter;

const SICK: &str = NAMES[0];
const WELL: &str = NAMES[1];

/// A store over two replicas that hold the key, and what it tells to a recorder of this thread.
async fn watched() -> (Vec<Arc<Scripted>>, FailoverStore, Recorded, impl Drop) {
    let (regions, builder) = replicas(2);
    put(&regions[0], "value").await;
    let store = builder.name("assets").build().unwrap();
    let (recorded, guard) = recording();
    (regions, store, recorded, guard)
}

/// From now on handles that this thread resolves are recorded, until the guard is dropped.
fn recording() -> (Recorded, impl Drop) {
    let recorded = Recorded::default();
    let kept: &'static Recorded = Box::leak(Box::new(recorded.clone()));
    (recorded, metrics::set_default_local_recorder(kept))
}

/// Reads until the sick region has been asked so many times more.
async fn until_asked(store: &FailoverStore, region: &Scripted, times: u64) {
    let wanted = region.calls() + times;
    while region.calls() < wanted {
        read(store).await.unwrap();
    }
}

fn events(receiver: &mut Receiver<Event>) -> Vec<Event> {
    std::iter::from_fn(|| receiver.try_recv().ok()).collect()
}

fn steps(events: &[Event]) -> Vec<(CircuitState, CircuitState)> {
    let step = |event: &Event| match event {
        Event::CircuitChanged { region, class: CircuitClass::Read, change } if &**region == SICK => Some((change.from, change.to)),
        _ => None,
    };
    events.iter().filter_map(step).collect()
}

/// Failing, circuit for reads, admitted, available, as the gauges have it.
fn gauges(recorded: &Recorded) -> [f64; 4] {
    let region = ("bucket_region", SICK);
    [
        recorded.gauge("region_failing", &[region]),
        recorded.gauge("circuit_state", &[region, ("class", "read")]),
        recorded.gauge("region_admitted", &[region]),
        recorded.gauge("regions_available", &[]),
    ]
    .map(Option::unwrap)
}

#[tokio::test(start_paused = true)]
async fn the_life_of_a_circuit_is_told_by_every_gauge_counter_event_and_line() {
    use CircuitState::{Closed, HalfOpen, Open};
    let log = Log::at(LevelFilter::INFO);
    let (regions, store, recorded, _guard) = watched().await;
    let mut heard = store.subscribe();
    let lines = log.take();
    assert_eq!(lines.len(), 2, "one for each region: {lines:?}");
    assert!(lines[0].starts_with("INFO") && lines[0].contains("bucket=\"Scripted\"") && lines[0].contains(SICK), "{lines:?}");

    // Well.
    until_asked(&store, &regions[0], 1).await;
    assert_eq!(gauges(&recorded), [0.0, 0.0, 1.0, 2.0]);
    assert!(recorded.gauge("last_success_timestamp_seconds", &[("bucket_region", SICK)]).unwrap() > 1e9);
    assert!(log.take().is_empty() && events(&mut heard).is_empty(), "quiet while all is well");

    // It fails, and its circuit opens.
    regions[0].set(Mode::Fail(Fault::Status(503, "ServiceUnavailable")));
    until_asked(&store, &regions[0], 3).await;
    assert_eq!(gauges(&recorded), [1.0, 0.0, 1.0, 2.0]);
    assert!(log.take().is_empty());
    until_asked(&store, &regions[0], 1).await;
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("WARN") && lines[0].contains("failures=4") && lines[0].contains("503"), "{lines:?}");
    until_asked(&store, &regions[0], 1).await;
    assert_eq!(gauges(&recorded), [1.0, 2.0, 0.0, 1.0]);
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("WARN") && lines[0].contains("circuit opened"), "{lines:?}");
    assert!(lines[0].contains("5 failures in a row") && lines[0].contains("503 (unavailable) ServiceUnavailable"), "{lines:?}");
    assert_eq!(steps(&events(&mut heard)), [(Closed, Open)]);
    assert_eq!(recorded.counts("failovers_total"), [format!("from={SICK} reason=unavailable to={WELL}: 5")]);

    // It is left alone, and the gauges stand.
    for _ in 0..20 {
        read(&store).await.unwrap();
    }
    assert_eq!(gauges(&recorded), [1.0, 2.0, 0.0, 1.0]);
    assert!(log.take().is_empty());

    // It is tried, and closes.
    regions[0].serve();
    advance(secs(34)).await;
    assert_eq!(gauges(&recorded), [1.0, 2.0, 0.0, 1.0], "a circuit does not become half-open by itself");
    until_asked(&store, &regions[0], 1).await;
    assert_eq!(gauges(&recorded), [0.0, 1.0, 1.0, 2.0]);
    let lines = log.take();
    assert!(lines[0].contains("circuit half-open") && lines[1].contains("trial succeeded (1 of 2)"), "{lines:?}");
    until_asked(&store, &regions[0], 1).await;
    assert_eq!(gauges(&recorded), [0.0, 0.0, 1.0, 2.0]);
    let lines = log.take();
    assert!(lines[0].contains("trial succeeded (2 of 2)") && lines[1].contains("circuit closed"), "{lines:?}");
    assert!(lines.iter().all(|line| line.starts_with("INFO")) && lines.len() == 2, "{lines:?}");
    assert_eq!(steps(&events(&mut heard)), [(Open, HalfOpen), (HalfOpen, Closed)]);

    let own = |name: &str| recorded.counts(name).into_iter().filter(|line| line.contains(SICK)).collect::<Vec<_>>();
    let of_sick = |rest: &str| format!("bucket_region={SICK} {rest}");
    let steps = ["from=closed to=open: 1", "from=half_open to=closed: 1", "from=open to=half_open: 1"];
    assert_eq!(own("circuit_transitions_total"), steps.map(|step| of_sick(&format!("class=read {step}"))));
    assert_eq!(own("attempts_total"), ["result=success: 3", "result=unavailable: 5"].map(|of| of_sick(&format!("operation=get {of}"))));
    assert_eq!(own("attempt_duration_seconds"), [of_sick("operation=get: 8")]);
    assert_eq!(own("body_bytes_total"), [of_sick("").trim().to_owned() + ": 15"]);
    let reads = store.health().totals.requests;
    assert_eq!(recorded.counts("requests_total"), [format!("operation=get result=success: {reads}")]);
    assert_eq!(recorded.counts("request_duration_seconds"), [format!("operation=get: {reads}")]);
    assert_eq!(recorded.gauge("in_flight", &[("bucket_region", SICK)]), Some(0.0));
    let totals = store.health().totals;
    assert_eq!((totals.opens, totals.closes, totals.successes, totals.success_rate), (1, 1, reads, 1.0));
}

#[tokio::test(start_paused = true)]
async fn every_series_is_there_as_0_after_the_first_request_also_where_the_recorder_came_late() {
    let (_regions, store, recorded, _guard) = watched().await;
    assert_eq!(recorded.everything(), "{}", "nothing is resolved before the first request");
    read(&store).await.unwrap();
    let expected = [
        ("region_failing", 2),
        ("circuit_state", 4),
        ("region_admitted", 2),
        ("region_auth_failing", 2),
        ("region_misconfigured", 2),
        ("operator_override", 8),
        ("regions_available", 1),
        ("in_flight", 2),
        ("last_success_timestamp_seconds", 2),
        ("requests_total", 10 * 12),
        ("attempts_total", 2 * 4 * 15),
        ("retries_total", 10 * 4),
        ("failovers_total", 2 * 9),
        ("circuit_transitions_total", 2 * 2 * 5),
        ("all_regions_failed_total", 10),
        ("hedges_total", 4),
        ("body_bytes_total", 2),
        ("body_resumes_total", 2 * 2 + 2 * 2),
        ("lagging_reads_total", 2),
        ("retry_budget_exhausted_total", 1),
        ("throttled_total", 2),
        ("not_found_total", 4),
        ("replication_lag_seconds", 0),
    ];
    for (name, count) in expected {
        assert_eq!(recorded.series(name), count, "{name}");
    }
    let counted: Vec<_> =
        expected.iter().filter(|(name, _)| name.ends_with("_total")).flat_map(|(name, _)| recorded.counts(name)).collect();
    assert_eq!(counted.len(), 3, "one request, one attempt, its bytes: {counted:?}");
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_said_before_the_first_request_is_shown() {
    let (_regions, store, recorded, _guard) = watched().await;
    store.drain(SICK).unwrap();
    read(&store).await.unwrap();
    assert_eq!(recorded.gauge("operator_override", &[("bucket_region", SICK), ("kind", "drain")]), Some(1.0));
    assert_eq!(gauges(&recorded), [0.0, 0.0, 0.0, 1.0]);
}

#[tokio::test(start_paused = true)]
async fn refusals_show_before_anybody_knows_whose_fault_they_are() {
    let (regions, store, recorded, _guard) = watched().await;
    regions.iter().for_each(|region| region.set(Mode::Fail(Fault::Status(403, "AccessDenied"))));
    read(&store).await.unwrap_err();
    let gauge = |name, region| recorded.gauge(name, &[("bucket_region", region)]).unwrap();
    assert_eq!(NAMES[..2].iter().map(|region| gauge("region_auth_failing", region)).collect::<Vec<_>>(), [1.0, 1.0]);
    assert_eq!(gauge("region_failing", SICK), 1.0, "one read, all refused: the alert fires");
    assert_eq!(recorded.counts("requests_total"), ["operation=get result=denied: 1"]);
    assert_eq!(store.health().regions[0].failures, 0, "nobody is charged");
    regions[0].set(Mode::Fail(Fault::Status(404, "NoSuchBucket")));
    regions[1].serve();
    until_asked(&store, &regions[0], 1).await;
    assert_eq!((gauge("region_misconfigured", SICK), gauge("region_auth_failing", SICK)), (1.0, 0.0));
    assert_eq!((gauge("region_failing", WELL), gauge("region_auth_failing", WELL)), (0.0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn each_way_a_call_can_end_is_counted_as_what_its_caller_saw() {
    let (regions, store, recorded, _guard) = watched().await;
    let missing = Path::from("missing");
    store.get(&missing).await.unwrap_err();
    regions[1].set(Mode::Fail(Fault::Status(500, "")));
    store.get(&missing).await.unwrap_err();
    regions[0].set(Mode::Fail(Fault::Status(500, "")));
    store.get(&key()).await.unwrap_err();
    store.put(&key(), "new".into()).await.unwrap_err();
    regions.iter().for_each(|region| region.set(Mode::Hang));
    assert!(store.get(&key()).now_or_never().is_none());
    let expected = [
        "operation=get result=cancelled: 1",
        "operation=get result=error: 1",
        "operation=get result=not_found: 1",
        "operation=get result=undecided: 1",
        "operation=put result=rejected: 1",
    ];
    assert_eq!(recorded.counts("requests_total"), expected);
    assert_eq!(recorded.counts("not_found_total"), ["class=missing: 1", "class=undecided: 1"]);
    assert_eq!(recorded.counts("all_regions_failed_total"), ["operation=get: 1"]);
    // Two rounds over two regions, of the key and of what could not be decided.
    assert_eq!(recorded.counts("retries_total"), ["attempt=1 operation=get: 2"]);
    let totals = store.health().totals;
    assert_eq!((totals.requests, totals.successes, totals.errors), (5, 1, 2));
    assert!((totals.success_rate - 1.0 / 3.0).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn a_lagging_replica_and_a_broken_body_are_counted_where_they_happened() {
    let (regions, builder) = strangers(2);
    put(&regions[1], "value").await;
    let store = builder.build().unwrap();
    let (recorded, _guard) = recording();
    until_asked(&store, &regions[0], 1).await;
    assert_eq!(recorded.counts("lagging_reads_total"), [format!("bucket_region={SICK}: 1")]);
    assert_eq!(recorded.counts("not_found_total"), ["class=lagging: 1"]);

    let (regions, store, recorded, _guard) = watched().await;
    regions[0].set(Mode::BreakAfter(2));
    until_asked(&store, &regions[0], 1).await;
    assert_eq!(recorded.counts("body_resumes_total"), [format!("from={SICK} result=success to={WELL}: 1")]);
    assert!(recorded.counts("attempts_total").contains(&format!("bucket_region={SICK} operation=get result=interrupted: 1")));
    assert_eq!(recorded.counts("body_bytes_total")[1], format!("bucket_region={SICK}: 2"));
    assert_eq!(gauges(&recorded)[0], 1.0);
}

#[tokio::test(start_paused = true)]
async fn throttling_timeouts_and_hedges_are_counted() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "value").await;
    let store = builder.hedge(settings(json!({"after": "10ms", "max_extra": 1.0}))).build().unwrap();
    let (recorded, _guard) = recording();
    regions[0].set(Mode::Fail(Fault::Status(503, "SlowDown")));
    until_asked(&store, &regions[0], 1).await;
    assert_eq!(recorded.counts("throttled_total"), [format!("bucket_region={SICK}: 1")]);
    advance(secs(5)).await;
    regions[0].set(Mode::Slow(secs(1)));
    until_asked(&store, &regions[0], 1).await;
    assert_eq!(recorded.counts("hedges_total"), ["result=won: 1"]);
    assert!(recorded.counts("attempts_total").contains(&format!("bucket_region={SICK} operation=get result=cancelled: 1")));

    let (regions, store, recorded, _guard) = watched().await;
    regions[0].set(Mode::Hang);
    until_asked(&store, &regions[0], 1).await;
    assert!(recorded.counts("attempts_total").contains(&format!("bucket_region={SICK} operation=get result=timeout: 1")));
    assert_eq!((store.health().totals.timeouts, gauges(&recorded)[0]), (1, 1.0));
}

/// A limit that a call's own deadline has made shorter says nothing about the region, and raises no alert.
#[tokio::test(start_paused = true)]
async fn the_callers_own_deadline_makes_no_region_fail() {
    let (regions, store, recorded, _guard) = watched().await;
    regions.iter().for_each(|region| region.set(Mode::Hang));
    let mut options = GetOptions::default();
    options.extensions.insert(object_store_failover::CallOptions { deadline: Some(ms(20)), ..Default::default() });
    store.get_opts(&key(), options).await.unwrap_err();
    assert_eq!(gauges(&recorded)[0], 0.0);
    assert_eq!(recorded.counts("requests_total"), ["operation=get result=deadline: 1"]);
    assert!(recorded.counts("attempts_total").iter().all(|line| line.contains("result=cancelled")));
}

/// A body that the region began, unread.
async fn begun(store: &FailoverStore, region: &Scripted) -> object_store::GetResult {
    loop {
        let before = region.calls();
        let result = store.get(&key()).await.unwrap();
        if region.calls() > before {
            return result;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_from_before_the_outage_declared_a_dead_region_well() {
    let (regions, store, recorded, _guard) = watched().await;
    let straggler = begun(&store, &regions[0]).await;
    let success = || recorded.gauge("last_success_timestamp_seconds", &[("bucket_region", SICK)]).unwrap();
    regions[0].fail();
    until_asked(&store, &regions[0], 5).await;
    assert_eq!((gauges(&recorded)[0], success()), (1.0, 0.0));
    drop(straggler);
    assert_eq!((gauges(&recorded)[0], success()), (1.0, 0.0));
    assert_eq!(store.health().regions[0].failing_in_a_row, 5);
    assert!(recorded.counts("attempts_total").contains(&format!("bucket_region={SICK} operation=get result=success: 1")), "it counts");
}

#[tokio::test(start_paused = true)]
async fn a_body_from_before_the_outage_declared_a_recovered_region_dead() {
    let (regions, store, recorded, _guard) = watched().await;
    regions[0].next([Mode::BreakAfter(1)]);
    let straggler = begun(&store, &regions[0]).await;
    regions[0].fail();
    until_asked(&store, &regions[0], 5).await;
    regions[0].serve();
    advance(secs(40)).await;
    until_asked(&store, &regions[0], 2).await;
    assert_eq!(gauges(&recorded)[..2], [0.0, 0.0]);
    assert_eq!(straggler.bytes().await.unwrap(), "value", "its rest comes from elsewhere");
    assert_eq!((gauges(&recorded)[0], store.health().regions[0].failing_in_a_row), (0.0, 0));
}

/// The bodies whose silence opens a circuit break after it has opened: they are the ones who tell.
#[tokio::test(start_paused = true)]
async fn a_region_whose_bodies_fall_silent_is_failing_though_its_circuit_opened_first() {
    let (regions, store, recorded, _guard) = watched().await;
    until_asked(&store, &regions[0], 1).await;
    regions[0].set(Mode::StallAfter(1));
    let others = async {
        while circuits(&store)[0] == CircuitState::Closed {
            tokio::time::sleep(ms(20)).await;
            store.head(&key()).await.unwrap();
        }
    };
    let crowd = futures::future::join_all((0..20).map(|_| read(&store)));
    let (_, crowd) = tokio::join!(others, crowd);
    assert!(crowd.iter().all(Result::is_ok));
    assert_eq!((circuits(&store)[0], gauges(&recorded)[0]), (CircuitState::Open, 1.0));
}

#[tokio::test(start_paused = true)]
async fn deletes_and_listings_are_counted_too() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "value").await;
    let store = builder.writes(settings(json!({"policy": "home", "home": SICK}))).build().unwrap();
    let (recorded, _guard) = recording();
    assert_eq!(store.list(None).try_collect::<Vec<_>>().await.unwrap().len(), 1);
    store.delete(&key()).await.unwrap();
    store.put_multipart(&key()).await.unwrap().abort().await.unwrap();
    let requests = ["operation=delete result=success: 2", "operation=list result=success: 1", "operation=put result=success: 1"];
    assert_eq!(recorded.counts("requests_total"), requests);
    let attempts = recorded.counts("attempts_total");
    assert!(attempts.contains(&format!("bucket_region={SICK} operation=delete result=success: 2")), "{attempts:?}");
    // An error in the caller's own list of paths is no word of the region's.
    let paths = futures::stream::iter([Err(Fault::Strange.error(&key()))]);
    assert!(store.delete_stream(Box::pin(paths)).try_collect::<Vec<_>>().await.is_err());
    assert_eq!(gauges(&recorded)[0], 0.0);
}

#[tokio::test(start_paused = true)]
async fn no_key_is_ever_told_to_anybody_but_its_caller() {
    const MARKER: &str = "SlowDown-marker";
    let log = Log::at(LevelFilter::INFO);
    let (regions, builder) = replicas(2);
    let key = Path::from(format!("{MARKER}/{MARKER}.txt"));
    regions[0].bucket().put(&key, "value".into()).await.unwrap();
    let writes = json!({"policy": "any", "home": SICK});
    let store = builder.writes(settings(writes)).events(settings(json!({"log_retries": true, "alert_after": 3}))).build().unwrap();
    let (recorded, _guard) = recording();
    let (mut heard, mut seen) = (store.subscribe(), Vec::new());
    let faults = [Fault::Status(500, "InternalError"), Fault::Status(403, "AccessDenied"), Fault::Status(404, "NoSuchKey"), Fault::Reset];
    for mode in faults.map(Mode::Fail).into_iter().chain([Mode::BreakAfter(1), Mode::Fail(Fault::Strange), Mode::Hang, Mode::Serve]) {
        regions.iter().for_each(|region| region.set(mode));
        for _ in 0..3 {
            if let Ok(result) = store.get(&key).await {
                let _ = result.bytes().await;
            }
            let _ = store.head(&key).await;
            let _ = store.put(&key, "value".into()).await;
            let _ = store.copy(&key, &key.clone().join("2")).await;
            let _ = store.list(Some(&Path::from(MARKER))).try_collect::<Vec<_>>().await;
            let _ = store.delete(&key).await;
            seen.extend(events(&mut heard));
            advance(secs(40)).await;
        }
    }
    let told = [
        format!("{seen:?}"),
        log.take().join("\n"),
        recorded.everything(),
        serde_json::to_string(&store.health()).unwrap(),
        format!("{:?}", store.health()),
    ];
    for text in told {
        assert!(text.len() > 100 && !text.contains("marker"), "{text}");
    }
}

#[test]
fn a_region_of_a_document_is_told_with_its_bucket_and_host_and_no_secrets() {
    let log = Log::at(LevelFilter::INFO);
    let config: object_store_failover::FailoverConfig = settings(json!({
        "name": "assets",
        "regions": [{
            "name": "eu", "url": "s3://bucket-eu/prefix", "flavor": "minio",
            "options": {
                "region": "us-east-1", "allow_http": true, "endpoint": "http://user:hush@storage.test:9000/path?hush",
                "access_key_id": "hush", "secret_access_key": "hush",
            },
        }],
    }));
    config.build().unwrap();
    let lines = log.take();
    let line = lines.iter().find(|line| line.contains("a region of the store")).unwrap();
    for part in ["assets", "eu", "s3://bucket-eu/prefix at http://storage.test:9000\"", "Minio", "attempt=5s"] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!lines.join(" ").contains("hush"), "{lines:?}");
}
