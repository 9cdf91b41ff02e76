//! Answers whose head is not that of the answer to the request: whose fault they are, over real HTTP.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;

use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt, PutMode};
use object_store_failover::{CircuitState, FailoverConfig, FailoverError, FailoverStore, Failure, FailureClass, Region, Sent};
use serde_json::{Value, json};
use support::{Canned, circuits, key, settings};

use CircuitState::{Closed, Open};
use FailureClass::{Caller, Interrupted, Misconfigured};

const TAG: &str = "etag: \"t\"\r\n";
const DATE: &str = "last-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n";
const RANGE: &str = "content-range: bytes 2-5/10\r\n";

/// A region that gives one answer to everything. A status of 206 comes with the four bytes that are asked for, any other with all ten.
async fn answering(status: u16, headers: &str) -> Canned {
    let content = if status == 206 { "2345" } else { "0123456789" };
    let length = if headers.contains("content-length") { String::new() } else { format!("content-length: {}\r\n", content.len()) };
    // `transfer-encoding: chunked` takes the place of a length.
    let (length, content) = match headers.contains("chunked") {
        true => (String::new(), format!("{:x}\r\n{content}\r\n0\r\n\r\n", content.len())),
        false => (length, content.to_owned()),
    };
    let answer = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}{length}\r\n{content}");
    // `?` stands for a byte that is no text.
    let answer: Vec<u8> = answer.bytes().map(|byte| if byte == b'?' { 0xff } else { byte }).collect();
    Canned::answering(answer).await
}

async fn honest() -> Canned {
    answering(206, &format!("{TAG}{DATE}{RANGE}")).await
}

/// Regions `a`, `b` ..., asked in this order, whose circuits open at the first failure; from a document, and handed in.
fn stores(servers: &[&Canned]) -> [FailoverStore; 2] {
    let regions: Vec<_> = servers.iter().zip(["a", "b"]).map(|(server, name)| server.region(name)).collect();
    let (rotation, breaker) = (json!({"policy": "nearest", "canary": 0}), json!({"failure_threshold": 1}));
    let document = json!({"regions": regions, "rotation": rotation, "breaker": breaker, "retry": {"enabled": false}});
    let config: FailoverConfig = settings(document);
    let builder =
        FailoverStore::builder().rotation(settings(rotation)).breaker(settings(breaker)).retry(settings(json!({"enabled": false})));
    let handed_in = config.region_stores().unwrap().into_iter().fold(builder, |builder, (name, store)| {
        // Wrapped, so that it is any store.
        builder.region(Region::new(name, Arc::new(object_store::limit::LimitStore::new(store, 9)) as Arc<dyn ObjectStore>))
    });
    [config.build().unwrap(), handed_in.build().unwrap()]
}

/// Heads that no honest region would send to a request for a range.
fn lies() -> Vec<(u16, String)> {
    let partial = |headers: &str| (206, format!("{TAG}{DATE}{headers}"));
    vec![
        (200, format!("{TAG}{DATE}")),
        (200, format!("{TAG}{DATE}{RANGE}")),
        partial(""),
        partial("content-range: bytes */10\r\n"),
        partial("content-range: bytes 2-5/*\r\n"),
        partial("content-range: ?\r\n"),
        partial("content-range: bytes 0-3/10\r\n"),
        partial("content-range: bytes 2-9/10\r\n"),
        (206, format!("{TAG}{RANGE}last-modified: yesterday\r\n")),
        (206, format!("{DATE}{RANGE}etag: ?\r\n")),
        (206, format!("{TAG}{DATE}{RANGE}transfer-encoding: chunked\r\n")),
    ]
}

#[tokio::test]
async fn a_lying_head_is_the_regions_fault_and_heals_elsewhere() {
    for (status, headers) in lies() {
        let (liar, honest) = (answering(status, &headers).await, honest().await);
        for store in stores(&[&liar, &honest]) {
            assert_eq!(store.get_range(&key(), 2..6).await.unwrap(), "2345", "{headers}");
            assert_eq!(circuits(&store), [Open, Closed], "{headers}");
        }
        for store in stores(&[&liar]) {
            let error = store.get_range(&key(), 2..6).await.unwrap_err();
            let failure = Failure::of(&error);
            assert_eq!((failure.class(), failure.is_transient(), failure.sent()), (Interrupted, true, Sent::Yes));
            let line = error.to_string();
            assert!(!line.contains('\n') && !line.contains("yesterday"), "{line}");
        }
    }
}

