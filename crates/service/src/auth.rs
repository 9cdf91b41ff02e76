//! Authorization of operator requests: a bearer token, and no cross-origin requests.
//!
//! The service never sends the token. Browsers get it in the fragment of the printed URL: fragments
//! are not sent to servers, so neither access logs nor other clients of the page see the token.

use std::fmt;

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use rand::RngExt;
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// SHA-256 of the token: the time to compare digests does not depend on the matching prefix.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    pub fn new(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    pub fn matches(&self, presented: &str) -> bool {
        Self::new(presented) == *self
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Fragment of the page's URL with the token, form-encoded: any character may be in a token.
pub fn url_fragment(token: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("token", token)
        .finish()
}

/// 128 random bits in hexadecimal: a secret, or a unique id.
pub fn random_id() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// Whether a browser sent the request from another origin. Clients that are not browsers send
/// neither `Sec-Fetch-Site` nor `Origin`, and pass.
pub fn is_cross_origin(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(&SEC_FETCH_SITE).is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return true;
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let Some(host) = text(&HOST) else { return true };
    // Sandboxed pages send "null", which is not a URL and counts as cross-origin.
    origin
        .to_str()
        .ok()
        .and_then(|origin| Url::parse(origin).ok())
        .is_none_or(|origin| !has_authority(&origin, host))
}

/// The token of `Authorization: Bearer`.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether the URL's host and port are those of a `Host` header.
fn has_authority(origin: &Url, host: &str) -> bool {
    let name = origin.host_str().unwrap_or_default();
    let authority = origin
        .port()
        .map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    authority.eq_ignore_ascii_case(host)
}
