//! Error types, and the classification of `object_store` errors.

mod classify;
mod codes;
mod evidence;
mod failure;
mod last_error;
mod report;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::classify::NO_IDENTITY;
pub use self::evidence::SendState;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
pub(crate) use self::evidence::is_code;
pub(crate) use self::evidence::{Evidence, provider_code};
pub use self::failure::Failure;
pub use self::last_error::LastError;
pub(crate) use self::report::HumanDuration;
pub use self::report::{AttemptOutcome, AttemptReport, AttemptReports, SkipReason};
pub use crate::settings::ConfigError;
pub use crate::types::FailureClass;
use crate::types::Operation;

/// Why a call on a [`FailoverStore`](crate::FailoverStore) failed, where the error is not one that
/// a single bucket returns.
///
/// It is the source of an `object_store::Error::Generic` or `NotSupported`; [`FailoverError::find`]
/// finds it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FailoverError {
    /// All regions were tried and failed.
    #[error("{operation} {path}: all regions failed: {attempts}")]
    AllRegionsFailed {
        /// The operation of the call.
        operation: Operation,
        /// The key or prefix.
        path: String,
        /// The result of each region.
        attempts: AttemptReports,
    },
    /// No region admits requests. Nothing was sent.
    #[error(
        "{operation} {path}: no region admits requests, retry in {}: {attempts}",
        HumanDuration(*.retry_after)
    )]
    CircuitsOpen {
        /// The operation of the call.
        operation: Operation,
        /// The key or prefix.
        path: String,
        /// Time until the next request may be admitted.
        retry_after: Duration,
        /// Why each region was skipped.
        attempts: AttemptReports,
    },
    /// The deadline of the call passed before a region responded.
    #[error(
        "{operation} {path}: deadline of {} exceeded: {attempts}",
        HumanDuration(*.limit)
    )]
    DeadlineExceeded {
        /// The operation of the call.
        operation: Operation,
        /// The key or prefix.
        path: String,
        /// The time limit of the call.
        limit: Duration,
        /// The result of each region until then.
        attempts: AttemptReports,
    },
    /// Some regions do not have the object, and the others did not respond: it may exist.
    #[error(
        "{operation} {path}: undecided, not found in some regions and no response from the others: \
         {attempts}"
    )]
    Undecided {
        /// The operation of the call.
        operation: Operation,
        /// The key.
        path: String,
        /// The result of each region.
        attempts: AttemptReports,
    },
    /// A body was interrupted, and no other region has provably the same object.
    #[error(
        "{path}: body from {region} interrupted after {offset} bytes, and no other region has the \
         same version: {source}"
    )]
    ReplicaDiverged {
        /// The key.
        path: String,
        /// The region whose body was interrupted.
        region: Arc<str>,
        /// Bytes from the start of the object to the interruption.
        offset: u64,
        /// The cause.
        source: Box<object_store::Error>,
    },
    /// A body was interrupted at the same byte in every region.
    #[error(
        "{path}: body interrupted after {offset} bytes in every region, last in {region}: {source}"
    )]
    BodyLost {
        /// The key.
        path: String,
        /// The last of these regions.
        region: Arc<str>,
        /// Bytes from the start of the object to the interruption.
        offset: u64,
        /// The cause in the last region.
        source: Box<object_store::Error>,
    },
    /// A listing was interrupted after the same key in every region and round.
    #[error(
        "list {path}: interrupted after \"{after}\" in every region, last in {region}: {source}"
    )]
    ListingLost {
        /// The prefix.
        path: String,
        /// The last of these regions.
        region: Arc<str>,
        /// The last key that was returned.
        after: String,
        /// The cause in the last region.
        source: Box<object_store::Error>,
    },
    /// A listing was interrupted and cannot resume in another region, because a region declared
    /// [`ordered`](crate::Region::ordered) returned keys out of order.
    #[error(
        "list {path}: interrupted in {region}, cannot resume in another region: {culprit} is \
         declared ordered and returned keys out of order: {source}"
    )]
    ListingOutOfOrder {
        /// The prefix.
        path: String,
        /// The region whose listing was interrupted.
        region: Arc<str>,
        /// The region that returned a key out of order.
        culprit: Arc<str>,
        /// The cause.
        source: Box<object_store::Error>,
    },
    /// The ranges of one call came from different versions in every read: the object is overwritten
    /// faster than it is read.
    #[error(
        "get {path}: ranges from different versions of the object in {rereads} consecutive reads"
    )]
    TornRead {
        /// The key.
        path: String,
        /// Number of repeated reads.
        rereads: u32,
    },
    /// It is unknown whether a write took effect: it may have been sent, and there was no response.
    /// It is not sent again.
    #[error(
        "{operation} {path}: outcome unknown in {region}: {cause}; check the object before retrying"
    )]
    Indeterminate {
        /// The operation of the call.
        operation: Operation,
        /// The key.
        path: String,
        /// The region of the write.
        region: Arc<str>,
        /// The failure of the attempt.
        cause: Failure,
    },
    /// A conditional write needs a home region, and none is configured.
    #[error(
        "{operation} {path}: a write that must not overwrite needs a home region: set writes.home"
    )]
    HomeRequired {
        /// The operation of the call.
        operation: Operation,
        /// The key.
        path: String,
    },
    /// The caller's `CallOptions` exclude all regions.
    #[error("{operation} {path}: {why}")]
    NoRegionAllowed {
        /// The operation of the call.
        operation: Operation,
        /// The key or prefix.
        path: String,
        /// The reason.
        why: String,
    },
    /// The write policy rejects the call.
    #[error("{operation} {path}: rejected by writes.policy = \"none\": the store is read-only")]
    WritesDisabled {
        /// The operation of the call.
        operation: Operation,
        /// The key.
        path: String,
    },
}

impl FailoverError {
    /// The `FailoverError` in the source chain of an error, if there is one.
    #[must_use]
    pub fn find(error: &object_store::Error) -> Option<&Self> {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

impl From<FailoverError> for object_store::Error {
    fn from(error: FailoverError) -> Self {
        match error {
            FailoverError::WritesDisabled { .. } | FailoverError::HomeRequired { .. } => {
                Self::NotSupported {
                    source: Box::new(error),
                }
            }
            _ => Self::Generic {
                store: "FailoverStore",
                source: Box::new(error),
            },
        }
    }
}
