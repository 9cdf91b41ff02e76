//! The truth about one key, which may change while it is read.

use object_store::path::Path;
use parking_lot::RwLock;

use super::corpus::Fingerprint;
use crate::clock::Instant;

/// The first part of keys that are the first region's.
pub(crate) const HOME: &str = "home/";

/// A body, by its digest and length.
pub(crate) type Content = (Fingerprint, u64);

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: Path,
    truth: RwLock<Truth>,
}

#[derive(Debug)]
struct Truth {
    /// None: it was deleted.
    now: Option<Content>,
    past: Vec<Content>,
    /// When it was last changed for good; None while a change is under way.
    since: Option<Instant>,
}

/// What a read's answer is, held against the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    True,
    /// It was true once.
    Old,
    False,
}

impl Entry {
    pub(crate) fn new(path: Path, content: Content, since: Instant) -> Self {
        Self { path, truth: RwLock::new(Truth { now: Some(content), past: Vec::new(), since: Some(since) }) }
    }

    /// Whether reads of it are to go to the first region.
    pub(crate) fn is_homes(&self) -> bool {
        self.path.as_ref().starts_with(HOME)
    }

    /// How long its body is, as far as one can know.
    pub(crate) fn size(&self) -> u64 {
        self.truth.read().now.map_or(0, |(_, size)| size)
    }

    pub(crate) fn exists(&self) -> bool {
        self.truth.read().now.is_some()
    }

    /// A change begins: until it has ended, before and after are both true.
    pub(crate) fn begin(&self, to: Option<Content>) {
        let mut truth = self.truth.write();
        let before = std::mem::replace(&mut truth.now, to);
        truth.past.extend(before);
        truth.since = None;
    }

    pub(crate) fn settle(&self, at: Instant) {
        self.truth.write().since = Some(at);
    }

    /// Judges the answer to a read that began then; None is the word that there is no such key.
    pub(crate) fn judge(&self, answer: Option<Content>, began: Instant) -> Word {
        let truth = self.truth.read();
        let changing = truth.since.is_none_or(|since| began <= since);
        match answer {
            now if now == truth.now => Word::True,
            Some(old) if truth.past.contains(&old) => {
                if changing {
                    Word::True
                } else {
                    Word::Old
                }
            }
            // A reader may have begun before the change and been answered after it, or the other way round.
            None if changing && !truth.past.is_empty() => Word::True,
            _ => Word::False,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Content, Entry, Word};
    use crate::clock::{Instant, now};

    const OLD: Content = ([1; 32], 10);
    const NEW: Content = ([2; 32], 20);

    /// Made at 0 s, changed from 10 s to 20 s.
    fn changed(to: Option<Content>) -> (Entry, impl Fn(u64) -> Instant) {
        let start = now();
        let at = move |seconds| start + Duration::from_secs(seconds);
        let entry = Entry::new("a".into(), OLD, at(0));
        entry.begin(to);
        entry.settle(at(20));
        (entry, at)
    }

    #[test]
    fn an_old_version_is_true_for_who_began_before_the_change_had_ended() {
        let (entry, at) = changed(Some(NEW));
        let judged = |answer, began| entry.judge(answer, at(began));
        assert_eq!([judged(Some(OLD), 15), judged(Some(NEW), 15)], [Word::True, Word::True]);
        assert_eq!([judged(Some(OLD), 21), judged(Some(NEW), 21)], [Word::Old, Word::True]);
    }

    #[test]
    fn a_deleted_object_that_is_served_again_is_old_and_its_absence_is_true() {
        let (entry, at) = changed(None);
        assert_eq!([entry.judge(None, at(21)), entry.judge(Some(OLD), at(21))], [Word::True, Word::Old]);
    }

    #[test]
    fn bytes_that_never_were_and_keys_that_are_there_are_never_excused() {
        let (entry, at) = changed(Some(NEW));
        assert_eq!(entry.judge(Some(([3; 32], 20)), at(15)), Word::False);
        assert_eq!(entry.judge(None, at(21)), Word::False);
        assert_eq!(Entry::new("a".into(), OLD, at(0)).judge(None, at(0)), Word::False);
    }
}
