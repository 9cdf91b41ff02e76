//! The operator's hand, and those who must not have it.

use axum::http::StatusCode;
use clap::Parser;

use crate::args::Args;
use crate::guard::fragment;
use crate::operator;
use crate::site::{Site, TOKEN, whole};

const DRAIN: &str = "/regions/us-east-1/drain";
const UNDRAIN: &str = "/regions/us-east-1/undrain";

#[tokio::test]
async fn an_operator_drains_and_undrains_a_region() {
    let site = Site::embedded().await;
    let answer = site.post(DRAIN).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "us-east-1: drain\n"));
    assert_eq!(site.region("us-east-1").await["operator_override"], true);
    let before = site.region("us-east-1").await["attempts"].clone();
    for _ in 0..6 {
        assert_ne!(site.get("/objects/hello.txt").await.header("x-served-by"), Some("us-east-1"));
    }
    assert_eq!(site.region("us-east-1").await["attempts"], before, "its share is 0");
    assert_eq!(site.post(UNDRAIN).await.status, StatusCode::OK);
    assert_eq!(site.region("us-east-1").await["operator_override"], false);
}

#[tokio::test]
async fn an_action_may_be_for_a_while() {
    let site = Site::embedded().await;
    let answer = site.post("/regions/us-east-1/force_open?for=10m").await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "us-east-1: force_open for 10m\n"));
    assert_eq!(site.region("us-east-1").await["operator_override"], true);
    for time in ["10", "0s", "soon", "99years", "-1m"] {
        let answer = site.post(&format!("/regions/us-east-1/force_open?for={time}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{time}");
        assert!(answer.text().contains(time) && answer.text().contains("10m"), "{}", answer.text());
    }
    let answer = site.post("/regions/us-east-1/drain?for=10m").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
}

#[tokio::test]
async fn every_action_of_the_page_is_done_and_told() {
    let site = Site::embedded().await;
    for (action, kind) in
        [("force_open", "force_open"), ("force_closed", "force_closed"), ("metrics_only", "metrics_only"), ("drain", "drain")]
    {
        assert_eq!(site.post(&format!("/regions/us-east-1/{action}")).await.status, StatusCode::OK, "{action}");
        assert_eq!(site.region("us-east-1").await["overrides"][0]["kind"], kind);
        let metrics = site.get("/metrics").await;
        assert!(metrics.text().contains("object_store_failover_operator_override{"), "{}", metrics.text());
    }
    assert_eq!(site.post("/regions/us-east-1/reset").await.status, StatusCode::OK);
    for action in operator::actions().split(' ') {
        let action = action.trim_end_matches(":for");
        assert_eq!(site.post(&format!("/regions/us-east-1/{action}")).await.status, StatusCode::OK, "{action}");
    }
}

#[tokio::test]
async fn without_the_token_nobody_acts() {
    let site = Site::embedded().await;
    for headers in
        [vec![], vec![("authorization", "Bearer another")], vec![("authorization", "Basic YTpi")], vec![("authorization", TOKEN)]]
    {
        let answer = site.ask("POST", DRAIN, &headers).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{headers:?}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert!(answer.text().contains("token"));
    }
    let in_the_address = site.ask("POST", &format!("{DRAIN}?token={TOKEN}"), &[]).await;
    assert_eq!(in_the_address.status, StatusCode::UNAUTHORIZED, "addresses are logged");
    assert_eq!(site.ask("GET", DRAIN, &[("authorization", "Bearer another")]).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(site.region("us-east-1").await["operator_override"], false);
}

#[tokio::test]
async fn a_form_may_bring_the_token_and_the_time() {
    let site = Site::embedded().await;
    let answer = site.send("POST", "/regions/us-east-1/force_open", &[], "token=a-token-of-the-tests&for=1h30m").await;
    assert_eq!(whole(answer).await.text(), "us-east-1: force_open for 1h 30m\n");
    let answer = site.send("POST", DRAIN, &[], "token=a-token-of-the-tests&for=").await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_even_with_the_token() {
    let site = Site::embedded().await;
    let bearer = format!("Bearer {TOKEN}");
    let post = async |more: &[(&'static str, &'static str)]| {
        let mut headers = vec![("authorization", bearer.as_str()), ("host", "127.0.0.1:8080")];
        headers.extend_from_slice(more);
        site.ask("POST", DRAIN, &headers).await.status
    };
    for origin in ["http://evil.example", "null", "http://127.0.0.1:8081", "http://127.0.0.1", "http://127.0.0.1:8080.evil.example"] {
        assert_eq!(post(&[("origin", origin)]).await, StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(post(&[("sec-fetch-site", "cross-site")]).await, StatusCode::FORBIDDEN);
    assert_eq!(post(&[("sec-fetch-site", "same-site")]).await, StatusCode::FORBIDDEN);
    assert_eq!(site.region("us-east-1").await["operator_override"], false);
    assert_eq!(post(&[("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")]).await, StatusCode::OK);
}

#[tokio::test]
async fn what_is_not_known_is_named_and_what_there_is_instead() {
    let site = Site::embedded().await;
    let answer = site.post("/regions/mars/drain").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text().contains("mars") && answer.text().contains("us-east-1"), "{}", answer.text());
    let answer = site.post("/regions/us-east-1/explode").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text().contains("explode") && answer.text().contains("undrain"), "{}", answer.text());
}

#[tokio::test]
async fn only_servers_of_our_own_can_be_broken() {
    let embedded = Site::embedded().await;
    assert_eq!(embedded.post("/regions/us-east-1/kill").await.status, StatusCode::OK);
    assert_eq!(embedded.post("/regions/us-east-1/revive").await.status, StatusCode::OK);
    let elsewhere = Site::over("[[regions]]\nname = \"us-east-1\"\nurl = \"memory:///\"\n", None);
    for action in ["kill", "hang", "revive"] {
        assert_eq!(elsewhere.post(&format!("/regions/us-east-1/{action}")).await.status, StatusCode::NOT_FOUND);
    }
    assert!(embedded.get("/").await.text().contains("data-breaks=\"kill hang revive\""));
    assert!(elsewhere.get("/").await.text().contains("data-breaks=\"\""));
}

/// The page reads the fragment as a form: `a+b` became `a b`, and `a&b` became `a`.
#[test]
fn a_token_with_signs_in_it_was_broken_by_the_address_that_brings_it() {
    let all: String = ('!'..='~').collect();
    for token in [all.as_str(), "a+b", "a&b=c", "100%25", "#", "plain-0"] {
        let address = url::Url::parse(&format!("http://127.0.0.1:80/#{}", fragment(token))).unwrap();
        let found: Vec<_> = url::form_urlencoded::parse(address.fragment().unwrap().as_bytes()).into_owned().collect();
        assert_eq!(found, [("token".to_owned(), token.to_owned())]);
    }
    assert_eq!(fragment("plain-0"), "token=plain-0");
}

#[test]
fn others_than_this_machine_are_let_in_only_with_a_token_that_was_chosen() {
    let check = |line: &str| Args::try_parse_from(line.split(' ')).unwrap().check();
    assert!(check("service --listen 0.0.0.0:8080").unwrap_err().contains("--token"));
    assert!(check("service --listen [::]:8080").unwrap_err().contains("--token"));
    check("service --listen 0.0.0.0:8080 --token secret").unwrap();
    check("service --listen [::1]:8080").unwrap();
    assert!(check("service --token=").unwrap_err().contains("--token"));
    assert!(check("service --listen 127.0.0.1:65535 --instances 3").unwrap_err().contains("ports"));
}
