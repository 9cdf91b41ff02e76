//! Responses that are not the store's: pages of gateways, and 404s that say nothing about a key.

use std::sync::Arc;

use failover_testkit::{circuits, failover_error, key, read, secs, settings};
use object_store::{Error, ObjectStoreExt};
use object_store_failover::{CircuitState, FailoverConfig, FailoverError, FailoverStore};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use CircuitState::{Closed, Open};

const IDENTITY: &str = "etag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n";
const MARK: &str = "x-amz-request-id: ID\r\n";
const PAGE: &str = "<html>Please log in</html>";
const NO_KEY: &str = "<Error><Code>NoSuchKey</Code></Error>";
const NO_BUCKET: &str = "<Error><Code>NoSuchBucket</Code></Error>";

/// A server whose responses depend on the request, and the first lines and ranges of its requests.
struct Server {
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `respond` gets the head of a request in lower case and returns a whole response.
    async fn start(respond: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap().to_lowercase();
                let method = head.split(' ').next().unwrap();
                let range = head.lines().find(|line| line.starts_with("range: "));
                log.lock()
                    .push(format!("{method} {}", range.unwrap_or_default()));
                let _ = socket.write_all(respond(&head).as_bytes()).await;
            }
        });
        Self { endpoint, requests }
    }

    /// A region with the object.
    async fn holding() -> Self {
        Self::start(|head| response(head, "200 OK", IDENTITY, "right")).await
    }

    /// A region that sends this 404 to every request.
    async fn missing(headers: &'static str, body: &'static str) -> Self {
        Self::start(move |head| response(head, "404 Not Found", headers, body)).await
    }

    /// A bucket with the object `folder/key` only; HEAD gets no code.
    async fn bucket() -> Self {
        Self::start(|head| match head.contains("folder/key") {
            true => response(head, "200 OK", IDENTITY, "right"),
            false => response(head, "404 Not Found", MARK, NO_KEY),
        })
        .await
    }

    /// The requests since the last call.
    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock())
    }

    fn count(&self) -> usize {
        self.requests().len()
    }
}

