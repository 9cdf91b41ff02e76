//! Who may act: whoever shows the token, and no page of another origin on behalf of a browser that has it.
//!
//! The token is never in what the service serves. It is in the fragment of the printed address, which browsers keep to themselves, so that
//! neither logs nor another program that can fetch the page learn it.

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use rand::RngExt;
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

/// The token's digest: comparing digests takes as long for a near guess as for a far one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token([u8; 32]);

impl Token {
    pub(crate) fn new(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    pub(crate) fn is(&self, shown: &str) -> bool {
        Self::new(shown) == *self
    }
}

/// The part of the page's address that brings it the token, whatever signs that has.
pub(crate) fn fragment(token: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish()
}

/// A secret, or a name that nobody can guess: 128 bits.
pub(crate) fn unguessable() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// Whether a browser sent this from a page that is not ours. Programs that are no browsers send neither header.
pub(crate) fn is_cross_origin(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(&FETCH_SITE).is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return true;
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let Some(host) = text(&HOST) else { return true };
    // "null", which is what a sandboxed page sends, is no address.
    origin.to_str().ok().and_then(|origin| Url::parse(origin).ok()).is_none_or(|origin| !is_at(&origin, host))
}

/// The token of `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn is_at(origin: &Url, host: &str) -> bool {
    let named = origin.host_str().unwrap_or_default();
    let at = origin.port().map_or_else(|| named.to_owned(), |port| format!("{named}:{port}"));
    at.eq_ignore_ascii_case(host)
}

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
