//! FIFO positions of calls that wait for one rate limit.
//!
//! If a thousand calls wait for the next cell, they must not all wake for it. Each call knows how
//! many are ahead of it, sleeps for half of the time that these will take, and checks again.
//!
//! A position reserves nothing. A call that wakes takes a free cell even if others are ahead of it,
//! because a future ahead may not be polled and would block all others.

use std::collections::VecDeque;

use parking_lot::Mutex;

#[derive(Debug, Default)]
pub(super) struct WaitQueue(Mutex<Positions>);

#[derive(Debug, Default)]
struct Positions {
    next: u64,
    /// Ascending.
    waiting: VecDeque<u64>,
}

/// A position in the queue, until it is dropped.
#[derive(Debug)]
pub(super) struct QueuePosition<'a> {
    queue: &'a WaitQueue,
    position: u64,
}

impl WaitQueue {
    pub(super) fn join(&self) -> QueuePosition<'_> {
        let mut positions = self.0.lock();
        let position = positions.next;
        positions.next += 1;
        positions.waiting.push_back(position);
        QueuePosition {
            queue: self,
            position,
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().waiting.len()
    }
}

impl QueuePosition<'_> {
    /// Calls that joined earlier and still wait.
    pub(super) fn ahead(&self) -> usize {
        let positions = self.queue.0.lock();
        positions
            .waiting
            .partition_point(|position| *position < self.position)
    }
}

impl Drop for QueuePosition<'_> {
    fn drop(&mut self) {
        let mut positions = self.queue.0.lock();
        if let Ok(index) = positions.waiting.binary_search(&self.position) {
            positions.waiting.remove(index);
        }
    }
}
