//! `[throttle]`: a call uses other regions before it waits, and `Retry-After` is respected.

use std::sync::Arc;
use std::time;

use failover_testkit::proxy::{Fault as ProxyFault, Proxy, Response};
use failover_testkit::s3::{KEY, SECRET, Server};
use failover_testkit::*;
use futures::{FutureExt, StreamExt, future};
use object_store::memory::InMemory;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use object_store_failover::error::{AttemptOutcome, SkipReason};
use object_store_failover::{
    CallOptions, FailoverConfig, FailoverError, FailoverStore, WritePolicy,
};
use serde_json::{Value, json};
use tokio::time::Instant;

async fn throttled(count: usize, throttle: Value) -> (Vec<Arc<Scripted>>, FailoverStore) {
    let (regions, builder) = replicas(count);
    put(&regions[0], "0123456789").await;
    let builder = builder.throttle(settings(throttle));
    let store = builder
        .writes(WritePolicy::Any { home: None })
        .build()
        .unwrap();
    (regions, store)
}

#[tokio::test(start_paused = true)]
async fn excess_reads_use_other_regions_before_waiting() {
    let (regions, store) = throttled(3, json!({"reads_per_second": 20})).await;
    let start = Instant::now();
    // Each region admits a burst of two.
    for _ in 0..6 {
        read(&store).await.unwrap();
    }
    assert_eq!((start.elapsed(), calls(&regions)), (ms(0), vec![2, 2, 2]));
    let reads = future::join_all((0..60).map(|_| read(&store))).await;
    assert!(reads.iter().all(Result::is_ok));
    let elapsed = start.elapsed();
    assert!(
        elapsed >= ms(950) && elapsed <= ms(1_600),
        "60 more reads at 60 a second took {elapsed:?}"
    );
    // Writes are not limited by `reads_per_second`.
    let writing = Instant::now();
    for _ in 0..100 {
        store.put(&"other".into(), "v".into()).await.unwrap();
    }
    assert_eq!(writing.elapsed(), ms(0));
}

