//! `GET /`: one page, whole, without a build step and without a single request to elsewhere.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;

use crate::guard::unguessable;
use crate::operator;
use crate::service::Service;
use crate::stage::Act;

const PAGE: &str = include_str!("page.html");

/// The page differs only in what it may offer: the actions, and whether the regions are ours to break.
pub(crate) async fn page(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let nonce = unguessable();
    let breaks = if service.stage.is_some() { Act::ALL.map(|(name, _)| name).join(" ") } else { String::new() };
    let text = PAGE
        .replace("@NONCE@", &nonce)
        .replace("@ACTIONS@", &operator::actions())
        .replace("@BREAKS@", &breaks)
        .replace("@INSTANCE@", &service.instance.to_string());
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CONTENT_SECURITY_POLICY, policy(&nonce)),
        (CACHE_CONTROL, "no-store".to_owned()),
        (REFERRER_POLICY, "same-origin".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, text)
}

/// Only what the page itself holds may run, it may talk only to us, and nobody may frame it and have its buttons pressed.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}
