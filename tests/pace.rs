//! Regions at their limit: a call goes elsewhere before it waits, and what a region asks for is respected.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;

use futures::{FutureExt, StreamExt, future};
use object_store::memory::InMemory;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use object_store_failover::{AttemptOutcome, CallOptions, FailoverConfig, FailoverError, FailoverStore, LeftOut, WritePolicy};
use serde_json::json;
use support::proxy::{Answer, Fault as Spoilt, Proxy};
use support::s3::{KEY, SECRET, Server};
use support::*;
use tokio::time::Instant;

async fn paced(count: usize, throttle: serde_json::Value) -> (Vec<Arc<Scripted>>, FailoverStore) {
    let (regions, builder) = replicas(count);
    put(&regions[0], "0123456789").await;
    (regions, builder.throttle(settings(throttle)).writes(WritePolicy::Any { home: None }).build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_is_beyond_one_regions_pace_goes_to_the_others_before_anyone_waits() {
    let (regions, store) = paced(3, json!({"reads_per_second": 20})).await;
    let began = Instant::now();
    // Two at once for each region.
    for _ in 0..6 {
        read(&store).await.unwrap();
    }
    assert_eq!((began.elapsed(), calls(&regions)), (ms(0), vec![2, 2, 2]));
    let reads = future::join_all((0..60).map(|_| read(&store))).await;
    assert!(reads.iter().all(Result::is_ok));
    let elapsed = began.elapsed();
    assert!(elapsed >= ms(950) && elapsed <= ms(1_600), "60 more at 60 a second: {elapsed:?}");
    // Writes have a pace of their own.
    let writing = Instant::now();
    for _ in 0..100 {
        store.put(&"other".into(), "v".into()).await.unwrap();
    }
    assert_eq!(writing.elapsed(), ms(0));
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_out_leaves_the_others_to_their_own_pace() {
    let (regions, store) = paced(2, json!({"reads_per_second": 20})).await;
    regions[0].set(Mode::Fail(Fault::Connect));
    let began = Instant::now();
    let reads = future::join_all((0..40).map(|_| read(&store))).await;
    assert!(reads.iter().all(Result::is_ok));
    assert!(began.elapsed() >= ms(1_800) && began.elapsed() <= ms(2_300), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_wait_past_its_deadline_says_that_the_region_is_at_its_limit() {
    let (regions, store) = paced(2, json!({"reads_per_second": 1})).await;
    for _ in 0..2 {
        read(&store).await.unwrap();
    }
    let before = calls(&regions);
    let mut options = GetOptions::default();
    options.extensions.insert(CallOptions { deadline: Some(ms(300)), ..Default::default() });
    let began = Instant::now();
    let error = store.get_opts(&key(), options).await.unwrap_err();
    assert_eq!(began.elapsed(), ms(300));
    let FailoverError::DeadlineExceeded { attempts, .. } = story(&error) else { panic!("{error}") };
    assert!(attempts.iter().all(|report| report.outcome == AttemptOutcome::LeftOut(LeftOut::AtItsLimit)), "{error}");
    assert_eq!(calls(&regions), before, "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn a_place_under_way_is_kept_to_the_bodys_last_byte() {
    let (regions, store) = paced(2, json!({"max_in_flight": 1})).await;
    let one = store.get(&key()).await.unwrap();
    let other = store.get(&key()).await.unwrap();
    assert_eq!(calls(&regions), [1, 1], "the second went elsewhere");
    let wanted = key();
    let mut third = Box::pin(store.get(&wanted));
    assert!(third.as_mut().now_or_never().is_none());
    tokio::time::sleep(secs(3)).await;
    assert!(third.as_mut().now_or_never().is_none(), "both places are taken");
    let mut body = one.into_stream();
    while body.next().await.is_some() {}
    third.await.unwrap();
    drop(other);
    for _ in 0..10 {
        read(&store).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_key_waits_for_the_word_of_a_region_at_its_limit() {
    let (_, store) = paced(2, json!({"reads_per_second": 1})).await;
    for _ in 0..2 {
        let missing = store.get(&"missing".into()).await.unwrap_err();
        assert!(matches!(missing, object_store::Error::NotFound { .. }), "{missing}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_that_throttles_gets_half_and_climbs_back() {
    let (regions, store) = paced(2, json!({"reads_per_second": 100})).await;
    regions[0].next([Mode::Fail(Fault::Status(503, "SlowDown"))]);
    let share = async |seconds: u64| {
        let (before, began) = (calls(&regions), Instant::now());
        let readers = (0..8).map(|_| async {
            while began.elapsed() < secs(seconds) {
                read(&store).await.unwrap();
            }
        });
        future::join_all(readers).await;
        calls(&regions).iter().zip(before).map(|(after, before)| (after - before) / seconds).collect::<Vec<_>>()
    };
    let halved = share(1).await;
    assert!((35..=65).contains(&halved[0]) && (95..=116).contains(&halved[1]), "{halved:?}");
    share(8).await;
    let again = share(2).await;
    assert!(again.iter().all(|rate| (95..=112).contains(rate)), "{again:?}");
}

/// Regions of a document, behind proxies that put words into their mouths.
async fn behind_proxies(count: usize) -> (Vec<Server>, Vec<Proxy>, FailoverStore) {
    let bucket = InMemory::new();
    bucket.put(&key(), "v".into()).await.unwrap();
    let (mut servers, mut proxies, mut regions) = (Vec::new(), Vec::new(), Vec::new());
    for name in &NAMES[..count] {
        let server = Server::start("bucket", Arc::new(bucket.clone())).await;
        let proxy = Proxy::start(server.address());
        regions.push(json!({"name": name, "url": "s3://bucket", "options": {
            "endpoint": proxy.endpoint(), "region": "us-east-1", "allow_http": "true",
            "access_key_id": KEY, "secret_access_key": SECRET, "virtual_hosted_style_request": "false"
        }}));
        (servers, proxies) = (servers.into_iter().chain([server]).collect(), proxies.into_iter().chain([proxy]).collect());
    }
    let document = json!({"regions": regions, "retry": {"base_delay": "1ms"}});
    (servers, proxies, settings::<FailoverConfig>(document).build().unwrap())
}

#[tokio::test]
async fn a_region_that_asks_to_be_left_alone_is_asked_after_the_others() {
    let (_servers, proxies, store) = behind_proxies(2).await;
    proxies[0].next([Spoilt::Answer(Answer::error(503, "SlowDown").header("retry-after", 30))]);
    while proxies[0].counts().requests == 0 {
        read(&store).await.unwrap();
    }
    let asked = proxies[0].counts().requests;
    for _ in 0..50 {
        read(&store).await.unwrap();
    }
    assert_eq!(proxies[0].counts().requests, asked);
    // There is no other region left: it is asked all the same.
    proxies[1].set(Spoilt::Refuse);
    read(&store).await.unwrap();
    assert_eq!(proxies[0].counts().requests, asked + 1);
}

#[tokio::test]
async fn a_further_round_waits_as_long_as_the_only_region_has_asked_for() {
    let (_servers, proxies, store) = behind_proxies(1).await;
    proxies[0].next([Spoilt::Answer(Answer::error(503, "SlowDown").header("retry-after", 1))]);
    let began = std::time::Instant::now();
    read(&store).await.unwrap();
    assert!(began.elapsed() >= ms(990), "{:?}", began.elapsed());
    assert_eq!(proxies[0].counts().requests, 2);
}
