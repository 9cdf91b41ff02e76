//! Regions built from documents know what was on the wire: markers of deleted objects, ids of requests, connections never made.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use object_store::{Error, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverStore, Failure, FailureClass, Sent};
use serde_json::{Value, json};
use support::{Canned, key, read, settings, story};

const HOLDS_IT: &str = "200\r\netag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\ncontent-length: 3\r\n\r\nold";
const LACKS_IT: &str = "404\r\ncontent-length: 0\r\n\r\n";
const DELETED_IT: &str = "404\r\nx-amz-delete-marker: true\r\nx-amz-request-id: ID1\r\ncontent-length: 0\r\n\r\n";
const THROTTLES: &str = "503\r\nx-amz-request-id: ID2\r\ncontent-length: 21\r\n\r\n<Code>SlowDown</Code>";

/// A region that answers every request so: a status, and the lines that follow it.
async fn answering(answer: &str) -> Canned {
    Canned::answering(format!("HTTP/1.1 {}", answer.replacen("\r\n", " X\r\nconnection: close\r\n", 1)).into_bytes()).await
}

/// Regions `a`, `b` ... in this order, asked in this order.
async fn store(answers: &[&'static str], more: Value) -> (Vec<Canned>, FailoverStore) {
    let mut servers = Vec::new();
    for answer in answers {
        servers.push(answering(answer).await);
    }
    let regions: Vec<_> = servers.iter().zip(["a", "b", "c"]).map(|(server, name)| server.region(name)).collect();
    let mut document = json!({"regions": regions, "rotation": {"policy": "nearest", "canary": 0}, "retry": {"enabled": false}});
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    (servers, settings::<FailoverConfig>(document).build().unwrap())
}

#[tokio::test]
async fn a_deleted_object_is_not_found_where_a_lagging_replica_still_has_it() {
    let (servers, deleted) = store(&[DELETED_IT, HOLDS_IT], json!({})).await;
    let error = read(&deleted).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    assert!(matches!(deleted.head(&key()).await.unwrap_err(), Error::NotFound { .. }));
    assert_eq!(servers[1].asked(), 0, "nobody else was asked");
    let (_, unseen) = store(&[LACKS_IT, HOLDS_IT], json!({})).await;
    assert_eq!(read(&unseen).await.unwrap(), "old", "a plain 404 may be lag");
    let (_, later) = store(&[LACKS_IT, DELETED_IT], json!({})).await;
    assert!(matches!(read(&later).await.unwrap_err(), Error::NotFound { .. }));
    let (_, unsure) = store(&[THROTTLES, DELETED_IT], json!({})).await;
    assert!(matches!(read(&unsure).await.unwrap_err(), Error::NotFound { .. }), "it ends the doubt, too");
}

#[tokio::test]
async fn a_delete_marker_elsewhere_says_nothing_where_home_is_named() {
    let home = |name: &str| json!({"writes": {"policy": "none", "home": name}});
    let (_, anew) = store(&[DELETED_IT, HOLDS_IT], home("b")).await;
    assert_eq!(read(&anew).await.unwrap(), "old", "home may have the key anew");
    let (_, gone) = store(&[DELETED_IT, HOLDS_IT], home("a")).await;
    assert!(matches!(read(&gone).await.unwrap_err(), Error::NotFound { .. }));
}

#[tokio::test]
async fn a_body_that_has_begun_is_finished_although_the_object_is_deleted_elsewhere() {
    let breaks = "200\r\netag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\ncontent-length: 6\r\n\r\nold";
    let has_the_rest =
        "206\r\netag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\ncontent-range: bytes 3-5/6\r\ncontent-length: 3\r\n\r\ner!";
    let (_, store) = store(&[breaks, DELETED_IT, has_the_rest], json!({})).await;
    assert_eq!(read(&store).await.unwrap(), "older!");
}

#[tokio::test]
async fn an_errors_story_has_the_ids_of_requests_in_its_line() {
    let (_, store) = store(&[THROTTLES, THROTTLES], json!({})).await;
    let error = read(&store).await.unwrap_err();
    let text = story(&error).to_string();
    assert!(text.matches("503 SlowDown, request ID2").count() == 2 && !text.contains('\n'), "{text}");
    let failure = Failure::of(&error);
    assert_eq!((failure.request_id(), failure.sent()), (Some("ID2"), Sent::Yes));
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_one_that_was_never_made() {
    let swallowing = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    swallowing.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    swallowing.listen(0).unwrap();
    let address = swallowing.local_addr().unwrap();
    let fillers: Vec<_> = (0..4)
        .map(|_| {
            let filler = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            filler.set_nonblocking(true).unwrap();
            let _ = filler.connect(&address);
            filler
        })
        .collect();
    let server = Canned::at(format!("http://{}", address.as_socket().unwrap()));
    let document = json!({"regions": [server.region("a")], "timeouts": {"connect": "200ms"}, "retry": {"enabled": false}});
    let store = settings::<FailoverConfig>(document).build().unwrap();
    let failure = Failure::of(&read(&store).await.unwrap_err());
    assert_eq!((failure.class(), failure.sent()), (FailureClass::Connect, Sent::No), "{failure}");
    drop(fillers);
}
