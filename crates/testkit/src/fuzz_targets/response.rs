//! A response as text: a status line, header lines, an empty line, a body. Any bytes are valid.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Response {
    /// Skips lines that are no status or header, because an HTTP client would not return them.
    pub(crate) fn parse(data: &[u8]) -> Self {
        let (head, body) = split(data, b"\n\n");
        let mut lines = head.split(|byte| *byte == b'\n');
        let status = lines
            .next()
            .and_then(|line| StatusCode::from_bytes(line).ok())
            .unwrap_or(StatusCode::OK);
        Self {
            status,
            headers: lines.filter_map(header).take(MAX_HEADERS).collect(),
            body: Bytes::copy_from_slice(body),
        }
    }

    /// Adds a header, unless it is present.
    pub(crate) fn with(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.headers
            .entry(name)
            .or_insert(HeaderValue::from_str(value.as_ref()).unwrap());
        self
    }

    /// Adds the headers of an object that are missing: length, ETag, date.
    pub(crate) fn with_object_headers(self) -> Self {
        let length = self.body.len().to_string();
        self.with("content-length", length)
            .with("etag", "\"t\"")
            .with("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT")
    }

    /// A header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The bytes before and after the first separator.
pub(crate) fn split<'a>(data: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    match data
        .windows(separator.len())
        .position(|window| window == separator)
    {
        Some(at) => (&data[..at], &data[at + separator.len()..]),
        None => (data, &[]),
    }
}

/// The first line, as text, and the rest.
pub(crate) fn line(data: &[u8]) -> (String, &[u8]) {
    let (line, rest) = split(data, b"\n");
    (String::from_utf8_lossy(line).into_owned(), rest)
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = split(line, b":");
    Some((
        HeaderName::from_bytes(name).ok()?,
        HeaderValue::from_bytes(value.trim_ascii()).ok()?,
    ))
}

/// More than any server sends.
const MAX_HEADERS: usize = 64;
