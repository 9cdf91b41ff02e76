//! Each call as a value that can be attempted on any region's store.

mod check;
mod options;
mod probe;
mod read;
mod write;

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;
use object_store::Result;
use object_store::path::Path;

use crate::health::CircuitClass;
use crate::operation::Operation;
use crate::region::{RegionSet, RegionState};
pub(crate) use check::Version;
pub use options::CallOptions;
pub(crate) use probe::Probe;
pub(crate) use read::{Get, List, ListWithDelimiter};
pub(crate) use write::{Copy, CreateUpload, Delete, Once, Put, Rename, time_for};

/// One call of the trait, as the loop sees it.
pub(crate) trait Request: Send + Sync {
    type Answer: Send + 'static;

    fn operation(&self) -> Operation;

    /// What the call is about, for errors.
    fn target(&self) -> Target<'_>;

    /// Where it may go, and how long it may take.
    fn scope(&self) -> Scope;

    /// Whose verdicts it brings; None for what no circuit hears of.
    fn circuit(&self) -> Option<CircuitClass>;

    /// What it means that a region does not have the object.
    fn absence(&self) -> Absence;

    /// What may be done with it after an attempt has failed.
    fn safety(&self) -> Safety {
        Safety::Repeatable
    }

    /// It may be the one that finds out whether a region has recovered.
    fn may_try(&self) -> bool {
        true
    }

    /// Nobody waits for it: it asks where it is let in, once, and no caller is told of it.
    fn is_probe(&self) -> bool {
        false
    }

    /// Time that its size wants on top of the limits.
    fn extra_time(&self) -> Duration {
        Duration::ZERO
    }

    /// Its answer is expected at once: waiting for it counts as silence, and a slow one may be hedged.
    fn is_timed(&self) -> bool {
        false
    }

    /// Refuses an answer that is not the one to this request. `status` is what was seen on the wire, if anything was.
    fn check(&self, answer: &Self::Answer, status: Option<u16>) -> Result<()> {
        let _ = (answer, status);
        Ok(())
    }

    /// One attempt that may outlive the call, where there is such a thing: a trial runs on to its verdict.
    fn detached(&self, region: &RegionState) -> Option<BoxFuture<'static, Result<Self::Answer>>> {
        let _ = region;
        None
    }

    /// One attempt.
    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<Self::Answer>>;
}

/// Where a call may go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    /// No other region is ever given the call: not for a trial, a probe, a resume or a search.
    pub(crate) allowed: RegionSet,
    /// The region that is asked before all others, whatever the rotation.
    pub(crate) first: Option<usize>,
    /// The caller's own deadline for this call.
    pub(crate) deadline: Option<Duration>,
    /// One region and no other, by the caller's word: it may wait for that region as long as its limits let it.
    pub(crate) is_pinned: bool,
}

/// What a region's "I do not have it" means for the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// Another region may have it: they are searched.
    Search,
    /// Another region may have it: the call moves on, one region after the other.
    MoveOn,
    /// It is the caller's answer.
    Final,
    /// It is no news about an object: the region is not what we take it for.
    Refusal,
}

/// What may be done with a call after an attempt has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Safety {
    /// The same again, there or elsewhere, does no harm.
    Repeatable,
    /// Only what was never sent may be sent again: otherwise nobody knows whether it took effect.
    OnlyUnsent,
    /// The same, and it may be made of several steps: an answer that refuses the last of them says nothing about the first.
    InSteps,
    /// There is nothing left to send a second time; the caller may do it anew.
    Once,
    /// The same, and if its answer was not heard nobody knows whether it took effect.
    OnceForAll,
}

/// What a call is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    Object(&'a Path),
    Prefix(Option<&'a Path>),
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(path) => write!(f, "\"{path}\""),
            Self::Prefix(Some(prefix)) => write!(f, "below \"{prefix}\""),
            Self::Prefix(None) => f.write_str("of everything"),
        }
    }
}
