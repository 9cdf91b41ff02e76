//! What the circuits of one store know of each other: three counts, no locks.
//!
//! A circuit that closes while none was closed has ended an outage of everything. The others must not sit out their open time
//! then: one cold region would carry all the load. Instead of calling them, it leaves a mark that each sees when it is next asked.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::transition::CircuitClass;

#[derive(Debug, Default)]
pub(crate) struct Fleet([Shared; 2]);

#[derive(Debug, Default)]
struct Shared {
    closed: AtomicUsize,
    /// How often a circuit has closed while none was closed.
    recoveries: AtomicU64,
    /// Circuits that are not plainly closed; 0 lets a request skip all questions.
    unsettled: AtomicUsize,
}

impl Fleet {
    /// Every region is plainly closed: nobody needs to be asked.
    pub(crate) fn is_calm(&self, class: CircuitClass) -> bool {
        self.of(class).unsettled.load(Ordering::Acquire) == 0
    }

    pub(super) fn recoveries(&self, class: CircuitClass) -> u64 {
        self.of(class).recoveries.load(Ordering::Acquire)
    }

    /// A circuit is in use again; where none was, that is a recovery.
    pub(super) fn on_closed(&self, class: CircuitClass) {
        let shared = self.of(class);
        if shared.closed.fetch_add(1, Ordering::AcqRel) == 0 {
            shared.recoveries.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(super) fn on_left_closed(&self, class: CircuitClass) {
        self.of(class).closed.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn on_settled(&self, class: CircuitClass) {
        self.of(class).unsettled.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn on_unsettled(&self, class: CircuitClass) {
        self.of(class).unsettled.fetch_add(1, Ordering::AcqRel);
    }

    fn of(&self, class: CircuitClass) -> &Shared {
        &self.0[class.index()]
    }
}
