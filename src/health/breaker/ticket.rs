//! The ticket of an admitted request.

/// Proof of admission. It comes back with the verdict.
#[derive(Debug, Clone, Copy)]
pub(in crate::health) struct Ticket {
    pub(super) epoch: u64,
    /// Id of the trial that holds a half-open slot.
    pub(super) trial: Option<u64>,
    /// Issued to a request without another region. Its slot is free again once the response headers
    /// arrive.
    pub(in crate::health) last_resort: bool,
}

impl Ticket {
    /// A ticket of a closed circuit.
    pub(in crate::health) fn regular(epoch: u64) -> Self {
        Self {
            epoch,
            trial: None,
            last_resort: false,
        }
    }

    pub(in crate::health) fn epoch(self) -> u64 {
        self.epoch
    }

    /// Issued by a closed circuit: only its verdict matters.
    pub(in crate::health) fn is_regular(self) -> bool {
        self.trial.is_none() && !self.last_resort
    }
}