/// A response that ends its connection, without a body if it is to HEAD.
fn response(head: &str, status: &str, headers: &str, body: &str) -> String {
    let (length, is_head) = (body.len(), head.starts_with("head"));
    let body = if is_head { "" } else { body };
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

/// A page of a gateway: a 200 that no object store would send.
fn page(head: &str) -> String {
    response(head, "200 OK", "content-type: text/html\r\n", PAGE)
}

/// A store over S3 regions `a`, `b`, tried in this order, whose circuits open at once.
fn store(servers: &[&Server], more: Value) -> FailoverStore {
    let region = |(server, name): (&&Server, &str)| {
        let options = json!({
            "aws_endpoint": server.endpoint,
            "aws_allow_http": true,
            "access_key_id": "key",
            "secret_access_key": "secret",
        });
        json!({"name": name, "url": "s3://bucket", "options": options})
    };
    let mut document = json!({
        "regions": servers.iter().zip(["a", "b"]).map(region).collect::<Vec<_>>(),
        "rotation": {"policy": "nearest", "canary": 0},
        "breaker": {"failure_threshold": 1},
        "retry": {"enabled": false},
    });
    let settings_of_test = more.as_object().unwrap().clone();
    document.as_object_mut().unwrap().extend(settings_of_test);
    settings::<FailoverConfig>(document).build().unwrap()
}

fn home_a() -> Value {
    json!({"writes": {"policy": "home", "home": "a"}})
}

fn is_not_found<T>(result: object_store::Result<T>) -> bool {
    matches!(result, Err(Error::NotFound { .. }))
}

#[tokio::test]
async fn page_with_status_200_is_no_object() {
    let (walled, right) = (Server::start(page).await, Server::holding().await);
    let beside = store(&[&walled, &right], json!({}));
    assert_eq!(read(&beside).await.unwrap(), "right");
    assert_eq!((walled.count(), right.count()), (1, 1));
    assert_eq!(circuits(&beside), [Open, Closed], "the region is charged");
    let beside = store(&[&walled, &right], json!({}));
    let size = beside.head(&key()).await.unwrap().size;
    assert_eq!(size, 5, "HEAD of a page");
    let alone = store(&[&walled], json!({}));
    for _ in 0..2 {
        let error = read(&alone).await.unwrap_err().to_string();
        assert!(
            error.contains("neither ETag nor Last-Modified") && !error.contains("log in"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn login_page_behind_a_redirect_is_no_object() {
    let walled = Server::start(|head| match head.contains(" /login ") {
        true => page(head),
        false => response(head, "302 Found", "location: /login\r\n", ""),
    })
    .await;
    let right = Server::holding().await;
    let beside = store(&[&walled, &right], json!({}));
    assert_eq!(read(&beside).await.unwrap(), "right");
    assert_eq!(right.count(), 1);
    read(&store(&[&walled], json!({}))).await.unwrap_err();
}

#[tokio::test]
async fn plain_web_server_needs_no_etag() {
    let server = Server::start(page).await;
    let url = format!("{}/bucket", server.endpoint);
    let document = json!({"regions": [{"name": "a", "url": url}]});
    let store = settings::<FailoverConfig>(document).build().unwrap();
    assert_eq!(read(&store).await.unwrap(), PAGE);
}

#[tokio::test]
async fn unmarked_404_from_home_does_not_end_the_search() {
    let (ingress, right) = (
        Server::missing("content-type: text/plain\r\n", "default backend - 404").await,
        Server::holding().await,
    );
    let beside = store(&[&ingress, &right], home_a());
    for _ in 0..2 {
        assert_eq!(read(&beside).await.unwrap(), "right");
    }
    assert_eq!(right.count(), 2);
    for (headers, body) in [(MARK, ""), ("", NO_KEY)] {
        let home = Server::missing(headers, body).await;
        let beside = store(&[&home, &right], home_a());
        assert!(is_not_found(read(&beside).await), "{headers}{body}");
        assert_eq!((home.count(), right.count()), (1, 0), "{headers}{body}");
    }
}

#[tokio::test]
async fn absence_is_reported_where_no_404_is_marked() {
    for more in [json!({}), home_a()] {
        let (a, b) = (
            Server::missing("", "not here").await,
            Server::missing("", "").await,
        );
        let unmarked = store(&[&a, &b], more);
        assert!(is_not_found(read(&unmarked).await));
        assert_eq!((a.count(), b.count()), (1, 1));
        assert_eq!(circuits(&unmarked), [Closed; 2]);
    }
}

#[tokio::test]
async fn unmarked_404_beside_a_marked_one_is_undecided() {
    let (ingress, replica) = (
        Server::missing("", "default backend - 404").await,
        Server::missing("", NO_KEY).await,
    );
    let error = read(&store(&[&ingress, &replica], home_a())).await;
    let error = error.unwrap_err();
    assert!(
        matches!(failover_error(&error), FailoverError::Undecided { .. }),
        "{error}"
    );
    assert_eq!((ingress.count(), replica.count()), (1, 1));
}

#[tokio::test]
async fn head_404_of_a_missing_bucket_is_no_absence() {
    for more in [home_a(), json!({"reads": {"not_found": "first"}})] {
        let (deleted, right) = (
            Server::missing(MARK, NO_BUCKET).await,
            Server::holding().await,
        );
        let beside = store(&[&deleted, &right], more);
        assert_eq!(beside.head(&key()).await.unwrap().size, 5);
        assert_eq!(
            deleted.requests(),
            ["head ", "get range: bytes=0-0"],
            "one byte confirms the 404"
        );
        assert_eq!(right.requests(), ["head "]);
        assert_eq!(circuits(&beside), [Open, Closed], "the region is charged");
    }
}

#[tokio::test]
async fn head_404_without_confirmation_moves_on() {
    let failing = Server::start(|head| match head.starts_with("head") {
        true => response(head, "404 Not Found", MARK, ""),
        false => response(head, "503 Service Unavailable", MARK, ""),
    })
    .await;
    let right = Server::holding().await;
    let beside = store(&[&failing, &right], home_a());
    assert_eq!(beside.head(&key()).await.unwrap().size, 5);
    assert_eq!((failing.count(), right.count()), (2, 1));
}

#[tokio::test]
async fn head_404_is_confirmed_once_a_minute() {
    let bucket = Server::bucket().await;
    let store = store(&[&bucket], home_a());
    let missing = async || {
        assert!(is_not_found(store.head(&"missing".into()).await));
        bucket.requests()
    };
    assert_eq!(missing().await, ["head ", "get range: bytes=0-0"]);
    assert_eq!(missing().await, ["head "], "a 404 with a code proves it");
    let pass = async |time| {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    };
    pass(secs(58)).await;
    assert_eq!(missing().await, ["head "], "within a minute");
    pass(secs(3)).await;
    assert_eq!(missing().await.len(), 2, "after a minute");
    pass(secs(61)).await;
    assert_eq!(read(&store).await.unwrap(), "right");
    bucket.requests();
    assert_eq!(missing().await, ["head "], "an object proves the bucket");
    assert_eq!(circuits(&store), [Closed]);
}

#[tokio::test]
async fn head_404_of_a_trial_is_confirmed_too() {
    let (deleted, right) = (
        Server::missing(MARK, NO_BUCKET).await,
        Server::holding().await,
    );
    let beside = store(&[&deleted, &right], home_a());
    beside.head(&key()).await.unwrap();
    assert_eq!(circuits(&beside), [Open, Closed]);
    deleted.requests();
    tokio::time::pause();
    tokio::time::advance(secs(61)).await;
    tokio::time::resume();
    let size = beside.head(&key()).await.map(|meta| meta.size);
    assert_eq!((size.unwrap(), deleted.count()), (5, 2));
}

/// One region was confirmed by a GET, the other not: a server without request ids was taken for
/// another server then, and the absence was undecided.
#[tokio::test]
async fn head_404_without_request_id_counts_from_a_proven_bucket() {
    let server = || {
        Server::start(|head| match head.contains("folder/key") {
            true => response(head, "200 OK", IDENTITY, "right"),
            false => response(head, "404 Not Found", "", NO_KEY),
        })
    };
    let (proven, unproven) = (server().await, server().await);
    let store = store(&[&proven, &unproven], json!({}));
    assert_eq!(read(&store).await.unwrap(), "right");
    assert!(is_not_found(store.head(&"missing".into()).await));
    assert_eq!((proven.count(), unproven.count()), (2, 2));
}
