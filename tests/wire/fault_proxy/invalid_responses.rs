//! Responses that contradict the request or themselves. None of them reaches the caller, neither as
//! bytes nor as an error.

use std::ops::Range;

use failover_testkit::proxy::{Fault, Response};

use super::*;

/// The requested range.
const REQUESTED: Range<usize> = 1000..2000;

/// The kinds of reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum RequestKind {
    Whole,
    Range,
    /// Parts of [`REQUESTED`], coalesced into one request.
    Parts,
    /// [`REQUESTED`] and a distant range, in one request each.
    Apart,
}

pub(super) const RANGES: [RequestKind; 3] =
    [RequestKind::Range, RequestKind::Parts, RequestKind::Apart];

impl RequestKind {
    /// Reads and compares with the object's content.
    async fn returns_content(self, store: &FailoverStore) -> Result<bool> {
        match self {
            Self::Whole => Ok(store.get(&key()).await?.bytes().await? == content()),
            Self::Range => Ok(store.get_range(&key(), 1000..2000).await? == part(REQUESTED)),
            Self::Parts => ranges_match(store, &[1000..1100, 1900..2000]).await,
            Self::Apart => ranges_match(store, &[1000..2000, 1_900_000..1_900_100]).await,
        }
    }
}

async fn ranges_match(store: &FailoverStore, ranges: &[Range<u64>]) -> Result<bool> {
    let parts = store.get_ranges(&key(), ranges).await?;
    Ok(parts.into_iter().eq(ranges
        .iter()
        .map(|range| part(range.start as usize..range.end as usize))))
}

/// A first region that always sends one response, and stores over it.
pub(super) struct InvalidResponse {
    response: Response,
    setup: Setup,
    stores: Vec<(&'static str, FailoverStore)>,
}

impl InvalidResponse {
    pub(super) async fn new(response: Response) -> Self {
        let setup = Setup::new().await;
        setup.proxies[0].set(response.clone());
        Self {
            response,
            stores: setup.stores().into(),
            setup,
        }
    }

    /// Keeps only the store whose clients the library builds: detection needs the recorded headers.
    pub(super) fn on_the_wire(mut self) -> Self {
        self.stores.retain(|(kind, _)| *kind == "built");
        self
    }

