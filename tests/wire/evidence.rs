//! What the transport of built regions records: delete markers, request ids, failed connections.

use failover_testkit::proxy::{Fault, Proxy};
use failover_testkit::{FixedResponse, failover_error, key, read, settings};
use object_store::{Error, ObjectStoreExt};
use object_store_failover::error::SendState;
use object_store_failover::{FailoverConfig, FailoverStore, Failure, FailureClass};
use serde_json::{Value, json};

const HAS_OBJECT: &str = "200\r\netag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n\
    content-length: 3\r\n\r\nold";
const MISSING: &str = "404\r\ncontent-length: 0\r\n\r\n";
const DELETE_MARKER: &str =
    "404\r\nx-amz-delete-marker: true\r\nx-amz-request-id: ID1\r\ncontent-length: 0\r\n\r\n";
const THROTTLED: &str =
    "503\r\nx-amz-request-id: ID2\r\ncontent-length: 21\r\n\r\n<Code>SlowDown</Code>";

/// A server that always sends this response, which begins with its status.
async fn server(response: &str) -> FixedResponse {
    FixedResponse::start(
        format!(
            "HTTP/1.1 {}",
            response.replacen("\r\n", " X\r\nconnection: close\r\n", 1)
        )
        .into_bytes(),
    )
    .await
}

/// A store over regions `a`, `b` ..., tried in this order.
async fn store(responses: &[&'static str], more: Value) -> (Vec<FixedResponse>, FailoverStore) {
    let mut servers = Vec::new();
    for response in responses {
        servers.push(server(response).await);
    }
    let regions: Vec<_> = servers
        .iter()
        .zip(["a", "b", "c"])
        .map(|(server, name)| server.region(name))
        .collect();
    let mut document = json!({
        "regions": regions,
        "rotation": {"policy": "nearest", "canary": 0},
        "retry": {"enabled": false},
    });
    document
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    (
        servers,
        settings::<FailoverConfig>(document).build().unwrap(),
    )
}

#[tokio::test]
async fn delete_marker_overrides_a_lagging_replica() {
    let (servers, deleted) = store(&[DELETE_MARKER, HAS_OBJECT], json!({})).await;
    let error = read(&deleted).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    assert!(matches!(
        deleted.head(&key()).await.unwrap_err(),
        Error::NotFound { .. }
    ));
    assert_eq!(
        servers[1].requests(),
        0,
        "no other region received a request"
    );
    let (_, unseen) = store(&[MISSING, HAS_OBJECT], json!({})).await;
    assert_eq!(
        read(&unseen).await.unwrap(),
        "old",
        "a plain 404 may be replication lag"
    );
    let (_, later) = store(&[MISSING, DELETE_MARKER], json!({})).await;
    assert!(matches!(
        read(&later).await.unwrap_err(),
        Error::NotFound { .. }
    ));
    let (_, unsure) = store(&[THROTTLED, DELETE_MARKER], json!({})).await;
    assert!(
        matches!(read(&unsure).await.unwrap_err(), Error::NotFound { .. }),
        "a delete marker is final although the other region failed"
    );
}

#[tokio::test]
async fn delete_marker_outside_home_is_not_final() {
    let home = |name: &str| json!({"writes": {"policy": "none", "home": name}});
    let (_, recreated) = store(&[DELETE_MARKER, HAS_OBJECT], home("b")).await;
    assert_eq!(
        read(&recreated).await.unwrap(),
        "old",
        "home may have the key again"
    );
    let (_, deleted) = store(&[DELETE_MARKER, HAS_OBJECT], home("a")).await;
    assert!(matches!(
        read(&deleted).await.unwrap_err(),
        Error::NotFound { .. }
    ));
}

#[tokio::test]
async fn body_resumes_past_a_delete_marker() {
    let truncated = "200\r\netag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n\
        content-length: 6\r\n\r\nold";
    let remainder = "206\r\netag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n\
        content-range: bytes 3-5/6\r\ncontent-length: 3\r\n\r\ner!";
    let (_, store) = store(&[truncated, DELETE_MARKER, remainder], json!({})).await;
    assert_eq!(read(&store).await.unwrap(), "older!");
}

#[tokio::test]
async fn unquoted_etag_continues_a_body() {
    const BROKEN: &str = "200\r\netag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n\
        content-length: 6\r\n\r\nold";
    const UNQUOTED: &str = "206\r\netag: t\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n\
        content-range: bytes 3-5/6\r\ncontent-length: 3\r\n\r\ner!";
    const OTHER: &str = "206\r\netag: u\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n\
        content-range: bytes 3-5/6\r\ncontent-length: 3\r\n\r\ner!";
    let (servers, store_of_one_tag) = store(&[BROKEN, UNQUOTED], json!({})).await;
    assert_eq!(read(&store_of_one_tag).await.unwrap(), "older!");
    assert_eq!(servers[1].requests(), 1);
    let (_, store_of_two_tags) = store(&[BROKEN, OTHER], json!({})).await;
    read(&store_of_two_tags).await.unwrap_err();
}

#[tokio::test]
async fn error_text_contains_request_ids() {
    let (_, store) = store(&[THROTTLED, THROTTLED], json!({})).await;
    let error = read(&store).await.unwrap_err();
    let text = failover_error(&error).to_string();
    assert!(
        text.matches("503 SlowDown, request ID2").count() == 2 && !text.contains('\n'),
        "{text}"
    );
    let failure = Failure::of(&error);
    assert_eq!(
        (failure.request_id(), failure.sent()),
        (Some("ID2"), SendState::Yes)
    );
}

#[tokio::test]
async fn connect_timeout_means_nothing_was_sent() {
    let proxy = Proxy::start(([127, 0, 0, 1], 9).into());
    proxy.set(Fault::Blackhole);
    let server = FixedResponse::at(proxy.endpoint());
    let document = json!({
        "regions": [server.region("a")],
        "timeouts": {"connect": "200ms"},
        "retry": {"enabled": false},
    });
    let store = settings::<FailoverConfig>(document).build().unwrap();
    let failure = Failure::of(&read(&store).await.unwrap_err());
    assert_eq!(
        (failure.class(), failure.sent()),
        (FailureClass::Connect, SendState::No),
        "{failure}"
    );
}
