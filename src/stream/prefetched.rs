//! Bodies that are complete when their headers arrive.
//!
//! A small object usually arrives together with its headers. Such a body cannot be interrupted any
//! more: it needs no wrapper, and the success of its region is recorded at once.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::Result;

type Parts = BoxStream<'static, Result<Bytes>>;

/// The part of a body that is available with its headers.
pub(crate) enum Prefetch {
    Complete(Bytes),
    /// Fewer or more bytes than announced; the stream starts at the first byte.
    Partial(Parts),
}

/// Polls the body without waiting.
pub(crate) fn prefetch(mut parts: Parts, range: &Range<u64>) -> Prefetch {
    let length = range.end.saturating_sub(range.start);
    if length > PREFETCH_MAX_BYTES {
        return Prefetch::Partial(parts);
    }
    match parts.next().now_or_never() {
        Some(Some(Ok(bytes))) if bytes.len() as u64 == length => {
            match parts.next().now_or_never() {
                Some(Some(more)) => {
                    Prefetch::Partial(stream::iter([Ok(bytes), more]).chain(parts).boxed())
                }
                // The stream may be pending after the last byte; treat the body as complete.
                Some(None) | None => Prefetch::Complete(bytes),
            }
        }
        Some(Some(first)) => Prefetch::Partial(stream::iter([first]).chain(parts).boxed()),
        Some(None) if length == 0 => Prefetch::Complete(Bytes::new()),
        Some(None) => Prefetch::Partial(stream::empty().boxed()),
        None => Prefetch::Partial(parts),
    }
}

/// Whether the body may be polled before the caller does. It may if it is in memory, or comes from
/// a client that this crate built. In other stores the first poll may start a timer: a read
/// timeout, or the stall limit of a nested `FailoverStore`.
pub(crate) fn can_poll_eagerly(parts: &Parts, is_own_client: bool) -> bool {
    is_own_client || parts.size_hint().0 > 0
}

/// Larger bodies arrive in parts, which should not be buffered before the caller reads.
const PREFETCH_MAX_BYTES: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use object_store::Error;

    use super::*;

    /// Whether a body of these parts is complete, and its content. `None` is a part that is
    /// pending.
    fn prefetch_parts(parts: Vec<Option<&'static str>>, length: u64) -> (bool, String) {
        let mut parts = parts.into_iter();
        let stream = stream::poll_fn(move |_| match parts.next() {
            Some(Some("error")) => Poll::Ready(Some(Err(Error::Generic {
                store: "test",
                source: "error".into(),
            }))),
            Some(Some(part)) => Poll::Ready(Some(Ok(Bytes::from_static(part.as_bytes())))),
            Some(None) => Poll::Pending,
            None => Poll::Ready(None),
        });
        match prefetch(stream.boxed(), &(10..10 + length)) {
            Prefetch::Complete(bytes) => (true, String::from_utf8_lossy(&bytes).into_owned()),
            Prefetch::Partial(rest) => (false, collect(rest)),
        }
    }

    fn collect(mut rest: Parts) -> String {
        let mut text = String::new();
        while let Some(Some(part)) = rest.next().now_or_never() {
            text.push_str(&part.map_or_else(
                |_| "!".into(),
                |bytes| String::from_utf8_lossy(&bytes).into_owned() + ",",
            ));
        }
        text
    }

    #[test]
    fn available_body_is_complete() {
        assert_eq!(prefetch_parts(vec![Some("abc")], 3), (true, "abc".into()));
        assert_eq!(
            prefetch_parts(vec![Some("abc"), None], 3),
            (true, "abc".into()),
            "pending after the last byte"
        );
        assert_eq!(
            prefetch_parts(vec![], 0),
            (true, String::new()),
            "an empty object"
        );
    }

    #[test]
    fn partial_body_loses_no_part() {
        assert_eq!(
            prefetch_parts(vec![Some("ab"), Some("c")], 3),
            (false, "ab,c,".into())
        );
        assert_eq!(
            prefetch_parts(vec![Some("ab")], 3),
            (false, "ab,".into()),
            "too short"
        );
        assert_eq!(
            prefetch_parts(vec![Some("abc"), Some("d")], 3),
            (false, "abc,d,".into()),
            "too long"
        );
        assert_eq!(
            prefetch_parts(vec![Some("abcd")], 3),
            (false, "abcd,".into()),
            "too long in one part"
        );
        assert_eq!(
            prefetch_parts(vec![Some("abc"), Some("error")], 3),
            (false, "abc,!".into())
        );
        assert_eq!(prefetch_parts(vec![Some("error")], 3), (false, "!".into()));
        assert_eq!(
            prefetch_parts(vec![None, Some("abc")], 3),
            (false, "abc,".into()),
            "pending first part"
        );
        assert_eq!(prefetch_parts(vec![], 1), (false, String::new()), "no part");
    }

    #[test]
    fn foreign_streams_are_not_polled_eagerly() {
        let pending = || stream::poll_fn(|_| Poll::<Option<Result<Bytes>>>::Pending).boxed();
        assert!(can_poll_eagerly(&pending(), true) && !can_poll_eagerly(&pending(), false));
        assert!(can_poll_eagerly(
            &stream::iter([Ok(Bytes::new())]).boxed(),
            false
        ));
    }

    #[test]
    fn large_bodies_are_not_prefetched() {
        assert_eq!(
            prefetch_parts(vec![Some("abc")], PREFETCH_MAX_BYTES + 1),
            (false, "abc,".into())
        );
    }
}
