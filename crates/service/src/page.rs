//! `GET /`: the operator page, one document without external resources and without a build step.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;

use crate::auth::random_id;
use crate::demo_servers::ServerAction;
use crate::operator;
use crate::service::Service;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/page.js");

pub async fn page(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let nonce = random_id();
    let server_actions = if service.demo.is_some() {
        ServerAction::ALL.map(ServerAction::name).join(" ")
    } else {
        String::new()
    };
    let text = PAGE
        .replace("@STYLE@", STYLE)
        .replace("@SCRIPT@", SCRIPT)
        .replace("@NONCE@", &nonce)
        .replace("@ACTIONS@", &operator::action_list())
        .replace("@BREAKS@", &server_actions)
        .replace("@INSTANCE@", &service.instance.to_string());
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CONTENT_SECURITY_POLICY, content_security_policy(&nonce)),
        (CACHE_CONTROL, "no-store".to_owned()),
        (REFERRER_POLICY, "same-origin".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, text)
}

/// Allows only inline code with the nonce, requests to this origin, and no frames: a page that
/// frames this one could trick an operator into pressing its buttons.
fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}
