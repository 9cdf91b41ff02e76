//! Leave to use a region once, to be brought back with a verdict.

use std::sync::Arc;

use super::account::Account;
use super::breaker::Ticket;
use super::queue::Verdict;
use super::silence::{For, Wait};
use super::{CircuitClass, Health};
use crate::metrics::Outcome;
use crate::operation::Operation;
use crate::pace::Slot;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::time::{self, Instant};

/// Leave to use a region for one attempt, until its last byte.
///
/// It is brought back with a verdict. Dropped without one, as it is when its caller goes away, it frees its place and teaches
/// nothing but how long it has waited: there is no await point at which it could leak.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once was never used"]
pub(crate) struct Permit {
    health: Arc<Health>,
    pub(super) class: CircuitClass,
    /// None: whatever happens, the circuit does not hear of it.
    pub(super) ticket: Option<Ticket>,
    /// What it waits for, where the region's silence counts.
    wait: Option<Wait>,
    /// It has been sent, and has not ended.
    is_in_flight: bool,
    /// It is counted among those that wait for headers.
    is_counted: bool,
    /// Its place among what may be under way in the region, to the last byte.
    slot: Option<Slot>,
    /// It was admitted whatever its circuit says: its ticket is for the circuit's eyes only.
    is_unguarded: bool,
    /// What is still to be counted of its attempt.
    pub(super) account: Option<Account>,
}

/// What happened to a region since the store was built, whatever its circuit made of it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) attempts: AtomicU64,
    pub(super) successes: AtomicU64,
    pub(super) failures: AtomicU64,
    /// Attempts that ended as neither.
    pub(super) others: AtomicU64,
    /// Gets and heads that wait for headers.
    pub(super) waiting: AtomicU32,
    /// Attempts in a row that failed, as their callers saw them.
    pub(super) run: AtomicU32,
}

impl Permit {
    pub(super) fn new(health: &Arc<Health>, class: CircuitClass, ticket: Ticket) -> Self {
        Self::with(health, class, Some(ticket))
    }

    pub(super) fn unjudged(health: &Arc<Health>, class: CircuitClass) -> Self {
        Self::with(health, class, None)
    }

    /// It is admitted because an operator wants it so.
    pub(super) fn unguarded(health: &Arc<Health>, class: CircuitClass, ticket: Option<Ticket>) -> Self {
        let mut permit = Self::with(health, class, ticket);
        permit.is_unguarded = true;
        permit
    }

    pub(super) fn with(health: &Arc<Health>, class: CircuitClass, ticket: Option<Ticket>) -> Self {
        let health = Arc::clone(health);
        Self { health, class, ticket, wait: None, is_in_flight: false, is_counted: false, slot: None, is_unguarded: false, account: None }
    }

    pub(crate) fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Keeps this place as long as the permit lives.
    pub(crate) fn keep(&mut self, slot: Slot) {
        self.slot = Some(slot);
    }

    /// It is a trial: its verdict decides whether the region is used again.
    pub(crate) fn is_trial(&self) -> bool {
        !self.is_unguarded && self.ticket.is_some_and(|ticket| !ticket.is_plain())
    }

