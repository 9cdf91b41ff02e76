//! Counters of requests and attempts by their result.

use failover_testkit::{
    Fault, Mode, NAMES, independent_regions, key, ms, put, read, replicas, secs, settings,
};
use futures::{FutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::json;
use tokio::time::advance;

use super::{gauges, read_until_called, recorded_store};
use crate::{HEALTHY, UNHEALTHY, record_metrics};

#[tokio::test(start_paused = true)]
async fn rejected_credentials_show_although_no_region_is_charged() {
    let (regions, store, recorded, _guard) = recorded_store().await;
    let denied = Mode::Fail(Fault::Status(403, "AccessDenied"));
    regions.iter().for_each(|region| region.set(denied));
    read(&store).await.unwrap_err();
    let gauge = |name, region| {
        let labels = [("bucket_region", region)];
        recorded.gauge(name, &labels).unwrap()
    };
    for region in &NAMES[..2] {
        assert_eq!(gauge("region_auth_failing", *region), 1.0);
    }
    assert_eq!(
        gauge("region_failing", UNHEALTHY),
        1.0,
        "one read is enough for the alert"
    );
    let requests = recorded.counts("requests_total");
    assert_eq!(requests, ["operation=get result=denied: 1"]);
    // All regions agree, so that the credentials are at fault and not a region.
    assert_eq!(store.health().regions[0].failures, 0);
    regions[0].set(Mode::Fail(Fault::Status(404, "NoSuchBucket")));
    regions[1].serve();
    read_until_called(&store, &regions[0], 1).await;
    assert_eq!(gauge("region_misconfigured", UNHEALTHY), 1.0);
    assert_eq!(gauge("region_auth_failing", UNHEALTHY), 0.0);
    assert_eq!(gauge("region_failing", HEALTHY), 0.0);
    assert_eq!(gauge("region_auth_failing", HEALTHY), 0.0);
}

#[tokio::test(start_paused = true)]
async fn each_request_result_is_counted() {
    let (regions, store, recorded, _guard) = recorded_store().await;
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
    let not_found = recorded.counts("not_found_total");
    assert_eq!(not_found, ["class=missing: 1", "class=undecided: 1"]);
    let failed = recorded.counts("all_regions_failed_total");
    assert_eq!(failed, ["operation=get: 1"]);
    // A second round each: for the undecided request and for the failed one.
    let retries = recorded.counts("retries_total");
    assert_eq!(retries, ["attempt=1 operation=get: 2"]);
    let totals = store.health().totals;
    assert_eq!(
        (totals.requests, totals.successes, totals.errors),
        (5, 1, 2)
    );
    assert!((totals.success_rate - 1.0 / 3.0).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn lagging_replica_and_resumed_body_are_counted() {
    let (regions, builder) = independent_regions(2);
    put(&regions[1], "value").await;
    let store = builder.build().unwrap();
    let (recorded, _guard) = record_metrics();
    read_until_called(&store, &regions[0], 1).await;
    let lagging = recorded.counts("lagging_reads_total");
    assert_eq!(lagging, [format!("bucket_region={UNHEALTHY}: 1")]);
    assert_eq!(recorded.counts("not_found_total"), ["class=lagging: 1"]);

    let (regions, store, recorded, _guard) = recorded_store().await;
    regions[0].set(Mode::BreakAfter(2));
    read_until_called(&store, &regions[0], 1).await;
    let resumes = recorded.counts("body_resumes_total");
    assert_eq!(
        resumes,
        [format!("from={UNHEALTHY} result=success to={HEALTHY}: 1")]
    );
    assert_contains(&recorded.counts("attempts_total"), "get", "interrupted: 1");
    let bytes = recorded.counts("body_bytes_total");
    assert_eq!(bytes[1], format!("bucket_region={UNHEALTHY}: 2"));
    assert_eq!(gauges(&recorded)[0], 1.0);
}

#[tokio::test(start_paused = true)]
async fn throttling_timeouts_and_hedges_are_counted() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "value").await;
    let hedge = settings(json!({"after": "10ms", "max_extra": 1.0}));
    let store = builder.hedge(hedge).build().unwrap();
    let (recorded, _guard) = record_metrics();
    regions[0].set(Mode::Fail(Fault::Status(503, "SlowDown")));
    read_until_called(&store, &regions[0], 1).await;
    let throttled = recorded.counts("throttled_total");
    assert_eq!(throttled, [format!("bucket_region={UNHEALTHY}: 1")]);
    advance(secs(5)).await;
    regions[0].set(Mode::Slow(secs(1)));
    read_until_called(&store, &regions[0], 1).await;
    assert_eq!(recorded.counts("hedges_total"), ["result=won: 1"]);
    assert_contains(&recorded.counts("attempts_total"), "get", "cancelled: 1");

    let (regions, store, recorded, _guard) = recorded_store().await;
    regions[0].set(Mode::Hang);
    read_until_called(&store, &regions[0], 1).await;
    assert_contains(&recorded.counts("attempts_total"), "get", "timeout: 1");
    assert_eq!(store.health().totals.timeouts, 1);
    assert_eq!(gauges(&recorded)[0], 1.0);
}

#[tokio::test(start_paused = true)]
async fn deletes_and_listings_are_counted() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "value").await;
    let writes = settings(json!({"policy": "home", "home": UNHEALTHY}));
    let store = builder.writes(writes).build().unwrap();
    let (recorded, _guard) = record_metrics();
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    store.delete(&key()).await.unwrap();
    let mut upload = store.put_multipart(&key()).await.unwrap();
    upload.abort().await.unwrap();
    let expected = [
        "operation=delete result=success: 2",
        "operation=list result=success: 1",
        "operation=put result=success: 1",
    ];
    assert_eq!(recorded.counts("requests_total"), expected);
    assert_contains(&recorded.counts("attempts_total"), "delete", "success: 2");
    // An error in the caller's own stream of paths says nothing about the region.
    let paths = futures::stream::iter([Err(Fault::Unclassified.error(&key()))]);
    let result = store.delete_stream(Box::pin(paths)).try_collect::<Vec<_>>();
    assert!(result.await.is_err());
    assert_eq!(gauges(&recorded)[0], 0.0);
}

#[tokio::test(start_paused = true)]
async fn call_deadline_marks_no_region_failing() {
    let (regions, store, recorded, _guard) = recorded_store().await;
    regions.iter().for_each(|region| region.set(Mode::Hang));
    let mut options = object_store::GetOptions::default();
    options
        .extensions
        .insert(object_store_failover::CallOptions {
            deadline: Some(ms(20)),
            ..Default::default()
        });
    store.get_opts(&key(), options).await.unwrap_err();
    assert_eq!(gauges(&recorded)[0], 0.0);
    let requests = recorded.counts("requests_total");
    assert_eq!(requests, ["operation=get result=deadline: 1"]);
    for line in recorded.counts("attempts_total") {
        assert!(line.contains("result=cancelled"), "{line}");
    }
}

/// One of the attempts in the unhealthy region has this result and count.
fn assert_contains(attempts: &[String], operation: &str, result: &str) {
    let wanted = format!("bucket_region={UNHEALTHY} operation={operation} result={result}");
    assert!(attempts.contains(&wanted), "{wanted}: {attempts:?}");
}
