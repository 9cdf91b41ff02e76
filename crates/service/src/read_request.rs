//! HTTP headers of a read -> `GetOptions`: range and conditions.

use std::time::SystemTime;

use axum::http::header::{
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use axum::http::{HeaderMap, Method};
use object_store::{GetOptions, GetRange};

/// Largest position in a range: some servers use signed 64-bit numbers.
const MAX_POSITION: u64 = i64::MAX as u64;

/// A read as the client requests it.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    pub options: GetOptions,
    /// `If-Range`: the range applies to the version with this ETag; otherwise the client gets the
    /// whole object.
    pub if_range: Option<String>,
}

impl ReadRequest {
    #[must_use]
    pub fn from_headers(method: &Method, headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let time = |name| text(name).and_then(|text| httpdate::parse_http_date(&text).ok());
        let (if_match, if_none_match) = (text(IF_MATCH), text(IF_NONE_MATCH));
        let head = *method == Method::HEAD;
        // RFC 9110, 14.2: a range applies to GET only.
        let range = text(RANGE)
            .filter(|_| !head)
            .and_then(|text| parse_range(&text));
        let (range, if_range) = match text(IF_RANGE) {
            None => (range, None),
            // A strong ETag guarantees the same bytes. A date or a weak ETag does not: the range is
            // ignored then, and the whole object is a valid response.
            Some(tag) if tag.starts_with('"') && if_match.is_none() => (range, Some(tag)),
            Some(_) => (None, None),
        };
        let options = GetOptions {
            // RFC 9110, 13.2.2: with an ETag condition the date conditions are ignored.
            if_modified_since: time(IF_MODIFIED_SINCE)
                .filter(|_| if_none_match.is_none())
                .map(SystemTime::into),
            if_unmodified_since: time(IF_UNMODIFIED_SINCE)
                .filter(|_| if_match.is_none())
                .map(SystemTime::into),
            if_match: if_match.or_else(|| if_range.clone().filter(|_| range.is_some())),
            if_none_match,
            range,
            head,
            ..GetOptions::default()
        };
        Self { options, if_range }
    }

    /// The request for the whole object, after `If-Range` named a version that is not current.
    #[must_use]
    pub fn without_range(self) -> Option<Self> {
        let Self { options, if_range } = self;
        if_range.filter(|_| options.range.is_some())?;
        Some(Self {
            options: GetOptions {
                range: None,
                if_match: None,
                ..options
            },
            if_range: None,
        })
    }
}

/// A single byte range. RFC 9110 allows a server to ignore invalid and multiple ranges.
fn parse_range(text: &str) -> Option<GetRange> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", last) => Some(GetRange::Suffix(parse_digits(last)?.min(MAX_POSITION))),
        (first, "") => Some(GetRange::Offset(parse_digits(first)?)),
        (first, last) => {
            let (first, last) = (parse_digits(first)?, parse_digits(last)?);
            let range = if last < MAX_POSITION {
                GetRange::Bounded(first..last + 1)
            } else {
                GetRange::Offset(first)
            };
            (first <= last).then_some(range)
        }
    }
}

/// Digits only: `u64::from_str` would accept a sign.
fn parse_digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Whether the range contains no byte of an object of this size.
#[must_use]
pub fn is_unsatisfiable(range: &GetRange, size: u64) -> bool {
    match range {
        GetRange::Bounded(range) => range.start >= size,
        GetRange::Offset(start) => *start >= size,
        GetRange::Suffix(length) => *length == 0 || size == 0,
    }
}
