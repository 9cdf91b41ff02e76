//! Leave to use a region once, to be brought back with a verdict.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::breaker::Ticket;
use super::{CircuitClass, Health};
use crate::time::{self, Instant};

/// Leave to use a region for one attempt, until its last byte.
///
/// It is brought back with a verdict. Dropped without one, as it is when its caller goes away, it frees its place and teaches
/// nothing: there is no await point at which it could leak.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once was never used"]
pub(crate) struct Permit {
    health: Arc<Health>,
    class: CircuitClass,
    /// None: whatever happens, the circuit does not hear of it.
    ticket: Option<Ticket>,
}

/// What happened to a region since the store was built, whatever its circuit made of it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) attempts: AtomicU64,
    pub(super) successes: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) in_flight: AtomicU32,
}

impl Permit {
    pub(super) fn new(health: &Arc<Health>, class: CircuitClass, ticket: Ticket) -> Self {
        Self::with(health, class, Some(ticket))
    }

    pub(super) fn unjudged(health: &Arc<Health>, class: CircuitClass) -> Self {
        Self::with(health, class, None)
    }

    fn with(health: &Arc<Health>, class: CircuitClass, ticket: Option<Ticket>) -> Self {
        health.tally.in_flight.fetch_add(1, Ordering::Relaxed);
        Self { health: Arc::clone(health), class, ticket }
    }

    /// The attempt has been sent.
    pub(crate) fn sent(&self) {
        self.health.tally.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// The region has answered; the verdict waits for the end of the body.
    pub(crate) fn answered(&self, now: Instant) {
        let Some(ticket) = self.ticket else { return };
        if ticket.is_plain() {
            return;
        }
        let current = self.health.with(self.class, now, |circuit| {
            circuit.breaker.on_answer(ticket, now);
            (circuit.breaker.is_current(ticket), None)
        });
        if !current {
            return;
        }
        self.health.release(self.class, RELEASED_BY_AN_ANSWER, now, super::Breaker::admit_waiter);
    }

    /// The caller waits for the region's next byte.
    pub(crate) fn waits(&self, now: Instant) {
        if let Some(ticket) = self.ticket.filter(|ticket| !ticket.is_plain()) {
            self.health.with(self.class, now, |circuit| (circuit.breaker.on_wait(ticket, now), None));
        }
    }

    /// The region has delivered, and it is the caller's turn.
    pub(crate) fn idles(&self, now: Instant) {
        if let Some(ticket) = self.ticket.filter(|ticket| !ticket.is_plain()) {
            self.health.with(self.class, now, |circuit| (circuit.breaker.on_idle(ticket, now), None));
        }
    }

    /// The region did all that was asked of it.
    pub(crate) fn succeed(mut self, now: Instant) {
        self.health.tally.successes.fetch_add(1, Ordering::Relaxed);
        if let Some(ticket) = self.ticket.take() {
            self.health.judge(self.class, now, |breaker| breaker.on_success(ticket, now));
        }
    }

    /// The region is at fault.
    pub(crate) fn fail(mut self, now: Instant) {
        self.health.tally.failures.fetch_add(1, Ordering::Relaxed);
        if let Some(ticket) = self.ticket.take() {
            self.health.judge(self.class, now, |breaker| breaker.on_failure(ticket, now));
        }
    }

    /// The region is too busy: no fault, but no success either.
    pub(crate) fn throttled(mut self, now: Instant) {
        if let Some(ticket) = self.ticket.take() {
            self.health.judge(self.class, now, |breaker| breaker.on_throttle(ticket, now));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.health.tally.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(ticket) = self.ticket.take().filter(|ticket| !ticket.is_plain()) {
            self.health.cancel(self.class, ticket, time::now());
        }
    }
}

/// Each answer of a region that is the last resort lets two who wait go on: one, two, four ...
const RELEASED_BY_AN_ANSWER: usize = 2;
