//! Attempts in flight, and places in queues, waited for together under one timer.
//!
//! Most calls have one attempt in flight. Several fly at once when a missing key is searched or open circuits are asked early;
//! the first that lands is handed back with its permit. Dropping the race drops the attempts that are still in the air, and their
//! permits with them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::Result;
use tokio::sync::oneshot;

use crate::evidence::{Evidence, Recorder};
use crate::health::Permit;
use crate::time::{self, Instant, Sleep, sleep_until};

pub(super) struct Race<'a, A> {
    flights: Vec<Flight<'a, A>>,
    queue: Vec<Place>,
    /// When those who wait give up; only meaningful while somebody waits.
    patience_ends: Instant,
}

/// One attempt in the air.
pub(super) struct Flight<'a, A> {
    pub(super) attempt: Attempt,
    pub(super) future: BoxFuture<'a, Result<A>>,
    pub(super) limit: Instant,
}

/// What is known of an attempt besides its future.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) region: usize,
    pub(super) permit: Permit,
    pub(super) began: Instant,
    /// Its limit is shorter than the region's own: running into it says nothing about the region.
    pub(super) shortened: bool,
    /// What it does on the wire, where its region's store tells.
    pub(super) recorder: Option<Arc<Recorder>>,
}

/// A place in a region's queue.
struct Place {
    region: usize,
    permit: oneshot::Receiver<Permit>,
}

impl Attempt {
    /// What was seen of it on the wire.
    pub(super) fn evidence(&self) -> Option<Evidence> {
        self.recorder.as_ref().map(|recorder| recorder.evidence())
    }
}

/// What ended the wait.
pub(super) enum Landing<A> {
    Landed(Attempt, Result<A>),
    TimedOut(Attempt),
    /// The probe that was waited for has been answered: go on.
    Granted(usize, Permit),
    /// The probe that was waited for has failed, or took too long.
    SentAway(usize),
    DeadlineOver,
}

/// The one timer of a call, made when something is first waited for.
pub(super) type Timer = Option<Sleep>;

impl<'a, A> Race<'a, A> {
    pub(super) fn new(now: Instant) -> Self {
        Self { flights: Vec::new(), queue: Vec::new(), patience_ends: now }
    }

    pub(super) fn start(&mut self, flight: Flight<'a, A>) {
        self.flights.push(flight);
    }

    pub(super) fn wait(&mut self, region: usize, permit: oneshot::Receiver<Permit>, until: Instant) {
        self.patience_ends = until;
        self.queue.push(Place { region, permit });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flights.is_empty() && self.queue.is_empty()
    }

    /// The attempts that are still in the air.
    pub(super) fn in_the_air(&self) -> impl Iterator<Item = &Attempt> {
        self.flights.iter().map(|flight| &flight.attempt)
    }

    /// What happens next. Dropping the future loses nothing: the race goes on when it is asked again.
    pub(super) async fn next(&mut self, mut timer: Pin<&mut Timer>, deadline: Instant) -> Landing<A> {
        poll_fn(|cx| self.poll_next(timer.as_mut(), deadline, cx)).await
    }

    fn poll_next(&mut self, timer: Pin<&mut Timer>, deadline: Instant, cx: &mut Context<'_>) -> Poll<Landing<A>> {
        if let Some(landing) = self.poll_flights(cx).or_else(|| self.poll_queue(cx)) {
            return Poll::Ready(landing);
        }
        self.poll_timer(timer, deadline, cx)
    }

    fn poll_flights(&mut self, cx: &mut Context<'_>) -> Option<Landing<A>> {
        for index in 0..self.flights.len() {
            if let Poll::Ready(result) = self.flights[index].future.poll_unpin(cx) {
                return Some(Landing::Landed(self.flights.swap_remove(index).attempt, result));
            }
        }
        None
    }

    fn poll_queue(&mut self, cx: &mut Context<'_>) -> Option<Landing<A>> {
        for index in 0..self.queue.len() {
            if let Poll::Ready(permit) = self.queue[index].permit.poll_unpin(cx) {
                let region = self.queue.swap_remove(index).region;
                return Some(permit.map_or(Landing::SentAway(region), |permit| Landing::Granted(region, permit)));
            }
        }
        None
    }

    fn poll_timer(&mut self, mut timer: Pin<&mut Timer>, deadline: Instant, cx: &mut Context<'_>) -> Poll<Landing<A>> {
        loop {
            let patience = (!self.queue.is_empty()).then_some(self.patience_ends);
            let limits = self.flights.iter().map(|flight| flight.limit).chain(patience);
            let alarm = limits.min().map_or(deadline, |limit| limit.min(deadline));
            if timer.as_ref().as_pin_ref().is_none_or(|sleep| sleep.deadline() != alarm) {
                timer.set(Some(sleep_until(alarm)));
            }
            if let Some(sleep) = timer.as_mut().as_pin_mut()
                && sleep.poll(cx).is_pending()
            {
                return Poll::Pending;
            }
            if let Some(landing) = self.overdue(deadline, alarm.max(time::now())) {
                return Poll::Ready(landing);
            }
            timer.set(None);
        }
    }

    /// What should have ended by `now`.
    fn overdue(&mut self, deadline: Instant, now: Instant) -> Option<Landing<A>> {
        // A region's own limit first, where it ends with the call's: the region is charged for what it did.
        let own = |flight: &Flight<'a, A>| now >= flight.limit && (!flight.attempt.shortened || now < deadline);
        if let Some(index) = self.flights.iter().position(own) {
            return Some(Landing::TimedOut(self.flights.swap_remove(index).attempt));
        }
        if now >= deadline {
            return Some(Landing::DeadlineOver);
        }
        let gives_up = !self.queue.is_empty() && now >= self.patience_ends;
        gives_up.then(|| Landing::SentAway(self.queue.swap_remove(0).region))
    }
}
