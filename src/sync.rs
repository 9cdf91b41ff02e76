//! The one door to locks and atomics of whatever several threads decide upon together.
//!
//! In the package `models` they are loom's, which tries every order in which threads can meet (docs/concurrency.md). `Arc` is the real one
//! there too: it decides nothing.

#[cfg(not(failover_loom))]
pub(crate) use parking_lot::{Mutex, MutexGuard};
#[cfg(not(failover_loom))]
pub(crate) use std::sync::atomic;

#[cfg(failover_loom)]
pub(crate) use modelled::{Mutex, MutexGuard, atomic};

#[cfg(failover_loom)]
mod modelled {
    pub(crate) use loom::sync::MutexGuard;
    pub(crate) use loom::sync::atomic;

    /// Loom's, with the calls of `parking_lot`'s.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        /// A model that has panicked under a lock is over.
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no model goes on after a panic")
        }
    }
}
