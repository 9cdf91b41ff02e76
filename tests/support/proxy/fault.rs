//! What can go wrong on the way from a server to its client, and answers that no server has given.

use std::fmt::{self, Debug, Display};
use std::time::Duration;

use bytes::Bytes;

/// What happens to what passes a proxy.
///
/// Positions count bytes of an answer's body, as they are on the wire; the head before it always passes. An answer that is shorter
/// than the position is not touched.
#[derive(Clone, Debug)]
pub enum Fault {
    /// None: everything passes.
    Pass,
    /// Connecting is refused, and what was connected is reset, as by a process that was killed.
    Refuse,
    /// Connecting works, what is sent is read and lost, nothing ever comes back. Bodies in flight stop where they are.
    Swallow,
    /// As `Swallow`, but connecting is not answered either.
    Blackhole,
    /// The server does its work, but instead of the answer's first byte comes a reset.
    Lose,
    /// An answer's first byte comes so much later.
    Delay(Duration),
    /// A body comes at so many bytes per second.
    Trickle(u64),
    /// A body's connection is reset after so many bytes. What the client had not read may be lost with it.
    ResetAfter(u64),
    /// A body stops after so many bytes, and its connection stays open.
    StallAfter(u64),
    /// A body's connection is closed in an orderly way after so many bytes.
    CloseAfter(u64),
    /// Requests are answered by the proxy, and do not reach the server.
    Answer(Answer),
}

impl Fault {
    /// Whether nothing passes, in either direction.
    pub fn swallows(&self) -> bool {
        matches!(self, Self::Swallow | Self::Blackhole)
    }
}

impl From<Answer> for Fault {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// An answer, true or not. A `content-length` is added where none is given; `connection: close` is obeyed.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Answer {
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// As S3 tells an error, whose code clients look for in the body.
    pub fn error(status: u16, code: &str) -> Self {
        Self::new(status)
            .body(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>No.</Message></Error>"))
    }

    pub fn header(mut self, name: &str, value: impl Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// A body in two chunks, which says nowhere how long it is: a `content-length` beside it may say anything.
    pub fn chunked(self, body: &[u8]) -> Self {
        let mut coded = Vec::new();
        let (one, two) = body.split_at(body.len() / 2);
        for chunk in [one, two].into_iter().filter(|chunk| !chunk.is_empty()) {
            coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            coded.extend_from_slice(chunk);
            coded.extend_from_slice(b"\r\n");
        }
        coded.extend_from_slice(b"0\r\n\r\n");
        self.header("transfer-encoding", "chunked").body(coded)
    }

    /// The head as it is on the wire.
    pub(super) fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Said\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.has("content-length") && !self.has("transfer-encoding") {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        head
    }

    pub(super) fn content(&self) -> &Bytes {
        &self.body
    }

    /// Whether the connection ends with it.
    pub(super) fn ends(&self) -> bool {
        self.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close"))
    }

    fn has(&self, header: &str) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(header))
    }
}

/// Without the body: it is shown by tests that fail.
impl Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} and {} bytes", self.head(), self.body.len())
    }
}