    /// Checks that all reads return the content, whichever region is first. Returns the failures
    /// that each store charged to the first region.
    pub(super) async fn to(&self, kind: RequestKind) -> [u64; 2] {
        let injected_before = self.setup.proxies[0].counts().faults_injected;
        let mut charged = [0; 2];
        for ((name, store), charged) in self.stores.iter().zip(&mut charged) {
            let before = failures(store);
            for _ in 0..3 {
                match within_limit(kind.returns_content(store)).await {
                    Ok(right) => assert!(
                        right,
                        "{name}, {kind:?}: wrong bytes from {:?}",
                        self.response
                    ),
                    Err(error) => panic!("{name}, {kind:?}: {error} from {:?}", self.response),
                }
            }
            let after = failures(store);
            assert_eq!(
                after[1..],
                before[1..],
                "{name}, {kind:?}: a valid region was charged"
            );
            *charged = after[0] - before[0];
        }
        assert!(
            self.setup.proxies[0].counts().faults_injected > injected_before,
            "{kind:?}: the response was never sent"
        );
        charged
    }
}

pub(super) fn failures(store: &FailoverStore) -> Vec<u64> {
    store
        .health()
        .regions
        .iter()
        .map(|region| region.failures)
        .collect()
}

/// Checks that reads return the content and that every store charges the region.
async fn check_rejected_and_charged(
    responses: impl IntoIterator<Item = Response>,
    kinds: &[RequestKind],
) {
    for response in responses {
        let case = InvalidResponse::new(response).await;
        for kind in kinds {
            let charged = case.to(*kind).await;
            assert!(
                charged.iter().all(|failures| *failures > 0),
                "{kind:?}: no failure was charged for {:?}",
                case.response
            );
        }
    }
}

/// A response with the headers that the server sends for the object.
pub(super) fn response_with(status: u16) -> Response {
    Response::new(status)
        .header("etag", "\"0\"")
        .header("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT")
}

/// A 206 with a `Content-Range` of this range and total.
pub(super) fn partial_response(range: Range<usize>, total: usize) -> Response {
    response_with(206).header(
        "content-range",
        format!("bytes {}-{}/{total}", range.start, range.end - 1),
    )
}

pub(super) fn part(range: Range<usize>) -> Bytes {
    content().slice(range)
}

#[tokio::test]
async fn valid_responses_are_accepted() {
    let setup = Setup::new().await;
    assert_eq!(
        setup.built().head(&key()).await.unwrap().e_tag.unwrap(),
        "\"0\""
    );
    assert_eq!(
        InvalidResponse::new(partial_response(REQUESTED, OBJECT_BYTES).body(part(REQUESTED)))
            .await
            .to(RequestKind::Range)
            .await,
        [0, 0]
    );
    assert_eq!(
        InvalidResponse::new(response_with(200).body(content()))
            .await
            .to(RequestKind::Whole)
            .await,
        [0, 0]
    );
}

#[tokio::test]
async fn wrong_range_fails_over() {
    let responses = [
        response_with(200).body(content()),
        response_with(200).body(part(REQUESTED)),
        response_with(204),
        response_with(206).body(content()),
        response_with(206).body(part(REQUESTED)),
        partial_response(0..1000, OBJECT_BYTES).body(part(0..1000)),
        partial_response(0..1000, OBJECT_BYTES).body(part(REQUESTED)),
        partial_response(999..1999, OBJECT_BYTES).body(part(REQUESTED)),
        partial_response(1000..1999, OBJECT_BYTES).body(part(1000..1999)),
        partial_response(500..2500, OBJECT_BYTES).body(part(500..2500)),
        response_with(206)
            .header("content-range", format!("bytes all/{OBJECT_BYTES}"))
            .body(part(REQUESTED)),
        response_with(206)
            .header("content-range", "bytes 1000-1999/*")
            .body(part(REQUESTED)),
        response_with(206)
            .header("content-range", format!("bytes 1999-1000/{OBJECT_BYTES}"))
            .body(part(REQUESTED)),
        Response::error(200, "InternalError"),
    ];
    check_rejected_and_charged(responses, &RANGES).await;
}

#[tokio::test]
async fn wrong_range_length_fails_over() {
    let responses = [
        partial_response(REQUESTED, OBJECT_BYTES).body(part(1000..1500)),
        partial_response(REQUESTED, OBJECT_BYTES),
        partial_response(REQUESTED, OBJECT_BYTES).body(part(1000..2001)),
        partial_response(REQUESTED, OBJECT_BYTES).body(part(1000..900_000)),
        partial_response(REQUESTED, OBJECT_BYTES).chunked(&part(1000..1500)),
        partial_response(REQUESTED, OBJECT_BYTES).chunked(&part(1000..2500)),
        partial_response(REQUESTED, OBJECT_BYTES)
            .header("content-length", 1000)
            .chunked(&part(1000..2500)),
        partial_response(REQUESTED, OBJECT_BYTES)
            .header("content-length", 1000)
            .header("connection", "close")
            .body(part(1000..1400)),
    ];
    check_rejected_and_charged(responses, &RANGES).await;
    // Bytes after the requested range need not be detected.
    InvalidResponse::new(partial_response(REQUESTED, OBJECT_BYTES).chunked(&part(1000..3000)))
        .await
        .to(RequestKind::Range)
        .await;
}

#[tokio::test]
async fn wrong_content_length_fails_over() {
    let responses = [
        response_with(200)
            .header("content-length", OBJECT_BYTES)
            .header("connection", "close")
            .body(part(0..1000)),
        response_with(200)
            .header("content-length", OBJECT_BYTES)
            .chunked(&part(0..1000)),
        response_with(200)
            .header("content-length", OBJECT_BYTES)
            .chunked(&[&content()[..], b"more"].concat()),
        response_with(200).chunked(&content()),
        response_with(204).header("content-length", OBJECT_BYTES),
    ];
    check_rejected_and_charged(responses, &[RequestKind::Whole]).await;
}

/// The first region breaks a body, the second sends `response` for the remainder, the third is
/// correct. The body must be right.
pub(super) async fn check_remainder(response: Response) {
    let setup = Setup::new().await;
    let mut sent = 0;
    for (name, store) in setup.stores() {
        for _ in 0..4 {
            // The body starts in the first region, whatever the rotation.
            setup.proxies[0].set(Fault::CloseAfter(BREAK_AT as u64));
            setup.proxies[1..]
                .iter()
                .for_each(|proxy| proxy.set(Response::new(500)));
            let body = store.get(&key()).await.unwrap();
            setup.proxies[1].set(response.clone());
            setup.proxies[2].set(Fault::Pass);
            let before = setup.proxies[1].counts();
            match within_limit(body.bytes()).await {
                Ok(bytes) => assert!(bytes == content(), "{name}: wrong bytes from {response:?}"),
                Err(error) => panic!("{name}: {error} from {response:?}"),
            }
            sent += (setup.proxies[1].counts() - before).faults_injected;
        }
    }
    assert!(sent > 1, "the response was hardly ever sent");
}

/// Where the first region breaks a body.
pub(super) const BREAK_AT: usize = 700_000;

#[tokio::test]
async fn invalid_remainder_is_not_joined_to_a_body() {
    let rest = BREAK_AT..OBJECT_BYTES;
    let responses = [
        response_with(200).body(content()),
        response_with(206).body(part(rest.clone())),
        partial_response(0..OBJECT_BYTES, OBJECT_BYTES).body(content()),
        partial_response(BREAK_AT..OBJECT_BYTES - 1, OBJECT_BYTES)
            .body(part(BREAK_AT..OBJECT_BYTES - 1)),
        partial_response(BREAK_AT + 1..OBJECT_BYTES, OBJECT_BYTES)
            .body(part(BREAK_AT + 1..OBJECT_BYTES)),
        partial_response(rest.clone(), OBJECT_BYTES).body(part(BREAK_AT..1_000_000)),
        partial_response(rest.clone(), OBJECT_BYTES)
            .chunked(&[&content()[BREAK_AT..], b"more"].concat()),
        Response::error(503, "SlowDown"),
    ];
    for response in responses {
        check_remainder(response).await;
    }
}
