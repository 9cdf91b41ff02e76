//! Operator actions, their authorization, and the command line.

use axum::http::StatusCode;
use clap::Parser;
use failover_service::args::Args;
use failover_service::auth::url_fragment;
use failover_service::operator::action_list;

use crate::test_service::{TOKEN, TestService, read_whole};

const DRAIN: &str = "/regions/us-east-1/drain";
const UNDRAIN: &str = "/regions/us-east-1/undrain";

#[tokio::test]
async fn drained_region_gets_no_reads_until_undrained() {
    let service = TestService::demo().await;
    let response = service.post(DRAIN).await;
    assert_eq!(
        (response.status, response.text()),
        (StatusCode::OK, "us-east-1: drain\n")
    );
    let region = service.region("us-east-1").await;
    assert_eq!(region["override_active"]["kind"], "drain");
    for _ in 0..6 {
        let read = service.get("/objects/hello.txt").await;
        assert_ne!(read.header("x-served-by"), Some("us-east-1"));
    }
    assert_eq!(
        service.region("us-east-1").await["attempts"],
        region["attempts"]
    );
    assert_eq!(service.post(UNDRAIN).await.status, StatusCode::OK);
    let region = service.region("us-east-1").await;
    assert!(region["override_active"].is_null());
}

#[tokio::test]
async fn override_duration_is_validated() {
    let service = TestService::demo().await;
    let response = service.post("/regions/us-east-1/force_open?for=10m").await;
    assert_eq!(
        (response.status, response.text()),
        (StatusCode::OK, "us-east-1: force_open for 10m\n")
    );
    let region = service.region("us-east-1").await;
    assert_eq!(region["override_active"]["kind"], "force_open");
    for duration in ["10", "0s", "soon", "99years", "-1m"] {
        let path = format!("/regions/us-east-1/force_open?for={duration}");
        let response = service.post(&path).await;
        assert_eq!(response.status, StatusCode::BAD_REQUEST, "{duration}");
        assert!(
            response.text().contains(duration) && response.text().contains("10m"),
            "{}",
            response.text()
        );
    }
    let response = service.post("/regions/us-east-1/drain?for=10m").await;
    assert_eq!(
        response.status,
        StatusCode::BAD_REQUEST,
        "{}",
        response.text()
    );
}

#[tokio::test]
async fn every_action_is_applied_and_reported() {
    let service = TestService::demo().await;
    for action in ["force_open", "force_closed", "metrics_only", "drain"] {
        let response = service.post(&format!("/regions/us-east-1/{action}")).await;
        assert_eq!(response.status, StatusCode::OK, "{action}");
        let region = service.region("us-east-1").await;
        assert_eq!(region["override_active"]["kind"], action);
        let metrics = service.get("/metrics").await;
        assert!(
            metrics
                .text()
                .contains("object_store_failover_operator_override{"),
            "{}",
            metrics.text()
        );
    }
    let reset = service.post("/regions/us-east-1/reset").await;
    assert_eq!(reset.status, StatusCode::OK);
    for action in action_list().split(' ') {
        let action = action.trim_end_matches(":for");
        let response = service.post(&format!("/regions/us-east-1/{action}")).await;
        assert_eq!(response.status, StatusCode::OK, "{action}");
    }
}

