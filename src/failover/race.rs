//! Attempts in flight, and places in queues, waited for together under one timer.
//!
//! Most calls have one attempt in flight. Several fly at once when one is slow, when a missing key is searched, or when open
//! circuits are asked early; the first that lands is handed back with its permit. Dropping the race drops the attempts that are
//! still in the air, and their permits with them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::Result;
use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::flight::{Attempt, Flight};
use crate::error::LeftOut;
use crate::health::Permit;
use crate::pace::Slot;
use crate::request::Request;
use crate::time::{self, Instant, Sleep, sleep_until};

pub(super) struct Race<'a, A> {
    flights: SmallVec<[Flight<'a, A>; 1]>,
    queue: Vec<Place>,
    /// Regions at their limit, and who waits for them.
    paced: Vec<(usize, BoxFuture<'static, Slot>)>,
    /// When those who wait give up; only meaningful while somebody waits.
    patience_ends: Instant,
}

/// A place in a region's queue.
struct Place {
    region: usize,
    permit: oneshot::Receiver<Permit>,
}

/// What ended the wait.
pub(super) enum Landing<A> {
    Landed(Attempt, Result<A>),
    TimedOut(Attempt),
    /// The attempt on this region is slow.
    Impatient(usize),
    /// The attempt on this region still waits.
    StillWaiting(usize),
    /// The region has been left alone for its silence while this attempt waits there.
    Abandoned(usize),
    /// The probe that was waited for has been answered: go on.
    Granted(usize, Permit),
    /// The probe that was waited for has failed, or took too long.
    SentAway(usize),
    /// The region's pace lets the call in.
    Paced(usize, Slot),
    DeadlineOver,
}

impl<A> Landing<A> {
    /// An answer that is not the one to the request is an error of its region.
    pub(super) fn check(&mut self, request: &impl Request<Answer = A>) {
        if let Self::Landed(attempt, landed) = self
            && let Ok(answer) = landed
            && let Err(error) = request.check(answer, attempt.status())
        {
            *landed = Err(error);
        }
    }
}

/// The one timer of a call, made when something is first waited for.
pub(super) type Timer = Option<Sleep>;

impl<'a, A> Race<'a, A> {
    pub(super) fn new(now: Instant) -> Self {
        Self { flights: SmallVec::new(), queue: Vec::new(), paced: Vec::new(), patience_ends: now }
    }

    pub(super) fn start(&mut self, flight: Flight<'a, A>) {
        self.flights.push(flight);
    }

    pub(super) fn wait(&mut self, region: usize, permit: oneshot::Receiver<Permit>, until: Instant) {
        self.patience_ends = until;
        self.queue.push(Place { region, permit });
    }

    /// Waits until the region's pace lets another call in.
    pub(super) fn wait_for_pace(&mut self, region: usize, turn: BoxFuture<'static, Slot>) {
        self.paced.push((region, turn));
    }

    /// Nobody waits for a pace any longer: one region has let the call in.
    pub(super) fn leave_paces(&mut self) {
        self.paced.clear();
    }

    pub(super) fn waits_for_paces(&self) -> bool {
        !self.paced.is_empty()
    }

    /// Regions that are waited for, and not asked yet.
    pub(super) fn waited_for(&self) -> impl Iterator<Item = (usize, LeftOut)> {
        let probed = self.queue.iter().map(|place| (place.region, LeftOut::TrialUnderWay));
        probed.chain(self.paced.iter().map(|(region, _)| (*region, LeftOut::AtItsLimit)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flights.is_empty() && self.queue.is_empty() && self.paced.is_empty()
    }

    /// Nothing is on its way but what is slow: the next region may be asked beside it.
    pub(super) fn wants_more(&self) -> bool {
        self.queue.is_empty() && self.paced.is_empty() && self.flights.iter().all(|flight| flight.is_slow)
    }

    pub(super) fn flight(&mut self, region: usize) -> Option<&mut Flight<'a, A>> {
        self.flights.iter_mut().find(|flight| flight.attempt.region == region)
    }

    /// The attempts that were overtaken, and may outlive the call.
    pub(super) fn overtaken(&mut self) -> impl Iterator<Item = Flight<'a, A>> {
        self.flights.drain(..)
    }

    /// The attempts that are still in the air.
    pub(super) fn in_the_air(&self) -> impl Iterator<Item = &Attempt> {
        self.flights.iter().map(|flight| &flight.attempt)
    }

    /// What happens next. Dropping the future loses nothing: the race goes on when it is asked again.
    pub(super) fn next(&mut self, mut timer: Pin<&mut Timer>, deadline: Instant) -> impl Future<Output = Landing<A>> {
        poll_fn(move |cx| self.poll_next(timer.as_mut(), deadline, cx))
    }

    fn poll_next(&mut self, timer: Pin<&mut Timer>, deadline: Instant, cx: &mut Context<'_>) -> Poll<Landing<A>> {
        if let Some(landing) = self.poll_flights(cx).or_else(|| self.poll_queue(cx)).or_else(|| self.poll_paced(cx)) {
            return Poll::Ready(landing);
        }
        self.poll_timer(timer, deadline, cx)
    }

    fn poll_flights(&mut self, cx: &mut Context<'_>) -> Option<Landing<A>> {
        for index in 0..self.flights.len() {
            if let Poll::Ready(result) = self.flights[index].future.poll(cx) {
                return Some(Landing::Landed(self.flights.swap_remove(index).attempt, result));
            }
            if let Some(region) = self.flights[index].poll_abandonment(cx) {
                return Some(Landing::Abandoned(region));
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

    fn poll_paced(&mut self, cx: &mut Context<'_>) -> Option<Landing<A>> {
        for index in 0..self.paced.len() {
            if let Poll::Ready(slot) = self.paced[index].1.poll_unpin(cx) {
                return Some(Landing::Paced(self.paced.swap_remove(index).0, slot));
            }
        }
        None
    }

    fn poll_timer(&mut self, mut timer: Pin<&mut Timer>, deadline: Instant, cx: &mut Context<'_>) -> Poll<Landing<A>> {
        loop {
            let patience = (!self.queue.is_empty()).then_some(self.patience_ends);
            let limits = self.flights.iter().map(Flight::alarm).chain(patience);
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
        for flight in &self.flights {
            let region = flight.attempt.region;
            if flight.patience_ends.is_some_and(|time| now >= time) {
                return Some(Landing::Impatient(region));
            }
            if flight.tells_at.is_some_and(|time| now >= time) {
                return Some(Landing::StillWaiting(region));
            }
        }
        let gives_up = !self.queue.is_empty() && now >= self.patience_ends;
        gives_up.then(|| Landing::SentAway(self.queue.swap_remove(0).region))
    }
}
