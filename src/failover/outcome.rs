//! What a call has learnt so far, and the error that comes of it.
//!
//! | how the regions ended | the caller gets |
//! |---|---|
//! | all without the object | their own `NotFound` or `Precondition`, untouched |
//! | some without it, the others failed, refused or left out | `Undecided`: it may exist |
//! | all refused, and agree why | that refusal |
//! | nothing was sent | `CircuitsOpen` |
//! | anything else | `AllRegionsFailed` |

use std::sync::Arc;
use std::time::Duration;

use object_store::Error;

use crate::error::{AttemptOutcome, FailoverError, Story};
use crate::failure::{Failure, FailureClass};
use crate::operation::Operation;
use crate::region::RegionSet;

pub(super) struct Outcome {
    allowed: RegionSet,
    story: Story,
    /// Regions that do not have the object.
    absent: RegionSet,
    /// One of them has said that there is no such key, rather than another version of it.
    missing: bool,
    /// What they said: a precondition that failed rather than a plain 404, where there was one.
    absence: Option<Error>,
    refused: RegionSet,
    refusals: Vec<(FailureClass, Error)>,
    /// Regions that were not reached in this round.
    unreached: RegionSet,
    /// Something failed that may heal.
    transient: bool,
    retry_after: Option<Duration>,
}

impl Outcome {
    pub(super) fn new(allowed: RegionSet) -> Self {
        Self {
            allowed,
            story: Story::default(),
            absent: RegionSet::default(),
            missing: false,
            absence: None,
            refused: RegionSet::default(),
            refusals: Vec::new(),
            unreached: RegionSet::default(),
            transient: false,
            retry_after: None,
        }
    }

    pub(super) fn tell(&mut self, region: &Arc<str>, outcome: AttemptOutcome, elapsed: Duration) {
        self.story.tell(region, outcome, elapsed);
    }

    pub(super) fn learn(&mut self, region: usize, failure: Failure, absent: bool, error: Error) {
        if absent {
            self.absent.insert(region);
            self.missing |= failure.class() == FailureClass::NotFound;
            if self.absence.is_none() || failure.class() == FailureClass::Precondition {
                self.absence = Some(error);
            }
        } else if failure.is_refusal() || failure.is_absence() {
            self.refused.insert(region);
            self.refusals.push((failure.class(), error));
        } else {
            self.learn_failure(region, &failure);
        }
    }

    pub(super) fn learn_failure(&mut self, region: usize, failure: &Failure) {
        self.transient |= failure.is_transient();
        if failure.is_transport() {
            self.unreached.insert(region);
        }
    }

    /// A region that was left out may be asked again then.
    pub(super) fn may_retry_after(&mut self, time: Duration) {
        self.retry_after = Some(self.retry_after.map_or(time, |known| known.min(time)));
    }

    /// When the first region that was left out may be asked again; zero where none was.
    pub(super) fn retry_after(&self) -> Duration {
        self.retry_after.unwrap_or_default()
    }

    pub(super) fn may_heal(&self) -> bool {
        self.transient
    }

    pub(super) fn anyone_lacks_it(&self) -> bool {
        !self.absent.is_empty()
    }

    /// The key is missing somewhere.
    pub(super) fn is_missing(&self) -> bool {
        self.missing
    }

    pub(super) fn is_absent_everywhere(&self) -> bool {
        self.absent == self.allowed
    }

    /// Regions that did not have what another one has.
    pub(super) fn lagging(&self) -> RegionSet {
        self.absent
    }

    /// The regions that another round asks: those that have not given an answer that stands.
    pub(super) fn asked_again(&self) -> RegionSet {
        self.allowed.without(self.absent).without(self.refused)
    }

    pub(super) fn begin_round(&mut self) -> RegionSet {
        self.unreached = RegionSet::default();
        self.retry_after = None;
        self.asked_again()
    }

    /// Not one of several regions could be reached at all.
    pub(super) fn nobody_was_reached(&self) -> bool {
        self.allowed.len() > 1 && self.unreached == self.allowed
    }

    pub(super) fn circuits_open(self, operation: Operation, path: String) -> Error {
        let retry_after = self.retry_after.unwrap_or(OPERATOR_RETRY);
        FailoverError::CircuitsOpen { operation, path, retry_after, attempts: self.story }.into()
    }

    pub(super) fn into_deadline_error(self, operation: Operation, path: String, limit: Duration, reachable_decide: bool) -> Error {
        if self.anyone_lacks_it() {
            return self.into_error(operation, path, reachable_decide);
        }
        FailoverError::DeadlineExceeded { operation, path, limit, attempts: self.story }.into()
    }

    pub(super) fn into_error(mut self, operation: Operation, path: String, reachable_decide: bool) -> Error {
        if let Some(absence) = self.absence.take() {
            let decided = reachable_decide || self.is_absent_everywhere();
            return if decided { absence } else { FailoverError::Undecided { operation, path, attempts: self.story }.into() };
        }
        let refusal = if self.refused == self.allowed { agreed(self.refusals, &path) } else { None };
        refusal.unwrap_or_else(|| FailoverError::AllRegionsFailed { operation, path, attempts: self.story }.into())
    }
}

/// What a caller is told to wait where only an operator decides when a region comes back.
const OPERATOR_RETRY: Duration = Duration::from_secs(30);

/// The refusal on which all regions agree, where object_store has a word for it.
fn agreed(refusals: Vec<(FailureClass, Error)>, path: &str) -> Option<Error> {
    let class = refusals.first()?.0;
    if refusals.iter().any(|(other, _)| *other != class) {
        return None;
    }
    let named = |error: &Error| {
        matches!(
            error,
            Error::PermissionDenied { .. } | Error::NotFound { .. } | Error::Unauthenticated { .. } | Error::NotSupported { .. }
        )
    };
    let forbidden = |error: &Error| matches!(error, Error::PermissionDenied { .. });
    let mut errors: Vec<_> = refusals.into_iter().map(|(_, error)| error).collect();
    let best = errors.iter().position(forbidden).or_else(|| errors.iter().position(named));
    match (best, class) {
        (Some(best), _) => Some(errors.swap_remove(best)),
        // A listing says it in a generic error.
        (None, FailureClass::Unauthorized) => {
            Some(Error::PermissionDenied { path: path.to_owned(), source: Box::new(errors.swap_remove(0)) })
        }
        _ => None,
    }
}