#[tokio::test]
async fn actions_require_the_token() {
    let service = TestService::demo().await;
    for headers in [
        vec![],
        vec![("authorization", "Bearer another")],
        vec![("authorization", "Basic YTpi")],
        vec![("authorization", TOKEN)],
    ] {
        let response = service.request("POST", DRAIN, &headers).await;
        assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{headers:?}");
        assert_eq!(response.header("www-authenticate"), Some("Bearer"));
        assert!(response.text().contains("token"));
    }
    let path = format!("{DRAIN}?token={TOKEN}");
    let in_query = service.request("POST", &path, &[]).await;
    assert_eq!(
        in_query.status,
        StatusCode::UNAUTHORIZED,
        "URLs end up in access logs"
    );
    let headers = [("authorization", "Bearer another")];
    assert_eq!(
        service.request("GET", DRAIN, &headers).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    let region = service.region("us-east-1").await;
    assert!(region["override_active"].is_null());
}

#[tokio::test]
async fn form_may_hold_token_and_duration() {
    let service = TestService::demo().await;
    let form = "token=a-token-of-the-tests&for=1h30m";
    let path = "/regions/us-east-1/force_open";
    let response = service.send("POST", path, &[], form).await;
    assert_eq!(
        read_whole(response).await.text(),
        "us-east-1: force_open for 1h 30m\n"
    );
    let form = "token=a-token-of-the-tests&for=";
    let response = service.send("POST", DRAIN, &[], form).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn cross_origin_requests_are_rejected_despite_the_token() {
    let service = TestService::demo().await;
    let bearer = format!("Bearer {TOKEN}");
    let post = async |more: &[(&'static str, &'static str)]| {
        let mut headers = vec![
            ("authorization", bearer.as_str()),
            ("host", "127.0.0.1:8080"),
        ];
        headers.extend_from_slice(more);
        service.request("POST", DRAIN, &headers).await.status
    };
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1:8081",
        "http://127.0.0.1",
        "http://127.0.0.1:8080.evil.example",
    ] {
        assert_eq!(
            post(&[("origin", origin)]).await,
            StatusCode::FORBIDDEN,
            "{origin}"
        );
    }
    for site in ["cross-site", "same-site"] {
        let status = post(&[("sec-fetch-site", site)]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{site}");
    }
    let region = service.region("us-east-1").await;
    assert!(region["override_active"].is_null());
    assert_eq!(
        post(&[
            ("origin", "http://127.0.0.1:8080"),
            ("sec-fetch-site", "same-origin")
        ])
        .await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn unknown_names_are_404_with_the_valid_ones() {
    let service = TestService::demo().await;
    for (path, unknown, valid) in [
        ("/regions/mars/drain", "mars", "us-east-1"),
        ("/regions/us-east-1/explode", "explode", "undrain"),
    ] {
        let response = service.post(path).await;
        assert_eq!(response.status, StatusCode::NOT_FOUND);
        assert!(
            response.text().contains(unknown) && response.text().contains(valid),
            "{}",
            response.text()
        );
    }
}

#[tokio::test]
async fn only_demo_servers_can_be_killed() {
    let demo = TestService::demo().await;
    for action in ["kill", "revive"] {
        let response = demo.post(&format!("/regions/us-east-1/{action}")).await;
        assert_eq!(response.status, StatusCode::OK);
    }
    let document = "[[regions]]\nname = \"us-east-1\"\nurl = \"memory:///\"\n";
    let real = TestService::over(document, None);
    for action in ["kill", "hang", "revive"] {
        let response = real.post(&format!("/regions/us-east-1/{action}")).await;
        assert_eq!(response.status, StatusCode::NOT_FOUND);
    }
    let page = demo.get("/").await;
    assert!(page.text().contains("data-breaks=\"kill hang revive\""));
    let page = real.get("/").await;
    assert!(page.text().contains("data-breaks=\"\""));
}

/// The page decodes the fragment as a form: unencoded, `a+b` became `a b`, and `a&b` became `a`.
#[test]
fn url_fragment_preserves_every_character_of_a_token() {
    let all: String = ('!'..='~').collect();
    for token in [all.as_str(), "a+b", "a&b=c", "100%25", "#", "plain-0"] {
        let url = format!("http://127.0.0.1:80/#{}", url_fragment(token));
        let url = url::Url::parse(&url).unwrap();
        let fragment = url.fragment().unwrap().as_bytes();
        let decoded: Vec<_> = url::form_urlencoded::parse(fragment).into_owned().collect();
        assert_eq!(decoded, [("token".to_owned(), token.to_owned())]);
    }
    assert_eq!(url_fragment("plain-0"), "token=plain-0");
}

#[test]
fn listening_beyond_loopback_requires_a_chosen_token() {
    let check = |line: &str| {
        let arguments = format!("failover-service {line}");
        Args::try_parse_from(arguments.split(' ')).unwrap().check()
    };
    for (line, option) in [
        ("--listen 0.0.0.0:8080", "--token"),
        ("--listen [::]:8080", "--token"),
        ("--token=", "--token"),
        ("--listen 127.0.0.1:65535 --instances 3", "ports"),
    ] {
        assert!(check(line).unwrap_err().contains(option), "{line}");
    }
    check("--listen 0.0.0.0:8080 --token secret").unwrap();
    check("--listen [::1]:8080").unwrap();
}
