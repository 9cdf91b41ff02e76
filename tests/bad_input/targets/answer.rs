//! An answer of a region, as text: a status, lines of headers, an empty line, a body. Any bytes are one.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Lines that no HTTP client would take for a status or a header are as if they were not there: below object_store nobody hands
    /// them on.
    pub fn parse(data: &[u8]) -> Self {
        let (head, body) = split(data, b"\n\n");
        let mut lines = head.split(|byte| *byte == b'\n');
        let status = lines.next().and_then(|line| StatusCode::from_bytes(line).ok()).unwrap_or(StatusCode::OK);
        Self { status, headers: lines.filter_map(header).take(LINES).collect(), body: Bytes::copy_from_slice(body) }
    }

    /// The same with a header that it may have already.
    pub fn with(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.headers.entry(name).or_insert(HeaderValue::from_str(value.as_ref()).unwrap());
        self
    }

    /// With what every region says of an object, as far as it is not said: a length, a tag, a date.
    pub fn of_an_object(self) -> Self {
        let length = self.body.len().to_string();
        self.with("content-length", length).with("etag", "\"t\"").with("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT")
    }

    /// The header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What comes before the first of these separators, and what after it.
pub fn split<'a>(data: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    match data.windows(separator.len()).position(|window| window == separator) {
        Some(at) => (&data[..at], &data[at + separator.len()..]),
        None => (data, &[]),
    }
}

/// The first line, as text, and the rest.
pub fn line(data: &[u8]) -> (String, &[u8]) {
    let (line, rest) = split(data, b"\n");
    (String::from_utf8_lossy(line).into_owned(), rest)
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = split(line, b":");
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value.trim_ascii()).ok()?))
}

/// More than any server sends.
const LINES: usize = 64;
