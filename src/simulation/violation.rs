//! What must never happen, by name.

use std::fmt;

/// A promise of the store that a simulation holds it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Invariant {
    /// Every byte that a caller gets is one of a version that a region showed during the call.
    NoWrongByte,
    /// All bytes of one answer are of one version.
    NoTornRead,
    /// No `NotFound` for a key that those who decide have shown all the time.
    NoFalseNotFound,
    /// No 412 or 304 that no region could have given.
    NoFalseCondition,
    /// No object after its delete, and no older version, where that is promised: keys of home, delete markers.
    NoResurrectedDelete,
    /// A listing leaves out nothing that all regions show, invents nothing, and comes in order.
    NoWrongListing,
    /// A write that was acknowledged has taken effect, and of two that create one wins.
    NoLostWrite,
    /// A call asks each region once per round.
    AttemptsWithinRounds,
    /// Further rounds and hedges stay within `retry.budget`.
    WithinRetryBudget,
    /// Hedges stay within `hedge.max_extra`, and without `[hedge]` there are none.
    WithinHedgeBudget,
    /// A circuit that tries a region lets in as many trials at a time as it may.
    OneProbe,
    /// A region whose circuit is open is left alone.
    OpenIsLeftAlone,
    /// A circuit closes after as many answers as are wanted, each to a request that began since it was open.
    ClosedByTrials,
    /// A region in use that lacks nothing is asked before a read fails.
    EveryRegionIsAsked,
    /// Every permit and every place under a limit is returned.
    EveryPermitReturned,
    /// Every circuit closes once its region has been well for long enough.
    EveryCircuitCloses,
    /// Every call ends within its limit.
    EveryCallEnds,
}

/// A promise that was broken.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// The number of the operation; 0 where it was none in particular.
    pub call: u64,
    /// What happened.
    pub why: String,
    /// The last lines of the trace before it.
    pub events: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} broken by operation {}: {}", self.invariant, self.call, self.why)?;
        self.events.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}
