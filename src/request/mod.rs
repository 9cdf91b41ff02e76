//! Each call of the trait as a value that can be sent to the store of any region.

mod options;
mod probe;
mod read;
mod validate;
mod write;

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;
use object_store::Result;
use object_store::path::Path;

use crate::health::CircuitClass;
use crate::region::{RegionSet, RegionState};
use crate::types::Operation;
pub use options::CallOptions;
pub(crate) use probe::Probe;
pub(crate) use read::{Get, List, ListWithDelimiter};
pub(crate) use validate::{ExpectedVersion, ResponseContext};
pub(crate) use write::{Copy, CreateUpload, Delete, OneShot, Put, Rename, transfer_time};

/// One call of the trait, as the engine uses it.
pub(crate) trait Request: Send + Sync {
    type Response: Send + 'static;

    fn operation(&self) -> Operation;

    /// The object or prefix, for errors.
    fn target(&self) -> Target<'_>;

    /// The regions that it may use, and its deadline.
    fn scope(&self) -> Scope;

    /// The circuit that its verdicts go to; None for operations without a circuit.
    fn circuit(&self) -> Option<CircuitClass>;

    /// What a missing object in one region means for the call.
    fn on_missing(&self) -> OnMissing;

    /// Whether it may be sent again after a failed attempt.
    fn retry_safety(&self) -> RetrySafety {
        RetrySafety::Repeatable
    }

    /// It may be the trial that decides whether a region has recovered.
    fn may_be_trial(&self) -> bool {
        true
    }

    /// It is a background probe: it asks each region that admits it once, and returns no response
    /// to a caller.
    fn is_probe(&self) -> bool {
        false
    }

    /// Time for the transfer of its payload, added to the limits.
    fn extra_time(&self) -> Duration {
        Duration::ZERO
    }

    /// Its headers are expected at once: waiting for them counts as silence, and a slow attempt may
    /// be hedged.
    fn expects_prompt_response(&self) -> bool {
        false
    }

    /// Rejects a response that does not match this request. `status` is the HTTP status, where the
    /// wire is recorded.
    fn validate(&self, response: &Self::Response, context: ResponseContext) -> Result<()> {
        let _ = (response, context);
        Ok(())
    }

    /// An attempt that may outlive the call, if the request supports it: a trial that lost the race
    /// runs on to its verdict.
    fn attempt_owned(
        &self,
        region: &RegionState,
    ) -> Option<BoxFuture<'static, Result<Self::Response>>> {
        let _ = region;
        None
    }

    /// One attempt.
    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<Self::Response>>;
}

/// The regions that a call may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    /// No other region receives the call: not for a trial, a probe, a resume or a search.
    pub(crate) allowed: RegionSet,
    /// Asked before all others, whatever the rotation.
    pub(crate) first: Option<usize>,
    /// The region that owns the key (`reads.home_prefixes`): its 404 is final, and a response of
    /// another region may be an older version.
    pub(crate) home: Option<usize>,
    /// Regions that the caller excluded: they may hold an object that the others lack.
    pub(crate) avoided: RegionSet,
    /// The caller's own deadline for this call.
    pub(crate) deadline: Option<Duration>,
    /// The caller has chosen this one region: the call may wait for it until its deadline.
    pub(crate) is_pinned: bool,
}

/// What a missing object in one region means for the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnMissing {
    /// Another region may have it: all of them are searched at once.
    SearchAll,
    /// Another region may have it: the call continues with the next.
    TryNext,
    /// The response is returned to the caller.
    Final,
    /// It concerns no object: the bucket is missing or misconfigured.
    Misconfigured,
}

impl OnMissing {
    /// Another region may have the object.
    pub(crate) fn may_be_in_another_region(self) -> bool {
        matches!(self, Self::SearchAll | Self::TryNext)
    }
}

/// Whether a call may be sent again after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetrySafety {
    /// It may be repeated in any region.
    Repeatable,
    /// It may be repeated only if it was not sent: otherwise it may have taken effect.
    IfUnsent,
    /// As `IfUnsent`, and it may consist of several steps: a rejection of the last step says
    /// nothing about the first.
    NonAtomic,
    /// It is consumed by its first attempt; the caller may start it again.
    SingleUse,
    /// As `SingleUse`, and without a response it may have taken effect.
    SingleUseUnknown,
}

impl RetrySafety {
    /// An attempt without a response leaves open whether the request took effect.
    pub(crate) fn may_be_indeterminate(self) -> bool {
        matches!(
            self,
            Self::IfUnsent | Self::NonAtomic | Self::SingleUseUnknown
        )
    }

    /// The call has one attempt.
    pub(crate) fn is_single_use(self) -> bool {
        matches!(self, Self::SingleUse | Self::SingleUseUnknown)
    }
}

/// The object or prefix of a call.
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