    /// The attempt has been sent. `is_timed` where its answer is expected at once, as that of a get or head is.
    pub(crate) fn sent(&mut self, operation: Operation, is_timed: bool, now: Instant) {
        self.health.tally.attempts.fetch_add(1, Ordering::Relaxed);
        self.health.metrics.on_in_flight(self.health.index, true);
        self.is_in_flight = true;
        self.account = Some(Account::open(operation, now));
        if is_timed {
            self.wait = Some(Wait::new(For::Headers, now));
            self.is_counted = true;
            if self.health.tally.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
                self.health.busy_since.set(now);
            }
        }
    }

    /// The region has given a sign of life, whatever it said.
    pub(crate) fn heard(&mut self, now: Instant) {
        let was_asked = matches!(self.wait.take(), Some(Wait { what: For::Headers, .. }));
        if was_asked && self.ticket.is_some_and(Ticket::is_plain) {
            self.health.on_heard(For::Headers, now);
        }
        self.waits_no_more();
    }

    /// The region has answered; the verdict waits for the end of the body.
    pub(crate) fn answered(&mut self, now: Instant) {
        self.note_answer(now);
        if let Some(Wait { what: For::Headers, since, .. }) = self.wait {
            self.health.latency.answered(now.saturating_duration_since(since), now);
        }
        self.heard(now);
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

    /// The caller waits for the region's next byte, which may count as silence.
    pub(crate) fn waits(&mut self, counts: bool, now: Instant) {
        self.wait = counts.then(|| Wait::new(For::Bytes, now));
        if let Some(ticket) = self.ticket.filter(|ticket| !ticket.is_plain()) {
            self.health.with(self.class, now, |circuit| (circuit.breaker.on_wait(ticket, now), None));
        }
    }

    /// The region has delivered, and it is the caller's turn.
    pub(crate) fn idles(&mut self, now: Instant) {
        if self.wait.take().is_some() {
            self.health.on_heard(For::Bytes, now);
        }
        if let Some(ticket) = self.ticket.filter(|ticket| !ticket.is_plain()) {
            self.health.with(self.class, now, |circuit| (circuit.breaker.on_idle(ticket, now), None));
        }
    }

    /// It still waits, and says so: silence counts.
    pub(crate) fn still_waits(&mut self, now: Instant) {
        if let (Some(wait), Some(ticket)) = (&mut self.wait, self.ticket) {
            self.health.on_waited(self.class, ticket, wait, now);
        }
    }

    fn ends(&mut self, how: impl Fn(&Tally) -> &AtomicU64) {
        if std::mem::take(&mut self.is_in_flight) {
            how(&self.health.tally).fetch_add(1, Ordering::Release);
            self.health.metrics.on_in_flight(self.health.index, false);
        }
    }

    fn waits_no_more(&mut self) {
        if std::mem::take(&mut self.is_counted) {
            self.health.tally.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The region did all that was asked of it.
    pub(crate) fn succeed(mut self, now: Instant) {
        if matches!(self.wait, Some(Wait { what: For::Headers, .. })) {
            self.answered(now);
        }
        self.wait = None;
        self.note(Outcome::Success, now);
        self.ends(|tally| &tally.successes);
        if let Some(ticket) = self.ticket.take() {
            self.health.judge(self.class, ticket, Verdict::Success, now);
        }
    }

    /// The region is at fault.
    pub(crate) fn fail(mut self, now: Instant) {
        self.wait = None;
        self.ends(|tally| &tally.failures);
        if let Some(ticket) = self.ticket.take() {
            self.health.judge(self.class, ticket, Verdict::Failure, now);
        }
    }

    /// The region is too busy: no fault, but no success either.
    pub(crate) fn throttled(mut self, now: Instant) {
        self.heard(now);
        self.health.on_throttled(now);
        if let Some(ticket) = self.ticket.take() {
            self.health.judge(self.class, ticket, Verdict::Throttled, now);
        }
    }

    /// Nobody waits for it any longer: what is known is that it took at least so long.
    pub(crate) fn give_up(&mut self, now: Instant) {
        self.still_waits(now);
        if let Some(Wait { what: For::Headers, since, .. }) = self.wait.take() {
            self.health.latency.given_up(now.saturating_duration_since(since), now);
        }
        self.waits_no_more();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.ends(|tally| &tally.others);
        self.waits_no_more();
        self.note_nothing();
        if self.wait.is_some() {
            self.give_up(time::now());
        }
        if let Some(ticket) = self.ticket.take().filter(|ticket| !ticket.is_plain()) {
            self.health.cancel(self.class, ticket, time::now());
        }
    }
}

/// Each answer of a region that is the last resort lets two who wait go on: one, two, four ...
const RELEASED_BY_AN_ANSWER: usize = 2;
