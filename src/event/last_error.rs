//! The last error of each region.

use parking_lot::Mutex;

use crate::error::{Failure, LastError};

/// The last error of each region of a store.
#[derive(Debug)]
pub(super) struct LastErrors(Box<[Mutex<Option<LastError>>]>);

impl LastErrors {
    pub(super) fn new(regions: usize) -> Self {
        Self((0..regions).map(|_| Mutex::default()).collect())
    }

    /// Records a failure of the region. A missing key is none.
    pub(super) fn record_error(&self, region: usize, failure: &Failure) {
        if failure.class().is_failing() {
            *self.0[region].lock() = Some(LastError::of(failure));
        }
    }

    pub(super) fn get(&self, region: usize) -> Option<LastError> {
        self.0[region].lock().clone()
    }
}
