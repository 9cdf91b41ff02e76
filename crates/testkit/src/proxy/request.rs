//! Splits a connection into requests: the part of HTTP/1.1 that clients of object stores use.

/// The requests of a connection, split into heads and bodies.
#[derive(Default)]
pub(crate) struct Requests {
    /// The received part of a head.
    head: Vec<u8>,
    /// How many bytes of a body are outstanding.
    rest: u64,
}

pub(crate) enum Part<'a> {
    Head(Head),
    Body {
        bytes: &'a [u8],
        /// Whether these bytes end the request.
        last: bool,
    },
}

pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    /// The length of the body that follows.
    pub(crate) body: u64,
}

impl Head {
    /// Whether this is a HEAD request, whose response has no body.
    pub(crate) fn is_head(&self) -> bool {
        self.bytes.starts_with(b"HEAD ")
    }
}

impl Requests {
    /// Takes the next part off `bytes`; none while a head is incomplete.
    pub(crate) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Part<'a>> {
        if bytes.is_empty() {
            return None;
        }
        if self.rest > 0 {
            let (body, later) = bytes.split_at(
                bytes
                    .len()
                    .min(usize::try_from(self.rest).unwrap_or(usize::MAX)),
            );
            *bytes = later;
            self.rest -= body.len() as u64;
            return Some(Part::Body {
                bytes: body,
                last: self.rest == 0,
            });
        }
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        // The end of the head may be split over two reads.
        let from = before.saturating_sub(END.len() - 1);
        let Some(end) = self.head[from..]
            .windows(END.len())
            .position(|window| window == END)
        else {
            *bytes = &[];
            return None;
        };
        self.head.truncate(from + end + END.len());
        *bytes = &bytes[self.head.len() - before..];
        let head = std::mem::take(&mut self.head);
        self.rest = length(&head);
        Some(Part::Head(Head {
            bytes: head,
            body: self.rest,
        }))
    }
}

/// The length of the body after this head. A chunked body counts as endless: it is forwarded, but
/// later requests on the connection are not recognized.
fn length(head: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(head);
    let headers = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()));
    headers.fold(0, |length, (name, value)| match name.as_str() {
        "content-length" => value.parse().unwrap_or(length),
        "transfer-encoding" => u64::MAX,
        _ => length,
    })
}

const END: &[u8] = b"\r\n\r\n";
