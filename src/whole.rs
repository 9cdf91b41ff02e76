//! Bodies that have come whole with their head.
//!
//! A small object usually arrives together with the head of its answer. What is all there cannot break any more, so it needs nobody who
//! guards it, and its region has done all that was asked of it before the caller looks.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::Result;

type Parts = BoxStream<'static, Result<Bytes>>;

/// What there is of a body when its head has come.
pub(crate) enum Arrived {
    All(Bytes),
    /// Less, or more than was announced: its parts are still to be read, from the first.
    NotAll(Parts),
}

/// Looks whether the body is there, and waits for nothing.
pub(crate) fn look(mut parts: Parts, range: &Range<u64>) -> Arrived {
    let length = range.end.saturating_sub(range.start);
    if length > SMALL {
        return Arrived::NotAll(parts);
    }
    match parts.next().now_or_never() {
        Some(Some(Ok(bytes))) if bytes.len() as u64 == length => match parts.next().now_or_never() {
            Some(Some(more)) => Arrived::NotAll(stream::iter([Ok(bytes), more]).chain(parts).boxed()),
            // Whoever has delivered the last byte need not say that it was the last.
            Some(None) | None => Arrived::All(bytes),
        },
        Some(Some(first)) => Arrived::NotAll(stream::iter([first]).chain(parts).boxed()),
        Some(None) if length == 0 => Arrived::All(Bytes::new()),
        Some(None) => Arrived::NotAll(stream::empty().boxed()),
        None => Arrived::NotAll(parts),
    }
}

/// Looking at these parts starts nobody's clock: they are in memory, or come from a client of ours, whose waits are ours to count. (The body of
/// another store like this one counts its caller's waits, and other clients may have limits of their own that begin with the first look.)
pub(crate) fn may_look(parts: &Parts, is_ours: bool) -> bool {
    is_ours || parts.size_hint().0 > 0
}

/// Larger bodies come in parts: nobody wants the first of them kept in memory before he asks for it.
const SMALL: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use object_store::Error;

    use super::*;

    /// What is seen of a body of these parts, of which `None` is one that has not come yet; and its parts afterwards.
    fn seen(parts: Vec<Option<&'static str>>, length: u64) -> (bool, String) {
        let mut parts = parts.into_iter();
        let stream = stream::poll_fn(move |_| match parts.next() {
            Some(Some("broken")) => Poll::Ready(Some(Err(Error::Generic { store: "test", source: "broken".into() }))),
            Some(Some(part)) => Poll::Ready(Some(Ok(Bytes::from_static(part.as_bytes())))),
            Some(None) => Poll::Pending,
            None => Poll::Ready(None),
        });
        match look(stream.boxed(), &(10..10 + length)) {
            Arrived::All(bytes) => (true, String::from_utf8_lossy(&bytes).into_owned()),
            Arrived::NotAll(rest) => (false, told(rest)),
        }
    }

    fn told(mut rest: Parts) -> String {
        let mut told = String::new();
        while let Some(Some(part)) = rest.next().now_or_never() {
            told.push_str(&part.map_or_else(|_| "!".into(), |bytes| String::from_utf8_lossy(&bytes).into_owned() + ","));
        }
        told
    }

    #[test]
    fn a_body_that_is_there_is_whole() {
        assert_eq!(seen(vec![Some("abc")], 3), (true, "abc".into()));
        assert_eq!(seen(vec![Some("abc"), None], 3), (true, "abc".into()), "its end need not be said");
        assert_eq!(seen(vec![], 0), (true, String::new()), "an empty object");
    }

    #[test]
    fn nothing_of_any_other_is_lost() {
        assert_eq!(seen(vec![Some("ab"), Some("c")], 3), (false, "ab,c,".into()));
        assert_eq!(seen(vec![Some("ab")], 3), (false, "ab,".into()), "too short");
        assert_eq!(seen(vec![Some("abc"), Some("d")], 3), (false, "abc,d,".into()), "too long");
        assert_eq!(seen(vec![Some("abcd")], 3), (false, "abcd,".into()), "too long at once");
        assert_eq!(seen(vec![Some("abc"), Some("broken")], 3), (false, "abc,!".into()));
        assert_eq!(seen(vec![Some("broken")], 3), (false, "!".into()));
        assert_eq!(seen(vec![None, Some("abc")], 3), (false, "abc,".into()), "it comes later");
        assert_eq!(seen(vec![], 1), (false, String::new()), "nothing at all");
    }

    #[test]
    fn nobody_looks_where_that_starts_a_clock() {
        let waits = || stream::poll_fn(|_| Poll::<Option<Result<Bytes>>>::Pending).boxed();
        assert!(may_look(&waits(), true) && !may_look(&waits(), false));
        assert!(may_look(&stream::iter([Ok(Bytes::new())]).boxed(), false));
    }

    #[test]
    fn nobody_looks_into_a_large_one() {
        assert_eq!(seen(vec![Some("abc")], SMALL + 1), (false, "abc,".into()));
    }
}
