//! Effect of an attempt's result on the circuit.

/// What the result of an attempt means for the circuit of its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The region did what was requested, or its response is final for the caller.
    Success,
    /// The region is at fault.
    Failure,
    /// The region rejected the request because of its rate: overload, not an outage.
    Throttled,
    /// Undecided until another region serves the same request; then it is a failure. If all regions
    /// refuse it, the request is the cause, and no circuit counts a failure.
    Deferred,
}

impl Verdict {
    /// The verdict once another region has served the same request.
    pub(crate) fn contradicted(self) -> Self {
        if self == Self::Deferred {
            Self::Failure
        } else {
            self
        }
    }
}
