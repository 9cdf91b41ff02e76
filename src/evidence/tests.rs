//! The connector against scripted servers: what it sees, and that nobody notices.

#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

use std::time::Duration;

use futures::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, Result, RetryConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::connector::EvidenceConnector;
use super::credentials::Uncounted;
use super::*;
use crate::connections::Connections;
use crate::{Failure, FailureClass};

/// A key that looks like every failure there is.
const ADVERSARIAL: &str = "SlowDown/429 Too Many Requests/Server returned non-2xx status code: 503/<Code>SlowDown</Code>/x";

/// A server that answers each request, of which it is shown the head, and closes.
pub(super) async fn serving(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut request = vec![0; 16 * 1024];
                let length = socket.read(&mut request).await.unwrap_or_default();
                let _ = socket.write_all(answer(&String::from_utf8_lossy(&request[..length])).as_bytes()).await;
                // A line closed with bytes unread is reset, and the answer may be lost with it.
                let _ = socket.shutdown().await;
                while matches!(socket.read(&mut request).await, Ok(1..)) {}
            });
        }
    });
    endpoint
}

pub(super) fn response(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} Whatever\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

pub(super) fn builder(endpoint: &str) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_bucket_name("bucket")
        .with_http_connector(EvidenceConnector::new(&Connections::of("region", None)))
        .with_client_options(object_store::ClientOptions::new().with_allow_http(true).with_connect_timeout(Duration::from_secs(1)))
        .with_retry(RetryConfig { max_retries: 0, ..Default::default() })
}

pub(super) fn client(endpoint: &str) -> AmazonS3 {
    builder(endpoint).with_access_key_id("key").with_secret_access_key("secret").build().unwrap()
}

pub(super) async fn watched<'a, A: 'a>(attempt: impl FnOnce() -> BoxFuture<'a, Result<A>>) -> (Result<A>, Evidence) {
    let (recorder, future) = watch(true, attempt);
    let result = future.await;
    (result, recorder.unwrap().evidence())
}

/// The errors of a get, a listing, a put and a head, each with what was seen of it.
async fn errors(store: &AmazonS3) -> [(Error, Evidence); 4] {
    let key = Path::from(ADVERSARIAL);
    let get = watched(|| async { store.get(&key).await.map(drop) }.boxed()).await;
    let list = watched(|| store.list(Some(&key)).try_collect::<Vec<_>>().map(|items| items.map(drop)).boxed()).await;
    let put = watched(|| async { store.put(&key, "v".into()).await.map(drop) }.boxed()).await;
    let head = watched(|| async { store.head(&key).await.map(drop) }.boxed()).await;
    [get, list, put, head].map(|(result, evidence)| (result.unwrap_err(), evidence))
}

