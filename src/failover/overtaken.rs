//! What becomes of an attempt that another one has overtaken.
//!
//! It is dropped, and all that is learnt is that it took at least so long. A trial is not: a region far away is always overtaken, and
//! must be able to close its circuit. It runs on in a task of its own to its headers or its limit, and its verdict counts.

use std::pin::pin;
use std::sync::Arc;

use futures::future::{Either, select};
use object_store::{Error, Result};

use super::flight::{Aloft, Attempt, Flight};
use super::take_down;
use crate::event::Events;
use crate::failure::{Failure, FailureClass};
use crate::flavor::Flavor;
use crate::pace::{Kind, Pace};
use crate::time::{self, Instant, sleep_until};

/// Lets a trial run on; drops everything else.
pub(super) fn run_on<A: Send + 'static>(flight: Flight<'_, A>, flavor: Flavor, pace: Arc<Pace>, events: &Events) {
    let Flight { attempt, future: Aloft::Free(trial), limit, .. } = flight else { return };
    let events = events.clone();
    tokio::spawn(async move {
        match select(trial, pin!(sleep_until(limit))).await {
            Either::Left((answer, _)) => judge(attempt, flavor, &pace, &events, answer),
            Either::Right(_) => on_timeout(attempt, &events),
        }
    });
}

/// The headers decide: nobody reads the body. Another region has served the same request, so what the region refuses is its fault.
fn judge<A>(mut attempt: Attempt, flavor: Flavor, pace: &Pace, events: &Events, answer: Result<A>) {
    let now = time::now();
    let failure = answer.err().map(|error: Error| Failure::seen(&error, attempt.evidence()).in_flavor(flavor));
    if let Some(failure) = &failure {
        take_down(events, attempt.region, &mut attempt.permit, failure, now);
    }
    match failure {
        None => attempt.permit.succeed(now),
        Some(failure) if failure.is_answer() || failure.is_absence() => attempt.permit.succeed(now),
        Some(failure) if failure.class() == FailureClass::Throttled => {
            pace.on_throttle(Kind::Read, now, failure.retry_after());
            attempt.permit.throttled(now);
        }
        Some(_) => attempt.permit.fail(now),
    }
}

fn on_timeout(mut attempt: Attempt, events: &Events) {
    let now: Instant = time::now();
    if !attempt.shortened {
        let failure = Failure::new(FailureClass::Timeout, "");
        take_down(events, attempt.region, &mut attempt.permit, &failure, now);
        attempt.permit.fail(now);
    }
}
