//! The keys that a listing has delivered: which of a further region's keys are new, and whether it
//! can resume after the last one.

use std::collections::HashSet;

use object_store::path::Path;

use crate::region::Regions;

/// The keys that were delivered to the caller.
pub(super) struct Delivered {
    last: Option<Path>,
    /// The first region that is unordered or returned a key out of order.
    out_of_order_region: Option<usize>,
    /// The listing resumed after this key, and no later key has been delivered yet.
    resumed_after: Option<Path>,
    /// All keys, if a region of the store is unordered.
    keys: Option<HashSet<Path>>,
}

impl Delivered {
    pub(super) fn new(regions: &Regions) -> Self {
        let keys = regions
            .iter()
            .any(|region| !region.ordered)
            .then(HashSet::new);
        Self {
            last: None,
            out_of_order_region: None,
            resumed_after: None,
            keys,
        }
    }

    /// Records a key; false if it was delivered before an interruption and has to be skipped.
    pub(super) fn accept(
        &mut self,
        key: &Path,
        region: usize,
        ordered: bool,
        resumed: bool,
    ) -> bool {
        let known = match &mut self.keys {
            Some(keys) => !keys.insert(key.clone()),
            // The folder marker `a/` arrives as a second key `a`.
            None => self.last.as_ref() == Some(key),
        };
        if known && resumed {
            return false;
        }
        // A region that ignores the offset lists from the start: its keys were delivered before.
        if let Some(after) = self.resumed_after.take()
            && ordered
            && *key <= after
        {
            self.resumed_after = Some(after);
            return false;
        }
        if !ordered || self.last.as_ref().is_some_and(|last| key <= last) {
            self.out_of_order_region.get_or_insert(region);
        }
        self.last = Some(key.clone());
        true
    }

    /// The key after which an ordered region resumes; None if the listing has to start again.
    ///
    /// # Errors
    ///
    /// The region that returned keys out of order, if no region can resume.
    pub(super) fn resume_point(&self) -> Result<Option<&Path>, usize> {
        match (self.out_of_order_region, &self.keys) {
            (None, _) => Ok(self.last.as_ref()),
            (Some(_), Some(_)) => Ok(None),
            (Some(culprit), None) => Err(culprit),
        }
    }

    /// Another region lists the rest, after this key.
    pub(super) fn on_resume(&mut self, after: Option<&Path>) {
        self.resumed_after = after.cloned();
    }

    pub(super) fn last(&self) -> Option<&Path> {
        self.last.as_ref()
    }
}
