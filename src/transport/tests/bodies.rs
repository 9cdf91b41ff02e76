//! Evidence from responses: time to the first byte, bytes of bodies, `Retry-After`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, Result};

use super::{builder, client, record, response, serving};
use crate::error::{Evidence, Failure, SendState};
use crate::transport::connections::Connections;
use crate::transport::connector::RecordingConnector;
use crate::transport::{WireRecorder, current, watch};
use crate::types::FailureClass;

const HEAD: &str = "etag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n";

/// Clients without a network. The n-th request takes n seconds; the second one fails.
#[derive(Debug, Clone, Default)]
struct Slow(Arc<AtomicU64>);

#[async_trait]
impl HttpService for Slow {
    async fn call(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::time::sleep(Duration::from_secs(number)).await;
        if number == 2 {
            return Err(HttpError::new(
                HttpErrorKind::Interrupted,
                std::io::Error::other("interrupted"),
            ));
        }
        Ok(http::Response::builder()
            .status(404)
            .body(Vec::new().into())
            .unwrap())
    }
}

impl HttpConnector for Slow {
    fn connect(&self, _: &ClientOptions) -> Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

/// The bytes of a get, and its evidence.
async fn get(store: &AmazonS3, key: &str) -> (Result<Bytes>, Evidence) {
    let key = key.into();
    record(|| async move { store.get(&key).await?.bytes().await }.boxed()).await
}

#[tokio::test(start_paused = true)]
async fn first_byte_is_timed_per_request() {
    let store = builder("http://unused")
        .with_http_connector(RecordingConnector::new(&Connections::of(
            "slow",
            Some(Arc::new(Slow::default())),
        )))
        .with_access_key_id("key")
        .with_secret_access_key("secret")
        .build()
        .unwrap();
    let three = async {
        let mut times = Vec::new();
        for _ in 0..3 {
            let _ = store.get(&"key".into()).await;
            times.push(current().unwrap().evidence().first_byte);
        }
        Ok(times)
    };
    let (times, evidence) = record(|| three.boxed()).await;
    let second = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(
        times.unwrap(),
        [second(1), None, second(3)],
        "the failed request has none"
    );
    assert_eq!((evidence.first_byte, evidence.requests), (second(3), 3));
    assert_eq!(WireRecorder::default().evidence().first_byte, None);
}

#[tokio::test]
async fn bytes_of_all_bodies_are_counted() {
    let endpoint = serving(|request| match request {
        head if head.starts_with("HEAD") => {
            format!("HTTP/1.1 200 OK\r\n{HEAD}content-length: 5\r\n\r\n")
        }
        list if list.contains("list-type") => {
            response(200, "", "<ListBucketResult></ListBucketResult>")
        }
        missing if missing.contains("missing") => response(404, "", "<Error/>"),
        _ => response(200, HEAD, "bytes"),
    });
    let store = &client(&endpoint.await);
    assert_eq!(get(store, "key").await.1.bytes, 5);
    assert_eq!(get(store, "missing").await.1.bytes, 8, "the error body");
    let head = record(|| async { store.head(&"key".into()).await }.boxed()).await;
    assert_eq!((head.0.unwrap().size, head.1.bytes), (5, 0));
    let list = || store.list(None).try_collect::<Vec<_>>();
    let lists = record(|| async { Ok((list().await, list().await)) }.boxed()).await;
    assert_eq!(lists.1.bytes, 2 * 37);
    let (recorder, response) = watch(true, || async { store.get(&"key".into()).await }.boxed());
    let (recorder, response) = (recorder.unwrap(), response.await.unwrap());
    assert_eq!(recorder.evidence().bytes, 0, "before the body is read");
    assert_eq!(response.bytes().await.unwrap(), "bytes");
    assert_eq!(recorder.evidence().bytes, 5, "after the end of the attempt");
}

#[tokio::test]
async fn counted_body_is_unchanged() {
    let long: &'static str = "0123456789".repeat(100_000).leak();
    let endpoint = serving(move |request| {
        let whole = response(200, HEAD, long);
        if request.contains("interrupted") {
            whole[..whole.len() - 1].to_owned()
        } else {
            whole
        }
    });
    let store = &client(&endpoint.await);
    assert_eq!(get(store, "whole").await.0.unwrap(), long);
    let (result, evidence) = get(store, "interrupted").await;
    assert_eq!(evidence.bytes, long.len() as u64 - 1);
    let failure = Failure::classify(&result.unwrap_err(), Some(evidence));
    assert_eq!(
        (failure.class(), failure.sent()),
        (FailureClass::Interrupted, SendState::Yes)
    );
}

#[tokio::test]
async fn retry_after_is_recorded() {
    let retry_after = async |headers: &'static str| {
        let endpoint = serving(move |_| response(503, headers, "<Code>SlowDown</Code>")).await;
        let (error, evidence) = get(&client(&endpoint), "key").await;
        Failure::classify(&error.unwrap_err(), Some(evidence))
            .retry_after()
            .map(|time| time.as_secs())
    };
    assert_eq!(retry_after("").await, None);
    assert_eq!(retry_after("Retry-After: 60\r\n").await, Some(60));
    assert_eq!(
        retry_after(
            "retry-after: Sat, 21 Nov 2026 08:00:09 GMT\r\ndate: Sat, 21 Nov 2026 08:00:00 GMT\r\n"
        )
        .await,
        Some(9)
    );
    assert_eq!(retry_after("retry-after: soon\r\n").await, None);
    assert_eq!(retry_after("x-retry-after: 60\r\n").await, None);
}

#[tokio::test]
async fn evidence_is_that_of_the_last_request() {
    let endpoint = serving(|request| {
        response(
            503,
            if request.contains("first") {
                "retry-after: 60\r\n"
            } else {
                ""
            },
            "",
        )
    });
    let store = client(&endpoint.await);
    let two = async {
        let _ = store.get(&"first".into()).await;
        store.get(&"second".into()).await
    };
    let (error, evidence) = record(|| two.boxed()).await;
    assert_eq!((evidence.requests, evidence.retry_after), (2, None));
    let (error_of_first, _) = get(&store, "first").await;
    assert_eq!(
        Failure::of(&error_of_first.unwrap_err()).retry_after(),
        None,
        "the error text has none"
    );
    assert_eq!(Failure::of(&error.unwrap_err()).retry_after(), None);
}

#[tokio::test]
async fn successful_response_has_id_and_retry_after() {
    let head =
        "x-amz-request-id: two words\r\nx-ms-request-id: 4442587FB7D0A2F9\r\nretry-after: 9\r\n";
    let endpoint = serving(move |_| response(200, head, "an object")).await;
    let (_, evidence) = get(&client(&endpoint), "k").await;
    assert_eq!(
        (evidence.request_id.as_deref(), evidence.retry_after),
        (Some("4442587FB7D0A2F9"), Some(Duration::from_secs(9)))
    );
}