#[tokio::test(start_paused = true)]
async fn failed_region_does_not_raise_other_rates() {
    let (regions, store) = throttled(2, json!({"reads_per_second": 20})).await;
    regions[0].set(Mode::Fail(Fault::Connect));
    let start = Instant::now();
    let reads = future::join_all((0..40).map(|_| read(&store))).await;
    assert!(reads.iter().all(Result::is_ok));
    let elapsed = start.elapsed();
    assert!(elapsed >= ms(1_800) && elapsed <= ms(2_300), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn deadline_error_reports_regions_at_their_limit() {
    let (regions, store) = throttled(2, json!({"reads_per_second": 1})).await;
    for _ in 0..2 {
        read(&store).await.unwrap();
    }
    let before = calls(&regions);
    let mut options = GetOptions::default();
    options.extensions.insert(CallOptions {
        deadline: Some(ms(300)),
        ..Default::default()
    });
    let start = Instant::now();
    let error = store.get_opts(&key(), options).await.unwrap_err();
    assert_eq!(start.elapsed(), ms(300));
    let FailoverError::DeadlineExceeded { attempts, .. } = failover_error(&error) else {
        panic!("{error}")
    };
    let at_limit = AttemptOutcome::Skipped(SkipReason::AtItsLimit);
    assert!(
        attempts.iter().all(|report| report.outcome == at_limit),
        "{error}"
    );
    assert_eq!(calls(&regions), before, "no request was sent");
}

#[tokio::test(start_paused = true)]
async fn in_flight_permit_is_held_until_body_end() {
    let (regions, store) = throttled(2, json!({"max_in_flight": 1})).await;
    let one = store.get(&key()).await.unwrap();
    let other = store.get(&key()).await.unwrap();
    assert_eq!(
        calls(&regions),
        [1, 1],
        "the second read used the other region"
    );
    let key = key();
    let mut third = Box::pin(store.get(&key));
    assert!(third.as_mut().now_or_never().is_none());
    tokio::time::sleep(secs(3)).await;
    assert!(
        third.as_mut().now_or_never().is_none(),
        "both regions are at their limit"
    );
    let mut body = one.into_stream();
    while body.next().await.is_some() {}
    third.await.unwrap();
    drop(other);
    for _ in 0..10 {
        read(&store).await.unwrap();
    }
}

/// Regression: a refusal whose verdict was open kept its place until the call ended.
#[tokio::test(start_paused = true)]
async fn refused_attempt_frees_its_throttle_permit() {
    let (regions, store) = throttled(2, json!({"max_in_flight": 1})).await;
    regions[0].next([Mode::Fail(Fault::Status(403, "AccessDenied"))]);
    regions[1].set(Mode::Slow(secs(2)));
    let refused = tokio::spawn({
        let store = store.clone();
        async move { read(&store).await }
    });
    tokio::time::sleep(ms(10)).await;
    assert_eq!(calls(&regions), [1, 1], "refused, and sent on");
    let mut options = GetOptions::default();
    options.extensions.insert(CallOptions {
        pin: Some(NAMES[0].into()),
        ..Default::default()
    });
    let start = Instant::now();
    store.get_opts(&key(), options).await.unwrap();
    assert!(start.elapsed().is_zero(), "{:?}", start.elapsed());
    assert_eq!(refused.await.unwrap().unwrap(), "0123456789");
}

#[tokio::test(start_paused = true)]
async fn missing_key_waits_for_a_rate_limited_region() {
    let (_, store) = throttled(2, json!({"reads_per_second": 1})).await;
    for _ in 0..2 {
        let missing = store.get(&"missing".into()).await.unwrap_err();
        assert!(
            matches!(missing, object_store::Error::NotFound { .. }),
            "{missing}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_halves_the_rate_until_it_recovers() {
    let (regions, store) = throttled(2, json!({"reads_per_second": 100})).await;
    regions[0].next([Mode::Fail(Fault::Status(503, "SlowDown"))]);
    let rates = async |seconds: u64| {
        let (before, start) = (calls(&regions), Instant::now());
        let readers = (0..8).map(|_| async {
            while start.elapsed() < secs(seconds) {
                read(&store).await.unwrap();
            }
        });
        future::join_all(readers).await;
        calls(&regions)
            .iter()
            .zip(before)
            .map(|(after, before)| (after - before) / seconds)
            .collect::<Vec<_>>()
    };
    let halved = rates(1).await;
    assert!((35..=65).contains(&halved[0]), "{halved:?}");
    assert!((95..=116).contains(&halved[1]), "{halved:?}");
    rates(8).await;
    let recovered = rates(2).await;
    assert!(
        recovered.iter().all(|rate| (95..=112).contains(rate)),
        "{recovered:?}"
    );
}

/// Regions from a configuration document, each behind a fault proxy.
async fn behind_proxies(count: usize) -> (Vec<Server>, Vec<Proxy>, FailoverStore) {
    let bucket = InMemory::new();
    bucket.put(&key(), "v".into()).await.unwrap();
    let (mut servers, mut proxies, mut regions) = (Vec::new(), Vec::new(), Vec::new());
    for name in &NAMES[..count] {
        let server = Server::start("bucket", Arc::new(bucket.clone())).await;
        let proxy = Proxy::start(server.address());
        regions.push(json!({"name": name, "url": "s3://bucket", "options": {
            "endpoint": proxy.endpoint(), "region": "us-east-1", "allow_http": "true",
            "access_key_id": KEY, "secret_access_key": SECRET,
            "virtual_hosted_style_request": "false"
        }}));
        servers.push(server);
        proxies.push(proxy);
    }
    let document = json!({"regions": regions, "retry": {"base_delay": "1ms"}});
    (
        servers,
        proxies,
        settings::<FailoverConfig>(document).build().unwrap(),
    )
}

#[tokio::test]
async fn retry_after_moves_region_behind_the_others() {
    let (_servers, proxies, store) = behind_proxies(2).await;
    proxies[0].next([ProxyFault::Respond(
        Response::error(503, "SlowDown").header("retry-after", 30),
    )]);
    while proxies[0].counts().requests == 0 {
        read(&store).await.unwrap();
    }
    let sent = proxies[0].counts().requests;
    for _ in 0..50 {
        read(&store).await.unwrap();
    }
    assert_eq!(proxies[0].counts().requests, sent);
    // With no other region left, `Retry-After` does not exclude it.
    proxies[1].set(ProxyFault::Refuse);
    read(&store).await.unwrap();
    assert_eq!(proxies[0].counts().requests, sent + 1);
}

#[tokio::test]
async fn retry_waits_for_retry_after() {
    let (_servers, proxies, store) = behind_proxies(1).await;
    proxies[0].next([ProxyFault::Respond(
        Response::error(503, "SlowDown").header("retry-after", 1),
    )]);
    let start = time::Instant::now();
    read(&store).await.unwrap();
    assert!(start.elapsed() >= ms(990), "{:?}", start.elapsed());
    assert_eq!(proxies[0].counts().requests, 2);
}
