//! The expected content of one key, which may change during the run.

use object_store::path::Path;
use parking_lot::RwLock;
use tokio::time::Instant;

use super::corpus::Fingerprint;

/// Prefix of the keys whose home is the first region.
pub(crate) const HOME: &str = "home/";

/// Digest and length of a body.
pub(crate) type Content = (Fingerprint, u64);

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: Path,
    expected: RwLock<Expectation>,
}

#[derive(Debug)]
struct Expectation {
    /// `None` if the object was deleted.
    current: Option<Content>,
    past: Vec<Content>,
    /// When the last change completed; `None` while a change is in progress.
    since: Option<Instant>,
}

/// The result of a read, compared with the expected content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadCheck {
    Current,
    /// An earlier version.
    Stale,
    Wrong,
}

impl Entry {
    pub(crate) fn new(path: Path, content: Content, since: Instant) -> Self {
        Self {
            path,
            expected: RwLock::new(Expectation {
                current: Some(content),
                past: Vec::new(),
                since: Some(since),
            }),
        }
    }

    /// Whether the home of the key is the first region.
    pub(crate) fn belongs_to_home(&self) -> bool {
        self.path.as_ref().starts_with(HOME)
    }

    /// Length of the current body; 0 if the object was deleted.
    pub(crate) fn size(&self) -> u64 {
        self.expected.read().current.map_or(0, |(_, size)| size)
    }

    pub(crate) fn exists(&self) -> bool {
        self.expected.read().current.is_some()
    }

    /// Starts a change. Until it completes, both versions are valid.
    pub(crate) fn begin_change(&self, to: Option<Content>) {
        let mut expected = self.expected.write();
        let before = std::mem::replace(&mut expected.current, to);
        expected.past.extend(before);
        expected.since = None;
    }

    pub(crate) fn end_change(&self, at: Instant) {
        self.expected.write().since = Some(at);
    }

    /// Compares the result of a read that started at `started_at`; `None` is `NotFound`.
    pub(crate) fn check(&self, found: Option<Content>, started_at: Instant) -> ReadCheck {
        let expected = self.expected.read();
        let changing = expected.since.is_none_or(|since| started_at <= since);
        match found {
            found if found == expected.current => ReadCheck::Current,
            Some(old) if expected.past.contains(&old) => {
                if changing {
                    ReadCheck::Current
                } else {
                    ReadCheck::Stale
                }
            }
            // The read may have started before the change and ended after it, or the reverse.
            None if changing && !expected.past.is_empty() => ReadCheck::Current,
            _ => ReadCheck::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Content, Entry, ReadCheck};
    use tokio::time::Instant;

    const OLD: Content = ([1; 32], 10);
    const NEW: Content = ([2; 32], 20);

    /// Created at 0 s, changed from 10 s to 20 s.
    fn changed(to: Option<Content>) -> (Entry, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        let at = move |seconds| start + Duration::from_secs(seconds);
        let entry = Entry::new("a".into(), OLD, at(0));
        entry.begin_change(to);
        entry.end_change(at(20));
        (entry, at)
    }

    #[test]
    fn old_version_is_current_until_the_change_ends() {
        let (entry, at) = changed(Some(NEW));
        let checked = |found, started_at| entry.check(found, at(started_at));
        assert_eq!(
            [checked(Some(OLD), 15), checked(Some(NEW), 15)],
            [ReadCheck::Current, ReadCheck::Current]
        );
        assert_eq!(
            [checked(Some(OLD), 21), checked(Some(NEW), 21)],
            [ReadCheck::Stale, ReadCheck::Current]
        );
    }

    #[test]
    fn deleted_object_is_stale_and_its_absence_current() {
        let (entry, at) = changed(None);
        assert_eq!(
            [entry.check(None, at(21)), entry.check(Some(OLD), at(21))],
            [ReadCheck::Current, ReadCheck::Stale]
        );
    }

    #[test]
    fn unknown_bytes_and_missing_existing_keys_are_wrong() {
        let (entry, at) = changed(Some(NEW));
        assert_eq!(entry.check(Some(([3; 32], 20)), at(15)), ReadCheck::Wrong);
        assert_eq!(entry.check(None, at(21)), ReadCheck::Wrong);
        assert_eq!(
            Entry::new("a".into(), OLD, at(0)).check(None, at(0)),
            ReadCheck::Wrong
        );
    }
}
