//! A trial that lost its race.
//!
//! Every other attempt that loses is dropped. A trial runs on in a task of its own, until its
//! headers or its limit, and its verdict counts: a far region always loses, and its circuit must
//! be able to close.

use std::pin::pin;
use std::sync::Arc;

use futures::future::{Either, select};
use object_store::Result;

use super::attempt::{Attempt, AttemptFuture, InFlight};
use super::record_failure;
use crate::error::Failure;
use crate::event::Events;
use crate::health::Permit;
use crate::runtime::clock::{self, sleep_until};
use crate::throttle::Throttle;
use crate::types::{CircuitClass, Flavor, Verdict};

/// Lets a trial run on; drops every other attempt.
pub(super) fn spawn_detached<A: Send + 'static>(
    attempt: InFlight<'_, A>,
    flavor: Flavor,
    throttle: Arc<Throttle>,
    events: &Events,
) {
    let InFlight {
        attempt,
        future: AttemptFuture::Owned(trial),
        limit,
        ..
    } = attempt
    else {
        return;
    };
    let events = events.clone();
    tokio::spawn(async move {
        let (mut trial, mut limit) = (trial, limit);
        let failure = loop {
            match select(trial, pin!(sleep_until(limit))).await {
                Either::Left((result, _)) => break classify(&attempt, flavor, &result),
                Either::Right((_, pending)) => {
                    let Some(late) = clock::delay_of_timer(limit, clock::now()) else {
                        break Some(attempt.timeout());
                    };
                    trial = pending;
                    limit = clock::saturating_add(limit, late);
                }
            }
        };
        record(attempt, failure, &throttle, &events);
    });
}

fn classify<A>(attempt: &Attempt, flavor: Flavor, result: &Result<A>) -> Option<Failure> {
    let error = result.as_ref().err()?;
    Some(Failure::classify(error, attempt.evidence()).in_flavor(flavor))
}

/// The headers decide, because no caller reads the body.
fn record(attempt: Attempt, failure: Option<Failure>, throttle: &Throttle, events: &Events) {
    let (
        now,
        Attempt {
            region, mut permit, ..
        },
    ) = (clock::now(), attempt);
    let verdict = match &failure {
        Some(failure) => {
            record_failure(events, region, &mut permit, failure, now);
            throttle.on_failure(CircuitClass::Read, failure, now);
            failure.verdict()
        }
        None => Verdict::Success,
    };
    // The winner of the race served the same request: a refusal here is this region's fault.
    let undecided: Option<Permit> = permit.record(verdict.contradicted(), now);
    debug_assert!(undecided.is_none(), "a contradicted verdict is final");
}
