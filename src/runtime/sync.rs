//! Locks and atomics of state that several threads share.
//!
//! In the loom models they are loom's, which explores every interleaving of threads
//! (docs/concurrency.md). `Arc` stays the standard one: no decision depends on it.

#[cfg(not(failover_loom))]
pub(crate) use parking_lot::{Mutex, MutexGuard};
#[cfg(not(failover_loom))]
pub(crate) use std::sync::atomic;

#[cfg(failover_loom)]
pub(crate) use loom_sync::{Mutex, MutexGuard, atomic};

#[cfg(failover_loom)]
mod loom_sync {
    pub(crate) use loom::sync::MutexGuard;
    pub(crate) use loom::sync::atomic;

    /// Loom's mutex with the interface of `parking_lot`'s.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("a model stops at its first panic")
        }
    }
}