#[tokio::test]
async fn what_other_providers_always_send_must_be_there() {
    for headers in [format!("{TAG}{RANGE}"), format!("{DATE}{RANGE}")] {
        let (liar, honest) = (answering(206, &headers).await, honest().await);
        let region = |(name, server): (&str, &Canned)| {
            let options = json!({"google_base_url": server.endpoint, "allow_http": true, "google_bearer_token": "right"});
            json!({"name": name, "url": "gs://bucket", "options": options})
        };
        let regions: Vec<_> = [("a", &liar), ("b", &honest)].into_iter().map(region).collect();
        let document = json!({"regions": regions, "rotation": {"policy": "nearest", "canary": 0}, "breaker": {"failure_threshold": 1}});
        let config: FailoverConfig = settings(document);
        let error = config.region_stores().unwrap()[0].1.get_range(&key(), 2..6).await.unwrap_err();
        assert_eq!(Failure::of(&error).class(), Interrupted, "{error}");
        let store = config.build().unwrap();
        assert_eq!(store.get_range(&key(), 2..6).await.unwrap(), "2345");
        assert_eq!(circuits(&store), [Open, Closed]);
    }
}

#[tokio::test]
async fn a_put_that_is_answered_without_a_tag_may_have_been_done() {
    let liar = answering(200, DATE).await;
    let document = json!({"regions": [liar.region("a")], "writes": {"policy": "home", "home": "a"}, "retry": {"enabled": false}});
    let config: FailoverConfig = settings(document);
    let error = config.region_stores().unwrap()[0].1.put(&key(), "v".into()).await.unwrap_err();
    assert_eq!(Failure::of(&error).class(), Interrupted, "{error}");
    let error = config.build().unwrap().put_opts(&key(), "v".into(), PutMode::Create.into()).await.unwrap_err();
    assert!(matches!(FailoverError::find(&error), Some(FailoverError::Indeterminate { .. })), "{error}");
}

#[tokio::test]
async fn a_range_that_the_object_does_not_have_stays_the_callers() {
    let (short, other) = (answering(206, &format!("{TAG}{DATE}content-range: bytes 0-3/4\r\n")).await, honest().await);
    // A region that knows how long the object is has no business to say 206: where that is seen the other one is asked.
    for (store, class) in stores(&[&short, &other]).into_iter().zip([Interrupted, Caller]) {
        let error = store.get_range(&key(), 7..9).await.unwrap_err();
        assert_eq!(Failure::of(&error).class(), class, "{error}");
    }
    assert_eq!(other.asked(), 1);
}

#[tokio::test]
async fn odd_attributes_of_one_object_open_no_circuit_where_every_replica_has_them() {
    for attribute in ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "x-amz-meta-a"] {
        let head = format!("{TAG}{DATE}{RANGE}{attribute}: ?\r\n");
        let (odd, twin, plain) = (answering(206, &head).await, answering(206, &head).await, honest().await);
        for store in stores(&[&odd, &twin]) {
            let error = store.get_range(&key(), 2..6).await.unwrap_err();
            assert!(matches!(FailoverError::find(&error), Some(FailoverError::AllRegionsFailed { .. })), "{error}");
            assert_eq!((Failure::of(&error).class(), circuits(&store)), (Misconfigured, vec![Closed, Closed]), "{attribute}");
        }
        for store in stores(&[&odd, &plain]) {
            assert_eq!(store.get_range(&key(), 2..6).await.unwrap(), "2345", "{attribute}");
            assert_eq!(circuits(&store), [Open, Closed], "it is that region's own doing");
        }
    }
}

#[tokio::test]
async fn an_http_server_without_ranges_is_passed_by_and_blamed_only_where_another_has_them() {
    let (without, with) = (answering(200, &format!("{TAG}{DATE}")).await, honest().await);
    let region = |name: &str, server: &Canned| json!({"name": name, "url": format!("{}/bucket", server.endpoint)});
    let store = |regions: Vec<Value>| {
        let document = json!({"regions": regions, "rotation": {"policy": "nearest", "canary": 0}, "breaker": {"failure_threshold": 1}});
        settings::<FailoverConfig>(document).build().unwrap()
    };
    let alone = store(vec![region("a", &without)]);
    let error = alone.get_range(&key(), 2..6).await.unwrap_err();
    assert!(matches!(error, Error::NotSupported { .. }), "what the only region says: {error:?}");
    let whole = alone.get_opts(&key(), GetOptions::default()).await.unwrap().bytes().await.unwrap();
    assert_eq!((&whole[..], circuits(&alone)), (&b"0123456789"[..], vec![Closed]));
    let beside = store(vec![region("a", &without), region("b", &with)]);
    assert_eq!(beside.get_range(&key(), 2..6).await.unwrap(), "2345");
    assert_eq!(circuits(&beside), [Open, Closed]);
}