#[tokio::test]
async fn evidence_says_of_every_status_what_the_text_says() {
    let code = "<Error><Code>SlowDown</Code><Key>ServiceUnavailable</Key></Error>";
    let adversarial = "<Error><Message>Server returned non-2xx status code: 404</Message><Code>no word, but 503\nlines</Code></Error>";
    for status in [301, 304, 400, 401, 403, 404, 405, 408, 409, 411, 412, 416, 429, 500, 502, 503, 504] {
        for body in ["", code, adversarial] {
            let endpoint = serving(move |request| response(status, "", if request.starts_with("HEAD") { "" } else { body })).await;
            for (error, evidence) in errors(&client(&endpoint)).await {
                let told = Failure::of(&error);
                assert_eq!((evidence.status, evidence.sent, evidence.requests), (Some(status), Sent::Yes, 1), "{error:?}");
                assert_eq!((evidence.status, evidence.code.as_deref()), (told.http_status(), told.code()), "{error:?}");
                assert_eq!(Failure::seen(&error, Some(evidence)), told, "{error:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_without_a_body_still_has_its_status_and_code() {
    let bare = serving(|_| response(503, "", "")).await;
    let (error, evidence) = watched(|| async move { client(&bare).head(&"k".into()).await }.boxed()).await;
    let failure = Failure::seen(&error.unwrap_err(), Some(evidence));
    assert_eq!((failure.class(), failure.http_status(), failure.code()), (FailureClass::Unavailable, Some(503), None));
    let coded = serving(|_| response(503, "x-minio-error-code: SlowDownRead\r\nx-amz-request-id: 4442587FB7D0A2F9\r\n", "")).await;
    let (error, evidence) = watched(|| async move { client(&coded).head(&"k".into()).await }.boxed()).await;
    let failure = Failure::seen(&error.unwrap_err(), Some(evidence));
    assert_eq!((failure.class(), failure.code()), (FailureClass::Throttled, Some("SlowDownRead")));
    assert_eq!(failure.to_string(), "503 SlowDownRead, request 4442587FB7D0A2F9");
}

#[tokio::test]
async fn a_marker_and_an_id_are_taken_only_as_what_they_can_be() {
    let ask = async |headers: &'static str| {
        let endpoint = serving(move |_| response(404, headers, "")).await;
        let (error, evidence) = watched(|| async move { client(&endpoint).get(&"k".into()).await }.boxed()).await;
        Failure::seen(&error.unwrap_err(), Some(evidence))
    };
    assert!(ask("x-amz-delete-marker: true\r\n").await.is_delete_marker());
    for headers in ["", "x-amz-delete-marker: false\r\n", "x-amz-meta-delete-marker: true\r\n"] {
        assert!(!ask(headers).await.is_delete_marker(), "{headers}");
    }
    assert_eq!(ask("x-amz-request-id: two words\r\n").await.request_id(), None);
    assert_eq!(ask("x-ms-request-id: a-1\r\n").await.request_id(), Some("a-1"));
}

#[tokio::test]
async fn it_is_known_whether_anything_was_sent() {
    // A port that is held but not listening refuses; one whose queue is full swallows.
    let socket = || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let (refusing, swallowing) = (socket(), socket());
    for listener in [&refusing, &swallowing] {
        listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    }
    swallowing.listen(0).unwrap();
    let fillers: Vec<_> = (0..4).map(|_| socket()).collect();
    for filler in &fillers {
        filler.set_nonblocking(true).unwrap();
        let _ = filler.connect(&swallowing.local_addr().unwrap());
    }
    let endpoint = |socket: &socket2::Socket| format!("http://{}", socket.local_addr().unwrap().as_socket().unwrap());
    let closing = serving(|_| String::new()).await;
    let connect = Some(HttpErrorKind::Connect);
    for (endpoint, sent, kind) in [
        (endpoint(&refusing), Sent::No, connect),
        (endpoint(&swallowing), Sent::No, connect),
        (closing, Sent::Maybe, Some(HttpErrorKind::Request)),
    ] {
        for (error, evidence) in errors(&client(&endpoint)).await {
            assert_eq!((evidence.sent, evidence.transport, evidence.status), (sent, kind, None), "{error:?}");
            let failure = Failure::seen(&error, Some(evidence));
            assert_eq!(failure.class() == FailureClass::Connect, sent == Sent::No, "{error:?}");
            assert_eq!(failure.sent(), sent);
        }
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_may_have_arrived_and_one_never_begun_has_not() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = client(&format!("http://{}", silent.local_addr().unwrap()));
    let (recorder, future) = watch(true, || async { store.get(&"k".into()).await }.boxed());
    let recorder = recorder.unwrap();
    assert_eq!(recorder.evidence().sent, Sent::No);
    assert!(tokio::time::timeout(Duration::from_millis(100), future).await.is_err());
    assert_eq!((recorder.evidence().sent, recorder.evidence().requests), (Sent::Maybe, 1));
}

#[tokio::test]
async fn attempts_in_flight_at_once_never_mix() {
    const STATUSES: [u16; 5] = [400, 403, 404, 500, 503];
    let number = |request: &str| request.split_once("number-").unwrap().1.chars().take_while(char::is_ascii_digit).collect::<String>();
    let endpoint = serving(move |request| {
        let number = number(request);
        let body = format!("<Code>Code{number}</Code>");
        response(STATUSES[number.parse::<usize>().unwrap() % 5], &format!("x-amz-request-id: {number}\r\n"), &body)
    });
    let store = client(&endpoint.await);
    // Fewer than the 128 connections that may wait to be accepted.
    let attempts = (0..96_usize).map(|number| {
        let store = &store;
        let path = Path::from(format!("number-{number}"));
        async move {
            let (_, seen) = watched(|| match number % 3 {
                0 => async move { store.get(&path).await.map(drop) }.boxed(),
                1 => async move { store.put(&path, "v".into()).await.map(drop) }.boxed(),
                _ => store.list(Some(&path)).try_collect::<Vec<_>>().map(|items| items.map(drop)).boxed(),
            })
            .await;
            let expected = (Some(STATUSES[number % 5]), Some(format!("Code{number}")), Some(number.to_string()));
            assert_eq!((seen.status, seen.code, seen.request_id), expected);
        }
    });
    futures::future::join_all(attempts).await;
}

#[tokio::test]
async fn an_error_body_of_any_size_passes_unchanged() {
    let body = format!("<Code>SlowDown</Code>{}end", "0123456789".repeat(10_000));
    let sent = body.clone();
    let endpoint = serving(move |_| response(503, "", &sent)).await;
    let (error, evidence) = watched(|| async move { client(&endpoint).get(&"k".into()).await }.boxed()).await;
    assert!(error.unwrap_err().to_string().ends_with(&body));
    assert_eq!(evidence.code.as_deref(), Some("SlowDown"));
    let page = format!("{}<Code>SlowDown</Code>", " ".repeat(17_000));
    let endpoint = serving(move |_| response(503, "", &page)).await;
    let (_, evidence) = watched(|| async move { client(&endpoint).get(&"k".into()).await }.boxed()).await;
    assert_eq!((evidence.status, evidence.code), (Some(503), None), "not looked at so far");
}

#[tokio::test]
async fn a_404_whose_body_breaks_is_no_news_about_the_object() {
    let endpoint = serving(|_| "HTTP/1.1 404 Not Found\r\ncontent-length: 100\r\n\r\n<Error>".to_owned()).await;
    let (error, evidence) = watched(|| async move { client(&endpoint).get(&"k".into()).await }.boxed()).await;
    assert_eq!(evidence.status, Some(404));
    assert_eq!(Failure::seen(&error.unwrap_err(), Some(evidence)).class(), FailureClass::Interrupted);
}

#[tokio::test]
async fn requests_for_credentials_are_not_the_attempts() {
    let absent = serving(|_| response(404, "x-amz-delete-marker: true\r\n", "<Code>NoSuchKey</Code>")).await;
    let bucket = serving(|_| response(503, "", "")).await;
    let expiry = "2999-01-01T00:00:00Z";
    let role = format!(r#"{{"AccessKeyId":"k","SecretAccessKey":"s","Token":"t","Code":"Success","Expiration":"{expiry}"}}"#);
    let service = serving(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        response(200, "", if path.ends_with("/role") { &role } else { "role" })
    });
    for (metadata, requests, status) in [(absent, 0, None), (service.await, 1, Some(503))] {
        let plain = builder(&bucket).with_metadata_endpoint(&metadata);
        let credentials = Arc::clone(plain.clone().build().unwrap().credentials());
        let store = plain.with_credentials(Arc::new(Uncounted(credentials))).build().unwrap();
        for (error, evidence) in errors(&store).await {
            assert_eq!((evidence.requests, evidence.status), (requests, status), "{error:?}");
            let sent = if requests == 0 { Sent::No } else { Sent::Yes };
            assert_eq!((evidence.sent, evidence.delete_marker), (sent, false));
            assert_ne!(Failure::seen(&error, Some(evidence)).class(), FailureClass::NotFound);
        }
    }
}
