//! What a request for an object asks for: range and conditions, from HTTP's words to object_store's.

use std::time::SystemTime;

use axum::http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
use axum::http::{HeaderMap, Method};
use object_store::{GetOptions, GetRange};

/// A read, as a client wants it.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) options: GetOptions,
    /// The range counts only for this version (`If-Range`); of another one the whole is wanted.
    pub(crate) range_of: Option<String>,
}

impl Wanted {
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let time = |name| text(name).and_then(|text| httpdate::parse_http_date(&text).ok());
        let (if_match, if_none_match) = (text(IF_MATCH), text(IF_NONE_MATCH));
        let head = *method == Method::HEAD;
        let range = text(RANGE).filter(|_| !head).and_then(|text| range(&text));
        let (range, range_of) = match text(IF_RANGE) {
            None => (range, None),
            // Only a strong tag says that bytes are the same; a date cannot, and the whole is always a right answer.
            Some(tag) if tag.starts_with('"') && if_match.is_none() => (range, Some(tag)),
            Some(_) => (None, None),
        };
        let options = GetOptions {
            // Tags are the better witnesses: HTTP wants the dates beside them ignored.
            if_modified_since: time(IF_MODIFIED_SINCE).filter(|_| if_none_match.is_none()).map(SystemTime::into),
            if_unmodified_since: time(IF_UNMODIFIED_SINCE).filter(|_| if_match.is_none()).map(SystemTime::into),
            if_match: if_match.or_else(|| range_of.clone().filter(|_| range.is_some())),
            if_none_match,
            range,
            head,
            ..GetOptions::default()
        };
        Self { options, range_of }
    }

    /// The same without its range, where the version that it was meant for is no more.
    pub(crate) fn whole(self) -> Option<Self> {
        let Self { options, range_of } = self;
        range_of.filter(|_| options.range.is_some())?;
        Some(Self { options: GetOptions { range: None, if_match: None, ..options }, range_of: None })
    }
}

/// One range of bytes. What is none is ignored, as HTTP wants it, and so are several at once: the whole object is a right answer.
fn range(text: &str) -> Option<GetRange> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", last) => Some(GetRange::Suffix(digits(last)?.min(END))),
        (first, "") => Some(GetRange::Offset(digits(first)?)),
        (first, last) => {
            let (first, last) = (digits(first)?, digits(last)?);
            // Servers count in signed numbers; what is beyond these is the end of every object.
            let range = if last < END { GetRange::Bounded(first..last + 1) } else { GetRange::Offset(first) };
            (first <= last).then_some(range)
        }
    }
}

const END: u64 = i64::MAX as u64;

/// `u64::from_str` would also take a sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Whether an object of this size has no byte of the range.
pub(crate) fn is_outside(range: &GetRange, size: u64) -> bool {
    match range {
        GetRange::Bounded(range) => range.start >= size,
        GetRange::Offset(start) => *start >= size,
        GetRange::Suffix(length) => *length == 0 || size == 0,
    }
}
