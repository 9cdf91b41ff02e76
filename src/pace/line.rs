//! Those who wait for their turn in one lane, in the order they came.
//!
//! A thousand who wait for the next place must not all wake for it. So each knows how many are ahead, and sleeps for half of the time
//! that these will take; then it looks again. Half, because some of them may go away, and because the pace may rise.
//!
//! Nobody holds a place for somebody else. One who wakes takes what is free, whoever is ahead: a future that waits here and is not
//! polled, which callers are free to do, would otherwise hold up everybody behind it.

use std::collections::VecDeque;

use parking_lot::Mutex;

#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Tickets>);

#[derive(Debug, Default)]
struct Tickets {
    next: u64,
    /// Ascending.
    waiting: VecDeque<u64>,
}

/// A turn in the line, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    line: &'a Line,
    ticket: u64,
}

impl Line {
    pub(super) fn join(&self) -> Turn<'_> {
        let mut tickets = self.0.lock();
        let ticket = tickets.next;
        tickets.next += 1;
        tickets.waiting.push_back(ticket);
        Turn { line: self, ticket }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().waiting.len()
    }
}

impl Turn<'_> {
    /// How many came earlier and still wait.
    pub(super) fn ahead(&self) -> usize {
        self.line.0.lock().waiting.partition_point(|ticket| *ticket < self.ticket)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut tickets = self.line.0.lock();
        if let Ok(index) = tickets.waiting.binary_search(&self.ticket) {
            tickets.waiting.remove(index);
        }
    }
}
