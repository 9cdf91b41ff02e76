//! All attempts of one call that are in flight, and its waits for trials and throttles, polled
//! together under one timer.
//!
//! Most calls have a single attempt. A slow attempt, a search for a missing key and the last resort
//! have several; the first that completes is returned together with its permit. Dropping the race
//! drops the attempts in flight and frees their permits.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::Result;
use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::attempt::{Attempt, InFlight};
use crate::error::SkipReason;
use crate::health::Permit;
use crate::request::Request;
use crate::runtime::clock::{self, Instant, Sleep};
use crate::throttle::ThrottlePermit;

pub(super) struct Race<'a, A> {
    attempts: SmallVec<[InFlight<'a, A>; 1]>,
    queue: Vec<Waiter>,
    /// Waits for the throttles of regions that are at their limit.
    throttled: Vec<(usize, BoxFuture<'static, ThrottlePermit>)>,
    /// When the waits for trials end. Meaningful only while `queue` is not empty.
    wait_until: Instant,
}

/// A wait for the trial of another call in this region.
struct Waiter {
    region: usize,
    permit: oneshot::Receiver<Permit>,
    /// Keeps a channel without a sender open until the wait ends.
    _keep_open: Option<oneshot::Sender<Permit>>,
}

/// What happened next.
pub(super) enum RaceEvent<A> {
    Completed(Attempt, Result<A>),
    TimedOut(Attempt),
    /// The attempt in this region has reached its `slow_at`.
    Slow(usize),
    /// The attempt in this region still waits for headers.
    WaitTick(usize),
    /// The circuit of this region opened for silence while the attempt waits there.
    RegionSilent(usize),
    /// The trial of another call succeeded; the region admits this call.
    Admitted(usize, Permit),
    /// The trial of another call failed, or took longer than this call waits for it.
    Rejected(usize),
    /// The throttle of this region admits the call.
    ThrottleReady(usize, ThrottlePermit),
    /// The timer fired this much too late.
    Late(Duration),
    DeadlineExceeded,
}

impl<A> RaceEvent<A> {
    /// Turns a response that does not match the request into an error of its region.
    pub(super) fn validate(&mut self, request: &impl Request<Response = A>) {
        if let Self::Completed(attempt, result) = self
            && let Ok(response) = result
            && let Err(error) = request.validate(response, attempt.context())
        {
            *result = Err(error);
        }
    }
}

/// The one timer of a call, created at its first wait.
pub(super) type Timer = Option<Sleep>;

/// Waits for `instant` on the call's timer.
pub(super) async fn sleep_until(mut timer: Pin<&mut Timer>, instant: Instant) {
    timer.set(Some(clock::sleep_until(instant)));
    if let Some(sleep) = timer.as_pin_mut() {
        sleep.await;
    }
}

impl<'a, A> Race<'a, A> {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            attempts: SmallVec::new(),
            queue: Vec::new(),
            throttled: Vec::new(),
            wait_until: now,
        }
    }

    pub(super) fn start(&mut self, attempt: InFlight<'a, A>) {
        self.attempts.push(attempt);
    }

    pub(super) fn wait(
        &mut self,
        region: usize,
        permit: oneshot::Receiver<Permit>,
        until: Instant,
    ) {
        self.wait_until = until;
        self.queue.push(Waiter {
            region,
            permit,
            _keep_open: None,
        });
    }

    /// Waits until a region may admit a last-resort attempt again; then the wait is rejected.
    pub(super) fn wait_for_slot(&mut self, region: usize, until: Instant) {
        let (keep_open, permit) = oneshot::channel();
        self.wait_until = until;
        self.queue.push(Waiter {
            region,
            permit,
            _keep_open: Some(keep_open),
        });
    }

    /// Waits until the throttle of the region admits another call.
    pub(super) fn wait_for_throttle(
        &mut self,
        region: usize,
        permit: BoxFuture<'static, ThrottlePermit>,
    ) {
        self.throttled.push((region, permit));
    }

    /// Ends the waits for all throttles.
    pub(super) fn cancel_throttle_waits(&mut self) {
        self.throttled.clear();
    }

    pub(super) fn has_throttle_waits(&self) -> bool {
        !self.throttled.is_empty()
    }

    /// Regions that the call waits for and has not asked yet.
    pub(super) fn pending_regions(&self) -> impl Iterator<Item = (usize, SkipReason)> {
        let waiting_for_trials = self
            .queue
            .iter()
            .map(|waiter| (waiter.region, SkipReason::TrialInFlight));
        waiting_for_trials.chain(
            self.throttled
                .iter()
                .map(|(region, _)| (*region, SkipReason::AtItsLimit)),
        )
    }

    pub(super) fn is_empty(&self) -> bool {
        self.attempts.is_empty() && self.queue.is_empty() && self.throttled.is_empty()
    }

    /// Nothing is in flight except slow attempts: another region may be asked beside them.
    pub(super) fn may_start_more(&self) -> bool {
        self.queue.is_empty()
            && self.throttled.is_empty()
            && self.attempts.iter().all(|attempt| attempt.is_slow)
    }

    pub(super) fn get_mut(&mut self, region: usize) -> Option<&mut InFlight<'a, A>> {
        self.attempts
            .iter_mut()
            .find(|attempt| attempt.attempt.region == region)
    }

    /// Removes the attempts that lost to the first response.
    pub(super) fn drain_losers(&mut self) -> impl Iterator<Item = InFlight<'a, A>> {
        self.attempts.drain(..)
    }

    /// The attempts in flight.
    pub(super) fn in_flight(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().map(|attempt| &attempt.attempt)
    }

    /// The next event. Cancel safe: the race keeps its state, and the next call continues it.
    pub(super) fn next(
        &mut self,
        mut timer: Pin<&mut Timer>,
        deadline: Instant,
    ) -> impl Future<Output = RaceEvent<A>> {
        poll_fn(move |cx| self.poll_next(timer.as_mut(), deadline, cx))
    }

    fn poll_next(
        &mut self,
        timer: Pin<&mut Timer>,
        deadline: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<RaceEvent<A>> {
        if let Some(event) = self
            .poll_attempts(cx)
            .or_else(|| self.poll_queue(cx))
            .or_else(|| self.poll_throttled(cx))
        {
            return Poll::Ready(event);
        }
        self.poll_timer(timer, deadline, cx)
    }

    // A race holds one attempt in most calls and at most one per region: polling all of them
    // is cheaper than a set of wakers.
    fn poll_attempts(&mut self, cx: &mut Context<'_>) -> Option<RaceEvent<A>> {
        for index in 0..self.attempts.len() {
            if let Poll::Ready(result) = self.attempts[index].future.poll(cx) {
                return Some(RaceEvent::Completed(
                    self.attempts.swap_remove(index).attempt,
                    result,
                ));
            }
            if let Some(region) = self.attempts[index].poll_silence_signal(cx) {
                return Some(RaceEvent::RegionSilent(region));
            }
        }
        None
    }

    fn poll_queue(&mut self, cx: &mut Context<'_>) -> Option<RaceEvent<A>> {
        for index in 0..self.queue.len() {
            if let Poll::Ready(permit) = self.queue[index].permit.poll_unpin(cx) {
                let region = self.queue.swap_remove(index).region;
                return Some(permit.map_or(RaceEvent::Rejected(region), |permit| {
                    RaceEvent::Admitted(region, permit)
                }));
            }
        }
        None
    }

    fn poll_throttled(&mut self, cx: &mut Context<'_>) -> Option<RaceEvent<A>> {
        for index in 0..self.throttled.len() {
            if let Poll::Ready(permit) = self.throttled[index].1.poll_unpin(cx) {
                return Some(RaceEvent::ThrottleReady(
                    self.throttled.swap_remove(index).0,
                    permit,
                ));
            }
        }
        None
    }

    fn poll_timer(
        &mut self,
        mut timer: Pin<&mut Timer>,
        deadline: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<RaceEvent<A>> {
        loop {
            let trial_wait_ends = (!self.queue.is_empty()).then_some(self.wait_until);
            let limits = self
                .attempts
                .iter()
                .map(InFlight::next_deadline)
                .chain(trial_wait_ends);
            let next_deadline = limits.min().map_or(deadline, |limit| limit.min(deadline));
            // Reuses the timer while the earliest deadline is unchanged.
            let is_armed = timer
                .as_ref()
                .as_pin_ref()
                .is_some_and(|sleep| sleep.deadline() == next_deadline);
            if !is_armed {
                timer.set(Some(clock::sleep_until(next_deadline)));
            }
            if let Some(sleep) = timer.as_mut().as_pin_mut()
                && sleep.poll(cx).is_pending()
            {
                return Poll::Pending;
            }
            let now = next_deadline.max(clock::now());
            if is_armed && let Some(late) = clock::delay_of_timer(next_deadline, now) {
                timer.set(None);
                self.delay(late, now);
                return Poll::Ready(RaceEvent::Late(late));
            }
            if let Some(event) = self.overdue(deadline, now) {
                return Poll::Ready(event);
            }
            // The timer fired early, or its deadline has moved: set it again.
            timer.set(None);
        }
    }

    /// Moves all limits by a delay of this process.
    fn delay(&mut self, late: Duration, now: Instant) {
        self.wait_until = clock::saturating_add(self.wait_until, late);
        for attempt in &mut self.attempts {
            attempt.delay(late);
            attempt.attempt.permit.restart_wait(now);
        }
    }

    /// The event that is due at `now`.
    fn overdue(&mut self, deadline: Instant, now: Instant) -> Option<RaceEvent<A>> {
        // Where the region's own limit and the deadline of the call end together, the region's
        // limit counts: the region is charged for the missing response.
        let own = |attempt: &InFlight<'a, A>| {
            now >= attempt.limit && (!attempt.attempt.truncated_by_deadline || now < deadline)
        };
        if let Some(index) = self.attempts.iter().position(own) {
            return Some(RaceEvent::TimedOut(
                self.attempts.swap_remove(index).attempt,
            ));
        }
        if now >= deadline {
            return Some(RaceEvent::DeadlineExceeded);
        }
        for attempt in &self.attempts {
            let region = attempt.attempt.region;
            if attempt.slow_at.is_some_and(|time| now >= time) {
                return Some(RaceEvent::Slow(region));
            }
            if attempt.report_wait_at.is_some_and(|time| now >= time) {
                return Some(RaceEvent::WaitTick(region));
            }
        }
        let wait_is_over = !self.queue.is_empty() && now >= self.wait_until;
        wait_is_over.then(|| RaceEvent::Rejected(self.queue.swap_remove(0).region))
    }
}
