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
    /// None on a good day: the first region asked has served.
    learnt: Option<Box<Learnt>>,
}

#[derive(Default)]
struct Learnt {
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
        Self { allowed, learnt: None }
    }

    pub(super) fn tell(&mut self, region: &Arc<str>, outcome: AttemptOutcome, elapsed: Duration) {
        self.learnt().story.tell(region, outcome, elapsed);
    }

    pub(super) fn learn(&mut self, region: usize, failure: Failure, absent: bool, error: Error) {
        let learnt = self.learnt();
        if absent {
            learnt.absent.insert(region);
            learnt.missing |= failure.class() == FailureClass::NotFound;
            if learnt.absence.is_none() || failure.class() == FailureClass::Precondition {
                learnt.absence = Some(error);
            }
        } else if failure.is_refusal() || failure.is_absence() {
            learnt.refused.insert(region);
            learnt.refusals.push((failure.class(), error));
        } else {
            self.learn_failure(region, &failure);
        }
    }

    pub(super) fn learn_failure(&mut self, region: usize, failure: &Failure) {
        let learnt = self.learnt();
        learnt.transient |= failure.is_transient();
        if failure.is_transport() {
            learnt.unreached.insert(region);
        }
    }

    /// A region that was left out may be asked again then.
    pub(super) fn may_retry_after(&mut self, time: Duration) {
        let learnt = self.learnt();
        learnt.retry_after = Some(learnt.retry_after.map_or(time, |known| known.min(time)));
    }

    /// When the first region that was left out may be asked again; zero where none was.
    pub(super) fn retry_after(&self) -> Duration {
        self.learnt.as_ref().and_then(|learnt| learnt.retry_after).unwrap_or_default()
    }

    pub(super) fn may_heal(&self) -> bool {
        self.learnt.as_ref().is_some_and(|learnt| learnt.transient)
    }

    pub(super) fn anyone_lacks_it(&self) -> bool {
        !self.lagging().is_empty()
    }

    /// The key is missing somewhere.
    pub(super) fn is_missing(&self) -> bool {
        self.learnt.as_ref().is_some_and(|learnt| learnt.missing)
    }

    pub(super) fn is_absent_everywhere(&self) -> bool {
        self.lagging() == self.allowed
    }

    /// Regions that did not have what another one has.
    pub(super) fn lagging(&self) -> RegionSet {
        self.learnt.as_ref().map_or_else(RegionSet::default, |learnt| learnt.absent)
    }

    /// The regions that another round asks: those that have not given an answer that stands.
    pub(super) fn asked_again(&self) -> RegionSet {
        self.learnt.as_ref().map_or(self.allowed, |learnt| self.allowed.without(learnt.absent).without(learnt.refused))
    }

    pub(super) fn begin_round(&mut self) -> RegionSet {
        if let Some(learnt) = &mut self.learnt {
            learnt.unreached = RegionSet::default();
            learnt.retry_after = None;
        }
        self.asked_again()
    }

    /// Not one of several regions could be reached at all.
    pub(super) fn nobody_was_reached(&self) -> bool {
        self.allowed.len() > 1 && self.learnt.as_ref().is_some_and(|learnt| learnt.unreached == self.allowed)
    }

    pub(super) fn circuits_open(mut self, operation: Operation, path: String) -> Error {
        let learnt = self.take();
        let retry_after = learnt.retry_after.unwrap_or(OPERATOR_RETRY);
        FailoverError::CircuitsOpen { operation, path, retry_after, attempts: learnt.story }.into()
    }

    pub(super) fn into_deadline_error(mut self, operation: Operation, path: String, limit: Duration, reachable_decide: bool) -> Error {
        if self.anyone_lacks_it() {
            return self.into_error(operation, path, reachable_decide);
        }
        FailoverError::DeadlineExceeded { operation, path, limit, attempts: self.take().story }.into()
    }

    pub(super) fn into_error(mut self, operation: Operation, path: String, reachable_decide: bool) -> Error {
        let decided = reachable_decide || self.is_absent_everywhere();
        let Learnt { story: attempts, absence, refused, refusals, .. } = self.take();
        if let Some(absence) = absence {
            return if decided { absence } else { FailoverError::Undecided { operation, path, attempts }.into() };
        }
        let refusal = if refused == self.allowed { agreed(refusals, &path) } else { None };
        refusal.unwrap_or_else(|| FailoverError::AllRegionsFailed { operation, path, attempts }.into())
    }

    fn learnt(&mut self) -> &mut Learnt {
        self.learnt.get_or_insert_default()
    }

    fn take(&mut self) -> Learnt {
        self.learnt.take().map_or_else(Learnt::default, |learnt| *learnt)
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
