//! Responses that are hard to distinguish from valid ones.
//!
//! A region that truncates an object and sends matching headers cannot be distinguished from one
//! with a shorter object, so the response is accepted. A `Content-Range` that ends at `u64::MAX`
//! makes object_store 0.14.2 panic in builds with overflow checks.

use failover_testkit::proxy::Response;

use super::invalid_responses::{
    BREAK_AT, InvalidResponse, RequestKind, check_remainder, failures, part, partial_response,
    response_with,
};
use super::*;

#[tokio::test]
async fn range_beyond_its_own_total_is_rejected() {
    InvalidResponse::new(partial_response(1000..2000, 500).body(part(1000..2000)))
        .await
        .on_the_wire()
        .to(RequestKind::Range)
        .await;
}

#[tokio::test]
async fn partial_response_to_a_full_read_is_rejected() {
    InvalidResponse::new(partial_response(0..1000, OBJECT_BYTES).body(part(0..1000)))
        .await
        .on_the_wire()
        .to(RequestKind::Whole)
        .await;
}

#[tokio::test]
async fn status_202_is_rejected() {
    InvalidResponse::new(response_with(202).body(part(0..1000)))
        .await
        .on_the_wire()
        .to(RequestKind::Whole)
        .await;
}

/// Regression: this was a panic in object_store.
#[tokio::test]
async fn ranges_past_the_end_are_an_error() {
    let setup = Setup::new().await;
    let end = OBJECT_BYTES as u64;
    for (_, store) in setup.stores() {
        let error = store
            .get_ranges(&key(), &[end - 20..end - 10, end + 10..end + 20])
            .await
            .unwrap_err();
        assert!(error.to_string().contains("object was only"), "{error}");
        assert_eq!(failures(&store), [0; 3]);
        let whole = store
            .get_ranges(&key(), &[end - 20..end - 10, end - 10..end + 20])
            .await
            .unwrap();
        assert_eq!(
            whole,
            [
                part(OBJECT_BYTES - 20..OBJECT_BYTES - 10),
                part(OBJECT_BYTES - 10..OBJECT_BYTES)
            ]
        );
    }
}

/// Regression: this was a panic, caused by the total in the region's response.
#[tokio::test]
async fn ranges_truncated_by_wrong_total_are_errors() {
    let setup = Setup::new().await;
    setup
        .proxies
        .iter()
        .for_each(|proxy| proxy.set(partial_response(1000..1500, 1500).body(part(1000..1500))));
    for (_, store) in setup.stores() {
        store
            .get_ranges(&key(), &[1000..1100, 1900..2000])
            .await
            .unwrap_err();
    }
}

/// The contradiction is detected after the caller has received the size: only an error is left.
#[tokio::test]
async fn body_longer_than_its_length_is_an_error() {
    let setup = Setup::new().await;
    setup.proxies.iter().for_each(|proxy| {
        proxy.set(
            response_with(200)
                .header("content-length", 1000)
                .chunked(&content()),
        )
    });
    for (_, store) in setup.stores() {
        let read = async { store.get(&key()).await?.bytes().await };
        read.await.unwrap_err();
    }
}

/// Regression: this was an error although a third region has the remainder.
#[tokio::test]
async fn remainder_with_another_total_is_rejected() {
    let rest = || part(BREAK_AT..OBJECT_BYTES);
    check_remainder(partial_response(BREAK_AT..OBJECT_BYTES, OBJECT_BYTES + 1).body(rest())).await;
}

/// The same from a server that ignores `If-Match`.
#[tokio::test]
async fn remainder_of_another_version_is_rejected() {
    let other = Response::new(206)
        .header("etag", "\"1\"")
        .header("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT")
        .header(
            "content-range",
            format!("bytes {BREAK_AT}-{}/{OBJECT_BYTES}", OBJECT_BYTES - 1),
        );
    check_remainder(other.body(part(BREAK_AT..OBJECT_BYTES))).await;
}
