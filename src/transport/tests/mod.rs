//! The recording connector against scripted servers: its evidence, and that it changes nothing.

#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests use the clock directly and fail by panic"
)]

mod bodies;
mod credentials;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::HttpErrorKind;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, Result, RetryConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::connections::Connections;
use super::connector::RecordingConnector;
use super::watch;
use crate::error::{Evidence, Failure, SendState};
use crate::types::FailureClass;

/// A key that resembles the text of several failures.
const ADVERSARIAL: &str = "SlowDown/429 Too Many Requests/\
                           Server returned non-2xx status code: 503/<Code>SlowDown</Code>/x";

/// A server that sends `respond(request headers)` to each connection, and closes it.
async fn serving(respond: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let respond = Arc::new(respond);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let respond = Arc::clone(&respond);
            tokio::spawn(async move {
                let mut request = vec![0; 16 * 1024];
                let length = socket.read(&mut request).await.unwrap_or_default();
                let _ = socket
                    .write_all(respond(&String::from_utf8_lossy(&request[..length])).as_bytes())
                    .await;
                // Closing with unread bytes resets the connection, and may lose the response.
                let _ = socket.shutdown().await;
                while matches!(socket.read(&mut request).await, Ok(1..)) {}
            });
        }
    });
    endpoint
}

fn response(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Reason\r\n{headers}content-length: {length}\r\n\
         connection: close\r\n\r\n{body}",
        length = body.len()
    )
}

fn builder(endpoint: &str) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_bucket_name("bucket")
        .with_http_connector(RecordingConnector::new(&Connections::of("region", None)))
        .with_client_options(
            object_store::ClientOptions::new()
                .with_allow_http(true)
                .with_connect_timeout(Duration::from_secs(1)),
        )
        .with_retry(RetryConfig {
            max_retries: 0,
            ..Default::default()
        })
}

fn client(endpoint: &str) -> AmazonS3 {
    builder(endpoint)
        .with_access_key_id("key")
        .with_secret_access_key("secret")
        .build()
        .unwrap()
}

async fn record<'a, A: 'a>(
    attempt: impl FnOnce() -> BoxFuture<'a, Result<A>>,
) -> (Result<A>, Evidence) {
    let (recorder, future) = watch(true, attempt);
    let result = future.await;
    (result, recorder.unwrap().evidence())
}

/// The errors of a get, a listing, a put and a head, each with its evidence.
async fn errors(store: &AmazonS3) -> [(Error, Evidence); 4] {
    let key = Path::from(ADVERSARIAL);
    let get = record(|| async { store.get(&key).await.map(drop) }.boxed()).await;
    let list = record(|| {
        store
            .list(Some(&key))
            .try_collect::<Vec<_>>()
            .map(|items| items.map(drop))
            .boxed()
    })
    .await;
    let put = record(|| async { store.put(&key, "v".into()).await.map(drop) }.boxed()).await;
    let head = record(|| async { store.head(&key).await.map(drop) }.boxed()).await;
    [get, list, put, head].map(|(result, evidence)| (result.unwrap_err(), evidence))
}

