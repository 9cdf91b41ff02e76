//! The invariants of the store, and their violations.

use std::fmt;

/// A promise of the store that each run checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Invariant {
    /// Every byte that a caller gets is of a version that an admissible region showed during the
    /// call.
    NoWrongByte,
    /// All bytes of one response are of one version.
    NoTornRead,
    /// No `NotFound` for a key that the deciding regions showed during the whole call.
    NoFalseNotFound,
    /// No 304 for a version that no region had.
    NoFalseCondition,
    /// No object after its delete and no older version where that is promised: keys of home,
    /// delete markers.
    NoResurrectedDelete,
    /// A listing is in order, invents no key, and lacks no key that all regions show.
    NoWrongListing,
    /// An acknowledged write has taken effect, and a caller's own write is never reported as
    /// another writer's.
    NoLostWrite,
    /// A call asks each region at most once per round.
    AttemptsWithinRounds,
    /// Further rounds and hedges stay within `retry.budget`.
    WithinRetryBudget,
    /// Hedges stay within `hedge.max_extra`; without `[hedge]` there are none.
    WithinHedgeBudget,
    /// A region that has not responded yet gets at most `half_open_max_calls` trials at a time,
    /// last-resort attempts included.
    SingleLastResort,
    /// No request is sent to a region whose circuit is open.
    OpenIsExcluded,
    /// A circuit closes after `success_threshold` responses to requests that began after it opened.
    ClosedByTrials,
    /// Every healthy region in use is asked before a read fails.
    EveryRegionIsAsked,
    /// Every permit and every slot under `max_in_flight` is returned.
    EveryPermitReturned,
    /// Every circuit closes once its region has been healthy for long enough.
    EveryCircuitCloses,
    /// Every call ends within its limit.
    EveryCallEnds,
}

/// An invariant that did not hold.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Violation {
    /// The invariant.
    pub invariant: Invariant,
    /// The number of the operation; 0 where the violation belongs to none.
    pub call: u64,
    /// What was observed.
    pub why: String,
    /// The last lines of the trace before it.
    pub events: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:?} violated by operation {}: {}",
            self.invariant, self.call, self.why
        )?;
        self.events
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}
