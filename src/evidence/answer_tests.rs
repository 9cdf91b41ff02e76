//! What is taken down of answers: how long they took, what came of their bodies, what they ask for.

#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::aws::AmazonS3;
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService};
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, Result};

use super::connector::EvidenceConnector;
use super::tests::{builder, client, response, serving, watched};
use super::*;
use crate::connections::Connections;
use crate::{Failure, FailureClass};

const HEAD: &str = "etag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n";

/// Clients without a network, whose n-th request takes n seconds; the second one breaks.
#[derive(Debug, Clone, Default)]
struct Slow(Arc<AtomicU64>);

#[async_trait]
impl HttpService for Slow {
    async fn call(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::time::sleep(Duration::from_secs(number)).await;
        if number == 2 {
            return Err(HttpError::new(HttpErrorKind::Interrupted, std::io::Error::other("broken")));
        }
        Ok(http::Response::builder().status(404).body(Vec::new().into()).unwrap())
    }
}

impl HttpConnector for Slow {
    fn connect(&self, _: &ClientOptions) -> Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

/// What is seen of a get, and the bytes that it gives.
async fn get(store: &AmazonS3, key: &str) -> (Result<Bytes>, Evidence) {
    let key = key.into();
    watched(|| async move { store.get(&key).await?.bytes().await }.boxed()).await
}

#[tokio::test(start_paused = true)]
async fn the_first_byte_is_timed_from_the_beginning_of_the_request_that_ended_last() {
    let store = builder("http://nowhere")
        .with_http_connector(EvidenceConnector::new(&Connections::of("slow", Some(Arc::new(Slow::default())))))
        .with_access_key_id("key")
        .with_secret_access_key("secret")
        .build()
        .unwrap();
    let three = async {
        let mut seen = Vec::new();
        for _ in 0..3 {
            let _ = store.get(&"key".into()).await;
            seen.push(current().unwrap().evidence().first_byte);
        }
        Ok(seen)
    };
    let (seen, evidence) = watched(|| three.boxed()).await;
    let second = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(seen.unwrap(), [second(1), None, second(3)], "where the request broke there was none");
    assert_eq!((evidence.first_byte, evidence.requests), (second(3), 3));
    assert_eq!(Recorder::default().evidence().first_byte, None);
}

#[tokio::test]
async fn the_bytes_of_all_bodies_are_counted_as_they_come() {
    let endpoint = serving(|request| match request {
        head if head.starts_with("HEAD") => format!("HTTP/1.1 200 OK\r\n{HEAD}content-length: 5\r\n\r\n"),
        list if list.contains("list-type") => response(200, "", "<ListBucketResult></ListBucketResult>"),
        missing if missing.contains("missing") => response(404, "", "<Error/>"),
        _ => response(200, HEAD, "bytes"),
    });
    let store = &client(&endpoint.await);
    assert_eq!(get(store, "key").await.1.bytes, 5);
    assert_eq!(get(store, "missing").await.1.bytes, 8, "those of errors, too");
    let head = watched(|| async { store.head(&"key".into()).await }.boxed()).await;
    assert_eq!((head.0.unwrap().size, head.1.bytes), (5, 0));
    let list = || store.list(None).try_collect::<Vec<_>>();
    let lists = watched(|| async { Ok((list().await, list().await)) }.boxed()).await;
    assert_eq!(lists.1.bytes, 2 * 37);
    let (recorder, answer) = watch(true, || async { store.get(&"key".into()).await }.boxed());
    let (recorder, answer) = (recorder.unwrap(), answer.await.unwrap());
    assert_eq!(recorder.evidence().bytes, 0, "the head alone has come");
    assert_eq!(answer.bytes().await.unwrap(), "bytes");
    assert_eq!(recorder.evidence().bytes, 5, "the attempt is over, and still is known");
}

#[tokio::test]
async fn a_body_that_is_counted_passes_unchanged_and_breaks_where_it_broke() {
    let long: &'static str = "0123456789".repeat(100_000).leak();
    let endpoint = serving(move |request| {
        let whole = response(200, HEAD, long);
        if request.contains("broken") { whole[..whole.len() - 1].to_owned() } else { whole }
    });
    let store = &client(&endpoint.await);
    assert_eq!(get(store, "whole").await.0.unwrap(), long);
    let (broken, evidence) = get(store, "broken").await;
    assert_eq!(evidence.bytes, long.len() as u64 - 1);
    let failure = Failure::seen(&broken.unwrap_err(), Some(evidence));
    assert_eq!((failure.class(), failure.sent()), (FailureClass::Interrupted, Sent::Yes));
}

#[tokio::test]
async fn how_long_a_region_asks_to_be_left_alone_is_told() {
    let ask = async |headers: &'static str| {
        let endpoint = serving(move |_| response(503, headers, "<Code>SlowDown</Code>")).await;
        let (error, evidence) = get(&client(&endpoint), "key").await;
        Failure::seen(&error.unwrap_err(), Some(evidence)).retry_after().map(|time| time.as_secs())
    };
    assert_eq!(ask("").await, None);
    assert_eq!(ask("Retry-After: 60\r\n").await, Some(60));
    assert_eq!(ask("retry-after: Sat, 21 Nov 2026 08:00:09 GMT\r\ndate: Sat, 21 Nov 2026 08:00:00 GMT\r\n").await, Some(9));
    assert_eq!(ask("retry-after: soon\r\n").await, None);
    assert_eq!(ask("x-retry-after: 60\r\n").await, None);
}

#[tokio::test]
async fn what_an_earlier_request_was_told_is_forgotten_with_it() {
    let endpoint = serving(|request| response(503, if request.contains("first") { "retry-after: 60\r\n" } else { "" }, ""));
    let store = client(&endpoint.await);
    let two = async {
        let _ = store.get(&"first".into()).await;
        store.get(&"second".into()).await
    };
    let (error, evidence) = watched(|| two.boxed()).await;
    assert_eq!((evidence.requests, evidence.retry_after), (2, None));
    let (error_of_first, _) = get(&store, "first").await;
    assert_eq!(Failure::of(&error_of_first.unwrap_err()).retry_after(), None, "the text of an error does not tell");
    assert_eq!(Failure::of(&error.unwrap_err()).retry_after(), None);
}

#[tokio::test]
async fn an_answer_that_is_well_has_its_id_and_its_wish_all_the_same() {
    let head = "x-amz-request-id: two words\r\nx-ms-request-id: 4442587FB7D0A2F9\r\nretry-after: 9\r\n";
    let endpoint = serving(move |_| response(200, head, "an object")).await;
    let (_, evidence) = get(&client(&endpoint), "k").await;
    assert_eq!((evidence.request_id.as_deref(), evidence.retry_after), (Some("4442587FB7D0A2F9"), Some(Duration::from_secs(9))));
}