#[tokio::test]
async fn evidence_agrees_with_the_error_text() {
    let code = "<Error><Code>SlowDown</Code><Key>ServiceUnavailable</Key></Error>";
    let adversarial = "<Error><Message>Server returned non-2xx status code: 404</Message>\
                       <Code>no code, but 503\nlines</Code></Error>";
    for status in [
        301, 304, 400, 401, 403, 404, 405, 408, 409, 411, 412, 416, 429, 500, 502, 503, 504,
    ] {
        for body in ["", code, adversarial] {
            let endpoint = serving(move |request| {
                response(
                    status,
                    "",
                    if request.starts_with("HEAD") {
                        ""
                    } else {
                        body
                    },
                )
            })
            .await;
            for (error, evidence) in errors(&client(&endpoint)).await {
                let from_text = Failure::of(&error);
                assert_eq!(
                    (evidence.status, evidence.sent, evidence.requests),
                    (Some(status), SendState::Yes, 1),
                    "{error:?}"
                );
                assert_eq!(
                    (evidence.status, evidence.code.as_deref()),
                    (from_text.http_status(), from_text.code()),
                    "{error:?}"
                );
                assert_eq!(
                    Failure::classify(&error, Some(evidence)),
                    from_text,
                    "{error:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn response_without_body_has_status_and_code() {
    let without_code = serving(|_| response(503, "", "")).await;
    let (error, evidence) =
        record(|| async move { client(&without_code).head(&"k".into()).await }.boxed()).await;
    let failure = Failure::classify(&error.unwrap_err(), Some(evidence));
    assert_eq!(
        (failure.class(), failure.http_status(), failure.code()),
        (FailureClass::Unavailable, Some(503), None)
    );
    let with_code = serving(|_| {
        response(
            503,
            "x-minio-error-code: SlowDownRead\r\nx-amz-request-id: 4442587FB7D0A2F9\r\n",
            "",
        )
    })
    .await;
    let (error, evidence) =
        record(|| async move { client(&with_code).head(&"k".into()).await }.boxed()).await;
    let failure = Failure::classify(&error.unwrap_err(), Some(evidence));
    assert_eq!(
        (failure.class(), failure.code()),
        (FailureClass::Throttled, Some("SlowDownRead"))
    );
    assert_eq!(
        failure.to_string(),
        "503 SlowDownRead, request 4442587FB7D0A2F9"
    );
}

#[tokio::test]
async fn invalid_delete_markers_and_ids_are_ignored() {
    let failure_of = async |headers: &'static str| {
        let endpoint = serving(move |_| response(404, headers, "")).await;
        let (error, evidence) =
            record(|| async move { client(&endpoint).get(&"k".into()).await }.boxed()).await;
        Failure::classify(&error.unwrap_err(), Some(evidence))
    };
    assert!(
        failure_of("x-amz-delete-marker: true\r\n")
            .await
            .is_delete_marker()
    );
    for headers in [
        "",
        "x-amz-delete-marker: false\r\n",
        "x-amz-meta-delete-marker: true\r\n",
    ] {
        assert!(!failure_of(headers).await.is_delete_marker(), "{headers}");
    }
    assert_eq!(
        failure_of("x-amz-request-id: two words\r\n")
            .await
            .request_id(),
        None
    );
    assert_eq!(
        failure_of("x-ms-request-id: a-1\r\n").await.request_id(),
        Some("a-1")
    );
}

#[tokio::test]
async fn evidence_tells_whether_a_request_was_sent() {
    // A bound port that does not listen refuses connections; one with a full queue drops packets.
    let socket =
        || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let (refusing, dropping) = (socket(), socket());
    for listener in [&refusing, &dropping] {
        listener
            .bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
    }
    dropping.listen(0).unwrap();
    let fillers: Vec<_> = (0..4).map(|_| socket()).collect();
    for filler in &fillers {
        filler.set_nonblocking(true).unwrap();
        let _ = filler.connect(&dropping.local_addr().unwrap());
    }
    let endpoint = |socket: &socket2::Socket| {
        format!(
            "http://{}",
            socket.local_addr().unwrap().as_socket().unwrap()
        )
    };
    let closing = serving(|_| String::new()).await;
    let connect = Some(HttpErrorKind::Connect);
    for (endpoint, sent, kind) in [
        (endpoint(&refusing), SendState::No, connect),
        (endpoint(&dropping), SendState::No, connect),
        (closing, SendState::Maybe, Some(HttpErrorKind::Request)),
    ] {
        for (error, evidence) in errors(&client(&endpoint)).await {
            assert_eq!(
                (evidence.sent, evidence.transport, evidence.status),
                (sent, kind, None),
                "{error:?}"
            );
            let failure = Failure::classify(&error, Some(evidence));
            assert_eq!(
                failure.class() == FailureClass::Connect,
                sent == SendState::No,
                "{error:?}"
            );
            assert_eq!(failure.sent(), sent);
        }
    }
}

#[tokio::test]
async fn dropped_request_may_have_arrived() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = client(&format!("http://{}", silent.local_addr().unwrap()));
    let (recorder, future) = watch(true, || async { store.get(&"k".into()).await }.boxed());
    let recorder = recorder.unwrap();
    assert_eq!(recorder.evidence().sent, SendState::No);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), future)
            .await
            .is_err()
    );
    assert_eq!(
        (recorder.evidence().sent, recorder.evidence().requests),
        (SendState::Maybe, 1)
    );
}

#[tokio::test]
async fn concurrent_attempts_have_separate_evidence() {
    const STATUSES: [u16; 5] = [400, 403, 404, 500, 503];
    let number = |request: &str| {
        request
            .split_once("number-")
            .unwrap()
            .1
            .chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
    };
    let endpoint = serving(move |request| {
        let number = number(request);
        let body = format!("<Code>Code{number}</Code>");
        response(
            STATUSES[number.parse::<usize>().unwrap() % 5],
            &format!("x-amz-request-id: {number}\r\n"),
            &body,
        )
    });
    let store = client(&endpoint.await);
    // Fewer than the 128 connections of the accept queue.
    let attempts = (0..96_usize).map(|number| {
        let store = &store;
        let path = Path::from(format!("number-{number}"));
        async move {
            let (_, evidence) = record(|| match number % 3 {
                0 => async move { store.get(&path).await.map(drop) }.boxed(),
                1 => async move { store.put(&path, "v".into()).await.map(drop) }.boxed(),
                _ => store
                    .list(Some(&path))
                    .try_collect::<Vec<_>>()
                    .map(|items| items.map(drop))
                    .boxed(),
            })
            .await;
            let expected = (
                Some(STATUSES[number % 5]),
                Some(format!("Code{number}")),
                Some(number.to_string()),
            );
            assert_eq!(
                (evidence.status, evidence.code, evidence.request_id),
                expected
            );
        }
    });
    futures::future::join_all(attempts).await;
}

#[tokio::test]
async fn error_body_of_any_size_is_unchanged() {
    let body = format!("<Code>SlowDown</Code>{}end", "0123456789".repeat(10_000));
    let sent = body.clone();
    let endpoint = serving(move |_| response(503, "", &sent)).await;
    let (error, evidence) =
        record(|| async move { client(&endpoint).get(&"k".into()).await }.boxed()).await;
    assert!(error.unwrap_err().to_string().ends_with(&body));
    assert_eq!(evidence.code.as_deref(), Some("SlowDown"));
    let page = format!("{}<Code>SlowDown</Code>", " ".repeat(17_000));
    let endpoint = serving(move |_| response(503, "", &page)).await;
    let (_, evidence) =
        record(|| async move { client(&endpoint).get(&"k".into()).await }.boxed()).await;
    assert_eq!(
        (evidence.status, evidence.code),
        (Some(503), None),
        "behind the prefix"
    );
}

#[tokio::test]
async fn interrupted_404_is_not_a_missing_object() {
    let endpoint =
        serving(|_| "HTTP/1.1 404 Not Found\r\ncontent-length: 100\r\n\r\n<Error>".to_owned())
            .await;
    let (error, evidence) =
        record(|| async move { client(&endpoint).get(&"k".into()).await }.boxed()).await;
    assert_eq!(evidence.status, Some(404));
    assert_eq!(
        Failure::classify(&error.unwrap_err(), Some(evidence)).class(),
        FailureClass::Interrupted
    );
}
