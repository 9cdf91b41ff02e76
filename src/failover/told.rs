//! What happens in calls, told to those who keep account of it: metrics, events, the log. Nobody decides anything here.

use object_store::{Error, Result};

use super::Core;
use crate::error::FailoverError;
use crate::event::Events;
use crate::failure::{Failure, FailureClass};
use crate::health::{CircuitClass, Permit};
use crate::metrics::{Answer, Asked};
use crate::operation::Operation;
use crate::time::{self, Instant};

impl Core {
    /// A call of the store begins.
    pub(crate) fn asked(&self, operation: Operation) -> Asked<'_> {
        self.wake_metrics();
        self.metrics.asked(operation)
    }

    /// Resolves the handles of all metrics, if nobody has yet, and shows them what stands.
    pub(crate) fn wake_metrics(&self) {
        if !self.metrics.is_resolved() && self.metrics.resolve() {
            let now = time::now();
            self.regions.iter().for_each(|region| region.health.show_all(now));
        }
    }

    /// Pays for an extra attempt from the retry budget; false where it is exhausted.
    pub(crate) fn pay(&self, now: Instant) -> bool {
        let paid = self.budget.pay(now);
        if !paid {
            self.metrics.on_budget_exhausted();
        }
        paid
    }

    /// Every region has a circuit that ends a fruitless walk; where one has none just now, a count has to.
    pub(crate) fn circuits_can_open(&self, class: CircuitClass) -> bool {
        self.have_circuits && !self.regions.are_unguarded(class)
    }
}

/// Takes down what an attempt came back with. Its verdict is another matter, and may come later.
pub(crate) fn take_down(events: &Events, region: usize, permit: &mut Permit, failure: &Failure, now: Instant) {
    events.remember(region, failure);
    permit.note(failure.class().into(), now);
}

/// A call's answer, counted.
pub(crate) fn settled<T>(asked: Asked<'_>, result: Result<T>) -> Result<T> {
    asked.answered(answer(&result));
    result
}

/// What a caller sees, in one word.
pub(crate) fn answer<T>(result: &Result<T>) -> Answer {
    let Err(error) = result else { return Answer::Success };
    if let Some(story) = FailoverError::find(error) {
        return answer_of_story(story);
    }
    match error {
        Error::NotFound { .. } => Answer::NotFound,
        Error::Precondition { .. } | Error::AlreadyExists { .. } => Answer::Precondition,
        Error::NotModified { .. } => Answer::NotModified,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Answer::Denied,
        error if Failure::of(error).class() == FailureClass::Caller => Answer::Rejected,
        _ => Answer::Error,
    }
}

fn answer_of_story(story: &FailoverError) -> Answer {
    match story {
        FailoverError::AllRegionsFailed { .. } => Answer::AllRegionsFailed,
        FailoverError::CircuitsOpen { .. } => Answer::CircuitOpen,
        FailoverError::DeadlineExceeded { .. } => Answer::Deadline,
        FailoverError::Undecided { .. } => Answer::Undecided,
        FailoverError::Indeterminate { .. } => Answer::Indeterminate,
        FailoverError::WritesDisabled { .. } | FailoverError::HomeRequired { .. } | FailoverError::NoRegionAllowed { .. } => {
            Answer::Rejected
        }
        FailoverError::ReplicaDiverged { .. }
        | FailoverError::BodyLost { .. }
        | FailoverError::ListingLost { .. }
        | FailoverError::ListingOutOfOrder { .. }
        | FailoverError::TornRead { .. } => Answer::Error,
    }
}
