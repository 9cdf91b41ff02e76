//! Faults between a server and its client, and responses that the proxy makes up.

use std::fmt::{self, Debug, Display};
use std::time::Duration;

use bytes::Bytes;

/// What a proxy does to connections, requests and responses.
///
/// Positions count bytes of a response's body as they are on the wire; the head is always
/// forwarded. A response that is shorter than the position is not changed.
#[derive(Clone, Debug)]
pub enum Fault {
    /// No fault.
    Pass,
    /// New connections are refused and existing ones reset, as by a killed process.
    Refuse,
    /// Connections are accepted, requests are discarded, there is no response. Bodies in flight
    /// stall.
    Swallow,
    /// As `Swallow`, but connecting gets no answer either.
    Blackhole,
    /// The server executes the request; the connection is reset before the response's first byte.
    Lose,
    /// Delays a response's first byte.
    Delay(Duration),
    /// Limits a body to so many bytes per second.
    Trickle(u64),
    /// Resets the connection after so many bytes of a body. Unread bytes may be lost as well.
    ResetAfter(u64),
    /// Stalls a body after so many bytes; the connection stays open.
    StallAfter(u64),
    /// Closes the connection in an orderly way after so many bytes of a body.
    CloseAfter(u64),
    /// Sends this response instead of forwarding the request.
    Respond(Response),
}

impl Fault {
    /// Whether bytes are discarded in both directions.
    pub fn discards(&self) -> bool {
        matches!(self, Self::Swallow | Self::Blackhole)
    }
}

impl From<Response> for Fault {
    fn from(response: Response) -> Self {
        Self::Respond(response)
    }
}

/// A response, well-formed or not. A missing `content-length` is added; `connection: close` closes
/// the connection.
#[derive(Clone)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Response {
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// An error of S3, with its code in the body.
    pub fn error(status: u16, code: &str) -> Self {
        Self::new(status).body(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
                 <Error><Code>{code}</Code><Message>No.</Message></Error>"
        ))
    }

    pub fn header(mut self, name: &str, value: impl Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..self
        }
    }

    /// A chunked body, in two chunks. A `content-length` header may be added and be wrong.
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

    /// The response as an HTTP client has it, for faults injected above the wire.
    pub fn response(&self) -> http::Result<http::Response<Bytes>> {
        let response = http::Response::builder().status(self.status);
        self.headers
            .iter()
            .fold(response, |response, (name, value)| {
                response.header(name, value)
            })
            .body(self.body.clone())
    }

    /// The head on the wire.
    pub(super) fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Response\r\n", self.status);
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

    /// Whether the connection closes after it.
    pub(super) fn ends(&self) -> bool {
        self.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close")
        })
    }

    fn has(&self, header: &str) -> bool {
        self.headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(header))
    }
}

/// Without the body, which would fill the output of a failing test.
impl Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} and {} bytes", self.head(), self.body.len())
    }
}
