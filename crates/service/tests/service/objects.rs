//! Objects over HTTP: ranges, conditions, status codes.

use axum::http::StatusCode;

use crate::test_service::{REGIONS, TestResponse, TestService};

const SMALL: &str = "/objects/small/000.bin";
const SMALL_BYTES: usize = 1024;

/// A part of any binary object of the demo servers.
pub fn content(range: std::ops::Range<usize>) -> Vec<u8> {
    range.map(|offset| (offset % 251) as u8).collect()
}

#[tokio::test]
async fn get_returns_the_object_and_its_region() {
    let service = TestService::demo().await;
    let response = service.get(SMALL).await;
    assert_eq!(
        (response.status, response.body.clone()),
        (StatusCode::OK, content(0..SMALL_BYTES))
    );
    assert!(REGIONS.contains(&response.header("x-served-by").unwrap()));
    assert_eq!(response.header("content-length"), Some("1024"));
    assert_eq!(response.header("accept-ranges"), Some("bytes"));
    assert!(response.header("etag").unwrap().starts_with('"'));
    assert!(response.header("last-modified").unwrap().ends_with(" GMT"));
    let text = service.get("/objects/hello.txt").await;
    assert_eq!(
        text.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
}

/// Objects share the origin of the operator page.
#[tokio::test]
async fn objects_are_sandboxed() {
    let response = TestService::demo().await.get(SMALL).await;
    let policy = response.header("content-security-policy").unwrap();
    assert!(policy.contains("sandbox"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let service = TestService::demo().await;
    let range = [("range", "bytes=0-9")];
    let head = service.request("HEAD", SMALL, &range).await;
    let get = service.get(SMALL).await;
    assert_eq!(
        (head.status, head.body.len()),
        (StatusCode::OK, 0),
        "a range applies to GET only"
    );
    for name in [
        "content-length",
        "content-type",
        "etag",
        "last-modified",
        "accept-ranges",
    ] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    let missing = service.request("HEAD", "/objects/none", &[]).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn single_ranges_are_partial_content() {
    let service = TestService::demo().await;
    for (header, range) in [
        ("bytes=0-0", 0..1),
        ("bytes=10-19", 10..20),
        ("bytes=1000-", 1000..SMALL_BYTES),
        ("bytes=-24", 1000..SMALL_BYTES),
        ("bytes=1000-99999", 1000..SMALL_BYTES),
        ("bytes=-99999", 0..SMALL_BYTES),
        ("bytes=-18446744073709551615", 0..SMALL_BYTES),
        ("bytes=5-18446744073709551615", 5..SMALL_BYTES),
    ] {
        let response = service.request("GET", SMALL, &[("range", header)]).await;
        assert_eq!(
            response.status,
            StatusCode::PARTIAL_CONTENT,
            "{header}: {}",
            String::from_utf8_lossy(&response.body)
        );
        let content_range = format!("bytes {}-{}/{SMALL_BYTES}", range.start, range.end - 1);
        assert_eq!(
            response.header("content-range"),
            Some(content_range.as_str()),
            "{header}"
        );
        assert_eq!(
            response.header("content-length"),
            Some(range.len().to_string().as_str()),
            "{header}"
        );
        assert!(response.body == content(range), "{header}: wrong bytes");
    }
}

#[tokio::test]
async fn invalid_and_multiple_ranges_are_ignored() {
    let service = TestService::demo().await;
    for header in [
        "bytes=9-1",
        "bytes=0-1,5-6",
        "lines=0-1",
        "bytes=",
        "bytes=-",
        "bytes=+1-2",
        "bytes=a-b",
    ] {
        let response = service.request("GET", SMALL, &[("range", header)]).await;
        assert_eq!(
            (response.status, response.body.len()),
            (StatusCode::OK, SMALL_BYTES),
            "{header}"
        );
    }
}

#[tokio::test]
async fn range_beyond_the_end_is_416_with_size() {
    let memory = TestService::over("[[regions]]\nname = \"a\"\nurl = \"memory:///\"\n", None);
    let empty_suffix = [("range", "bytes=-0")];
    let missing = memory.request("GET", "/objects/none", &empty_suffix).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    let service = TestService::demo().await;
    for header in ["bytes=1024-", "bytes=5000-6000", "bytes=-0"] {
        let response = service.request("GET", SMALL, &[("range", header)]).await;
        assert_eq!(
            response.status,
            StatusCode::RANGE_NOT_SATISFIABLE,
            "{header}"
        );
        assert_eq!(
            response.header("content-range"),
            Some("bytes */1024"),
            "{header}"
        );
    }
    let health = service.service.store.health();
    assert!(
        health.regions.iter().all(|region| region.failures == 0),
        "counted as a failure of a region"
    );
}

#[tokio::test]
async fn conditions_follow_http() {
    let service = TestService::demo().await;
    let whole = service.get(SMALL).await;
    let (tag, time) = (
        whole.header("etag").unwrap(),
        whole.header("last-modified").unwrap(),
    );
    let (past, other) = ("Sun, 06 Nov 1994 08:49:37 GMT", "\"another\"");
    let (ok, part, same, failed) = (
        StatusCode::OK,
        StatusCode::PARTIAL_CONTENT,
        StatusCode::NOT_MODIFIED,
        StatusCode::PRECONDITION_FAILED,
    );
    for (headers, status) in [
        (vec![("if-match", tag)], ok),
        (vec![("if-match", other)], failed),
        (vec![("if-none-match", tag)], same),
        (vec![("if-none-match", other)], ok),
        (vec![("if-modified-since", time)], same),
        (vec![("if-modified-since", past)], ok),
        (vec![("if-modified-since", "no date")], ok),
        (vec![("if-unmodified-since", time)], ok),
        (vec![("if-unmodified-since", past)], failed),
        // ETags take precedence over dates.
        (
            vec![("if-none-match", other), ("if-modified-since", time)],
            ok,
        ),
        (vec![("if-match", tag), ("if-unmodified-since", past)], ok),
        (vec![("if-match", tag), ("range", "bytes=0-3")], part),
        (vec![("if-match", other), ("range", "bytes=0-3")], failed),
        // `If-Range`: the range of this version, or the whole of another.
        (vec![("if-range", tag), ("range", "bytes=0-3")], part),
        (vec![("if-range", other), ("range", "bytes=0-3")], ok),
        (vec![("if-range", time), ("range", "bytes=0-3")], ok),
        (vec![("if-range", other)], ok),
    ] {
        let response = service.request("GET", SMALL, &headers).await;
        assert_eq!(response.status, status, "{headers:?}");
        assert_eq!(
            content_length(&response),
            response.body.len(),
            "{headers:?}"
        );
    }
    let condition = [("if-none-match", tag)];
    let unchanged = service.request("GET", SMALL, &condition).await;
    assert_eq!(
        (unchanged.header("etag"), unchanged.body.len()),
        (Some(tag), 0)
    );
}

#[tokio::test]
async fn missing_key_is_404_and_invalid_key_400() {
    let service = TestService::demo().await;
    for (path, status) in [
        ("/objects/no/such", StatusCode::NOT_FOUND),
        ("/objects/a/%2e%2e/b", StatusCode::BAD_REQUEST),
        ("/objects/a//b", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(service.get(path).await.status, status, "{path}");
    }
    let put = service.request("PUT", SMALL, &[]).await;
    assert_eq!(put.status, StatusCode::METHOD_NOT_ALLOWED);
}

fn content_length(response: &TestResponse) -> usize {
    // Error texts have no explicit header here: hyper would add it.
    response
        .header("content-length")
        .map_or(response.body.len(), |length| length.parse().unwrap())
}
