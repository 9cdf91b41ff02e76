//! Checks the pages of a listing as they pass.
//!
//! object_store ends a listing at the first page without a continuation token, and follows any
//! token. A page that says it is truncated and has no token would end a listing that is not
//! complete. A server that repeats a token would never end it. Both become an error of the page, so
//! that the listing continues in another region.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Method, Uri};
use http_body::{Body, Frame, SizeHint};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody};

/// The body of one page.
struct PageBody {
    body: HttpResponseBody,
    page: Page,
}

/// What is known of one page.
pub(super) struct Page {
    /// The token that the request continued from.
    requested: Option<String>,
    is_truncated: bool,
    next: Option<String>,
    /// The end of what was scanned: a tag may be split between two chunks.
    tail: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error("the page is truncated and has no continuation token")]
    NoToken,
    #[error("the continuation token is the one of the previous page")]
    SameToken,
}

impl Page {
    /// The check of the response to this request; None where it lists nothing.
    pub(super) fn of(request: &HttpRequest) -> Option<Self> {
        if request.method() != Method::GET {
            return None;
        }
        let requested = list_token(request.uri())?;
        Some(Self {
            requested,
            is_truncated: false,
            next: None,
            tail: Vec::new(),
        })
    }

    pub(super) fn check(self, response: HttpResponse) -> HttpResponse {
        if !response.status().is_success() {
            return response;
        }
        response.map(|body| HttpResponseBody::new(PageBody { body, page: self }))
    }

    fn scan(&mut self, chunk: &[u8]) {
        self.tail.extend_from_slice(chunk);
        self.is_truncated = self.is_truncated || find(&self.tail, TRUNCATED).is_some();
        self.next = self
            .next
            .take()
            .or_else(|| NEXT.iter().find_map(|tag| value(&self.tail, tag)));
        let scanned = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..scanned);
    }

    fn end(&self) -> Result<(), PageError> {
        match &self.next {
            None if self.is_truncated => Err(PageError::NoToken),
            Some(next) if self.requested.as_ref() == Some(next) => Err(PageError::SameToken),
            _ => Ok(()),
        }
    }
}

impl Body for PageBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            self.page.scan(bytes);
        }
        if frame.is_none()
            && let Err(error) = self.page.end()
        {
            // Once: the stream ends after its error.
            (self.page.is_truncated, self.page.next) = (false, None);
            return Poll::Ready(Some(Err(HttpError::new(HttpErrorKind::Decode, error))));
        }
        Poll::Ready(frame)
    }

    // The end of the body is not known before its check.
    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The token of a request for a page; `Some(None)` for the first page, None for other requests.
fn list_token(uri: &Uri) -> Option<Option<String>> {
    let query = uri.query()?;
    let pairs = || url::form_urlencoded::parse(query.as_bytes());
    let is_list = pairs()
        .any(|(name, value)| matches!((&*name, &*value), ("list-type", "2") | ("comp", "list")));
    let token = pairs().find(|(name, _)| matches!(&**name, "continuation-token" | "marker"));
    is_list.then(|| token.map(|(_, value)| value.into_owned()))
}

/// The text of the first element `tag`, unescaped; None where it is absent, empty or not complete.
fn value(xml: &[u8], tag: &[u8]) -> Option<String> {
    let start = find(xml, tag)? + tag.len();
    let end = find(&xml[start..], b"<")?;
    let text = std::str::from_utf8(&xml[start..start + end]).ok()?;
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&");
    (!text.is_empty()).then_some(text)
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|window| window == pattern)
}

const TRUNCATED: &[u8] = b"<IsTruncated>true";
/// S3 and Google Cloud Storage; Azure.
const NEXT: [&[u8]; 2] = [b"<NextContinuationToken>", b"<NextMarker>"];
/// Longer than any token: keys have at most 1 KiB, and Azure's markers hold one, encoded.
const TAIL: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn end(requested: Option<&str>, xml: &str, chunk: usize) -> Result<(), String> {
        let requested = requested.map(str::to_owned);
        let mut page = Page {
            requested,
            is_truncated: false,
            next: None,
            tail: Vec::new(),
        };
        xml.as_bytes()
            .chunks(chunk)
            .for_each(|chunk| page.scan(chunk));
        page.end().map_err(|error| error.to_string())
    }

    #[test]
    fn truncated_page_without_token_is_an_error() {
        let padding = "<Contents/>".repeat(1_000);
        for chunk in [1, 7, 100, 100_000] {
            let page = format!("<IsTruncated>true</IsTruncated>{padding}");
            assert!(end(None, &page, chunk).is_err(), "chunks of {chunk}");
            let page = format!("{page}<NextContinuationToken>a&amp;b</NextContinuationToken>");
            assert_eq!(end(None, &page, chunk), Ok(()));
            assert_eq!(end(Some("a"), &page, chunk), Ok(()));
            assert!(
                end(Some("a&b"), &page, chunk).is_err(),
                "the same token, chunks of {chunk}"
            );
        }
        assert_eq!(
            end(Some("x"), "<IsTruncated>false</IsTruncated>", 10),
            Ok(())
        );
        assert_eq!(
            end(Some("x"), "<NextMarker/>", 10),
            Ok(()),
            "Azure's last page"
        );
    }

    #[test]
    fn only_list_requests_are_checked() {
        let token = |uri: &str| list_token(&uri.parse().unwrap());
        assert_eq!(token("http://h/b?list-type=2&prefix=a%2F"), Some(None));
        let continued = token("http://h/b?list-type=2&continuation-token=a%2Bb%3D");
        assert_eq!(continued, Some(Some("a+b=".into())));
        assert_eq!(
            token("http://h/c?restype=container&comp=list&marker=m"),
            Some(Some("m".into()))
        );
        assert_eq!(token("http://h/b/key?versionId=1"), None);
        assert_eq!(token("http://h/b/key"), None);
    }
}
