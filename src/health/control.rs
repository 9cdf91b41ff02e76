//! The operator's hand on a region: it overrides the circuit, and may end by itself.

use crate::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Override {
    /// No new requests; bodies in flight go on.
    Drained,
    /// Shut off: not even early probes and searches.
    ForcedOpen,
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Control(Option<(Override, Option<Instant>)>);

impl Control {
    pub(super) fn set(&mut self, what: Override, until: Option<Instant>) {
        self.0 = Some((what, until));
    }

    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    /// The override in force at `now`; one that has ended is forgotten.
    pub(super) fn active(&mut self, now: Instant) -> Option<Override> {
        if let Some((_, Some(until))) = self.0
            && now >= until
        {
            self.0 = None;
        }
        self.0.map(|(what, _)| what)
    }
}
