//! Objects over HTTP: ranges and conditions.

use axum::http::StatusCode;

use crate::site::{Answer, REGIONS, Site, bytes};

/// The size of small/000.bin.
const SIZE: usize = 1024;
const SMALL: &str = "/objects/small/000.bin";

#[tokio::test]
async fn an_object_is_served_whole_and_says_who_served_it() {
    let site = Site::embedded().await;
    let answer = site.get(SMALL).await;
    assert_eq!((answer.status, answer.body.clone()), (StatusCode::OK, bytes(0..SIZE)));
    assert!(REGIONS.contains(&answer.header("x-served-by").unwrap()));
    assert_eq!(answer.header("content-length"), Some("1024"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert!(answer.header("etag").unwrap().starts_with('"') && answer.header("last-modified").unwrap().ends_with(" GMT"));
    assert_eq!(site.get("/objects/hello.txt").await.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[tokio::test]
async fn an_object_cannot_run_beside_the_operators_page() {
    let answer = Site::embedded().await.get(SMALL).await;
    assert!(answer.header("content-security-policy").unwrap().contains("sandbox"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn head_says_what_get_would_without_a_body() {
    let site = Site::embedded().await;
    let (head, get) = (site.ask("HEAD", SMALL, &[("range", "bytes=0-9")]).await, site.get(SMALL).await);
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "a range is for GET only");
    for name in ["content-length", "content-type", "etag", "last-modified", "accept-ranges"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!(site.ask("HEAD", "/objects/none", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn ranges_are_served_as_http_has_them() {
    let site = Site::embedded().await;
    for (asked, range) in [
        ("bytes=0-0", 0..1),
        ("bytes=10-19", 10..20),
        ("bytes=1000-", 1000..SIZE),
        ("bytes=-24", 1000..SIZE),
        ("bytes=1000-99999", 1000..SIZE),
        ("bytes=-99999", 0..SIZE),
        ("bytes=-18446744073709551615", 0..SIZE),
        ("bytes=5-18446744073709551615", 5..SIZE),
    ] {
        let answer = site.ask("GET", SMALL, &[("range", asked)]).await;
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT, "{asked}: {}", String::from_utf8_lossy(&answer.body));
        let told = format!("bytes {}-{}/{SIZE}", range.start, range.end - 1);
        assert_eq!(answer.header("content-range"), Some(told.as_str()), "{asked}");
        assert_eq!(answer.header("content-length"), Some(range.len().to_string().as_str()), "{asked}");
        assert!(answer.body == bytes(range), "{asked}: other bytes");
    }
}

#[tokio::test]
async fn what_is_no_single_range_is_ignored() {
    let site = Site::embedded().await;
    for asked in ["bytes=9-1", "bytes=0-1,5-6", "lines=0-1", "bytes=", "bytes=-", "bytes=+1-2", "bytes=a-b"] {
        let answer = site.ask("GET", SMALL, &[("range", asked)]).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, SIZE), "{asked}");
    }
}

#[tokio::test]
async fn a_range_behind_the_end_is_refused_with_the_size() {
    let elsewhere = Site::over("[[regions]]\nname = \"a\"\nurl = \"memory:///\"\n", None);
    assert_eq!(elsewhere.ask("GET", "/objects/none", &[("range", "bytes=-0")]).await.status, StatusCode::NOT_FOUND);
    let site = Site::embedded().await;
    for asked in ["bytes=1024-", "bytes=5000-6000", "bytes=-0"] {
        let answer = site.ask("GET", SMALL, &[("range", asked)]).await;
        assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE, "{asked}");
        assert_eq!(answer.header("content-range"), Some("bytes */1024"), "{asked}");
    }
    assert!(site.service.store.health().regions.iter().all(|region| region.failures == 0), "it is no region's fault");
}

#[tokio::test]
async fn conditions_are_answered_as_http_has_them() {
    let site = Site::embedded().await;
    let whole = site.get(SMALL).await;
    let (tag, time) = (whole.header("etag").unwrap(), whole.header("last-modified").unwrap());
    let (past, other) = ("Sun, 06 Nov 1994 08:49:37 GMT", "\"another\"");
    let (ok, part, same, failed) = (StatusCode::OK, StatusCode::PARTIAL_CONTENT, StatusCode::NOT_MODIFIED, StatusCode::PRECONDITION_FAILED);
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
        // Tags are heard before dates.
        (vec![("if-none-match", other), ("if-modified-since", time)], ok),
        (vec![("if-match", tag), ("if-unmodified-since", past)], ok),
        (vec![("if-match", tag), ("range", "bytes=0-3")], part),
        (vec![("if-match", other), ("range", "bytes=0-3")], failed),
        // `If-Range`: the range of this version, or the whole of another.
        (vec![("if-range", tag), ("range", "bytes=0-3")], part),
        (vec![("if-range", other), ("range", "bytes=0-3")], ok),
        (vec![("if-range", time), ("range", "bytes=0-3")], ok),
        (vec![("if-range", other)], ok),
    ] {
        let answer = site.ask("GET", SMALL, &headers).await;
        assert_eq!(answer.status, status, "{headers:?}");
        assert_eq!(length(&answer), answer.body.len(), "{headers:?}");
    }
    let unchanged = site.ask("GET", SMALL, &[("if-none-match", tag)]).await;
    assert_eq!((unchanged.header("etag"), unchanged.body.len()), (Some(tag), 0));
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_is_no_key_400() {
    let site = Site::embedded().await;
    assert_eq!(site.get("/objects/no/such").await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/objects/a/%2e%2e/b").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.get("/objects/a//b").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.ask("PUT", SMALL, &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

fn length(answer: &Answer) -> usize {
    let told = answer.header("content-length").map(|length| length.parse().unwrap());
    // Refusals are text, whose length is known without saying.
    told.unwrap_or(answer.body.len())
}
