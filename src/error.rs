//! The error that tells the whole story: every region, why, and how long it took, in one line.

use std::sync::Arc;
use std::time::Duration;

use crate::failure::Failure;
use crate::operation::Operation;
use crate::story::Short;
pub use crate::story::{AttemptOutcome, AttemptReport, LeftOut, Story};

/// Why a call on a [`FailoverStore`](crate::FailoverStore) failed, where that is not what one bucket would have answered.
///
/// It travels as the source of `object_store::Error::Generic`: [`FailoverError::find`] finds it there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FailoverError {
    /// Every region was tried, and none served.
    #[error("{operation} {path}: all regions failed: {attempts}")]
    AllRegionsFailed {
        /// The call.
        operation: Operation,
        /// Its key or prefix.
        path: String,
        /// What each region did.
        attempts: Story,
    },
    /// Nothing was sent: every region is left alone just now.
    #[error("{operation} {path}: no region admits a request; try again in {}: {attempts}", Short(*.retry_after))]
    CircuitsOpen {
        /// The call.
        operation: Operation,
        /// Its key or prefix.
        path: String,
        /// When the next request may be admitted.
        retry_after: Duration,
        /// Why each region was left out.
        attempts: Story,
    },
    /// The limit of the whole call was over before any region had served.
    #[error("{operation} {path}: no region served within {}: {attempts}", Short(*.limit))]
    DeadlineExceeded {
        /// The call.
        operation: Operation,
        /// Its key or prefix.
        path: String,
        /// The limit.
        limit: Duration,
        /// What each region did until then.
        attempts: Story,
    },
    /// Some regions do not have the object, and the others could not be asked: it may exist.
    #[error("{operation} {path}: undecided, some regions do not have it and others cannot tell: {attempts}")]
    Undecided {
        /// The call.
        operation: Operation,
        /// Its key.
        path: String,
        /// What each region said.
        attempts: Story,
    },
    /// A body broke, and no other region could prove that it has the same object.
    #[error("{path}: the body from {region} broke after {offset} bytes, and no other region holds the same version: {source}")]
    ReplicaDiverged {
        /// The key.
        path: String,
        /// The region whose body broke.
        region: Arc<str>,
        /// Where it broke: bytes from the start of the object.
        offset: u64,
        /// What broke it.
        source: Box<object_store::Error>,
    },
    /// A body broke at the same byte in every region.
    #[error("{path}: the body broke after {offset} bytes in every region, in {region} last: {source}")]
    BodyLost {
        /// The key.
        path: String,
        /// The region that broke last.
        region: Arc<str>,
        /// Where they broke: bytes from the start of the object.
        offset: u64,
        /// What broke the last one.
        source: Box<object_store::Error>,
    },
    /// A listing broke after the same key in every region, in every round.
    #[error("list {path}: broke after \"{after}\" in every region, in {region} last: {source}")]
    ListingLost {
        /// Its prefix.
        path: String,
        /// The region that broke last.
        region: Arc<str>,
        /// The last key that was given.
        after: String,
        /// What broke the last one.
        source: Box<object_store::Error>,
    },
    /// A listing broke, and could not go on elsewhere: its keys had not come in order, from a region that is declared
    /// [`ordered`](crate::Region::ordered).
    #[error(
        "list {path}: broke in {region}, and cannot go on elsewhere: {culprit} is declared ordered and gave keys out of order: {source}"
    )]
    ListingOutOfOrder {
        /// Its prefix.
        path: String,
        /// The region that broke.
        region: Arc<str>,
        /// The region that gave a key out of order.
        culprit: Arc<str>,
        /// What broke it.
        source: Box<object_store::Error>,
    },
    /// The ranges of one call never came from one version of the object: it is being overwritten faster than it is read.
    #[error("get {path}: its ranges came from different versions of the object, {rereads} times in a row")]
    TornRead {
        /// The key.
        path: String,
        /// How often they were read again.
        rereads: u32,
    },
    /// Nobody knows whether a write took effect: it may have been sent, and its answer was not heard. It is not sent again.
    #[error("{operation} {path}: nobody knows whether it took effect in {region}: {cause}; look before you repeat it")]
    Indeterminate {
        /// The call.
        operation: Operation,
        /// Its key.
        path: String,
        /// The region to which it was sent.
        region: Arc<str>,
        /// What came back instead of an answer.
        cause: Failure,
    },
    /// A write that must not overwrite has no home to go to.
    #[error("{operation} {path}: a write that must not overwrite needs a home region: name it in writes.home")]
    HomeRequired {
        /// The call.
        operation: Operation,
        /// Its key.
        path: String,
    },
    /// What the caller asked for in its `CallOptions` leaves no region.
    #[error("{operation} {path}: {why}")]
    NoRegionAllowed {
        /// The call.
        operation: Operation,
        /// Its key or prefix.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The write policy does not allow this call.
    #[error("{operation} {path}: refused by writes.policy = \"none\": this store only reads")]
    WritesDisabled {
        /// The call.
        operation: Operation,
        /// Its key.
        path: String,
    },
}

impl FailoverError {
    /// The story behind an error of a [`FailoverStore`](crate::FailoverStore), where there is one.
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
            FailoverError::WritesDisabled { .. } | FailoverError::HomeRequired { .. } => Self::NotSupported { source: Box::new(error) },
            _ => Self::Generic { store: "FailoverStore", source: Box::new(error) },
        }
    }
}
