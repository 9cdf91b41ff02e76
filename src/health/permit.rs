//! A permit to send one attempt to a region. It comes back with a [`Verdict`].
//!
//! The result of an attempt and its verdict are different things. A refusal that all regions share
//! is charged to none of them, and the caller still got no object. A body can break long after its
//! headers were fine. So the *result* is recorded when it is known (metrics, consecutive failures),
//! and the *verdict* when it is decided (the circuit).

use std::sync::Arc;
use std::time::Duration;

use super::breaker::{Breaker, Ticket};
use super::counters::AttemptCounters;
use super::silence::{PendingWait, WaitingFor};
use super::{HealthEvent, RegionHealth};
use crate::metrics::AttemptResult;
use crate::runtime::clock::{self, Instant};
use crate::runtime::sync::atomic::{AtomicU64, Ordering};
use crate::throttle::ThrottlePermit;
use crate::types::{CircuitClass, CircuitState, Operation, Verdict};

/// Permission to use a region for one attempt, until the last byte of its response.
///
/// # Cancel safety
///
/// Dropped without a verdict, as when the caller cancels, it frees its slot and reports only how
/// long it has waited. There is no await point at which it can leak.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once was never used"]
pub(crate) struct Permit {
    health: Arc<RegionHealth>,
    class: CircuitClass,
    /// None when the circuit ignores this attempt.
    ticket: Option<Ticket>,
    /// The wait in progress, where the region's silence counts.
    wait: Option<PendingWait>,
    /// Sent and not ended.
    is_in_flight: bool,
    /// Counted among the attempts that wait for headers.
    is_waiting: bool,
    /// Its slot under the region's concurrency limit, held until the last byte.
    throttle: Option<ThrottlePermit>,
    /// Admitted by an override, whatever the state of the circuit.
    is_forced: bool,
    /// What metrics still have to record of the attempt.
    attempt: Option<AttemptRecord>,
}

/// An attempt whose result is not recorded yet.
#[derive(Debug)]
struct AttemptRecord {
    operation: Operation,
    started_at: Instant,
    latency_recorded: bool,
}

impl Permit {
    pub(super) fn new(health: &Arc<RegionHealth>, class: CircuitClass, ticket: Ticket) -> Self {
        Self::with_ticket(health, class, Some(ticket))
    }

    /// The circuit ignores what happens to this attempt.
    pub(super) fn untracked(health: &Arc<RegionHealth>, class: CircuitClass) -> Self {
        Self::with_ticket(health, class, None)
    }

    /// An override admits it, with or without a ticket.
    pub(super) fn forced(
        health: &Arc<RegionHealth>,
        class: CircuitClass,
        ticket: Option<Ticket>,
    ) -> Self {
        let mut permit = Self::with_ticket(health, class, ticket);
        permit.is_forced = true;
        permit
    }

    pub(super) fn with_ticket(
        health: &Arc<RegionHealth>,
        class: CircuitClass,
        ticket: Option<Ticket>,
    ) -> Self {
        Self {
            health: Arc::clone(health),
            class,
            ticket,
            wait: None,
            is_in_flight: false,
            is_waiting: false,
            throttle: None,
            is_forced: false,
            attempt: None,
        }
    }

    pub(crate) fn health(&self) -> &Arc<RegionHealth> {
        &self.health
    }

    /// Holds a slot of the region's concurrency limit until the permit is dropped.
    pub(crate) fn hold(&mut self, throttle: ThrottlePermit) {
        self.throttle = Some(throttle);
    }

    /// Its verdict decides whether the region is used again.
    pub(crate) fn is_trial(&self) -> bool {
        !self.is_forced && self.trial_ticket().is_some()
    }

    fn trial_ticket(&self) -> Option<Ticket> {
        self.ticket.filter(|ticket| !ticket.is_regular())
    }

    // Progress of the attempt.

    /// The attempt has been sent. `limit` is its time limit. `expects_prompt_response` is true for
    /// gets and heads, whose headers come at once from a healthy region: only their waiting counts
    /// as silence.
    pub(crate) fn on_sent(
        &mut self,
        operation: Operation,
        expects_prompt_response: bool,
        limit: Duration,
        now: Instant,
    ) {
        if let Some(ticket) = self.trial_ticket() {
            self.health.update_circuit(self.class, now, |circuit| {
                (circuit.breaker.on_sent(ticket, limit), None)
            });
        }
        let counters = &self.health.counters;
        counters.attempts.fetch_add(1, Ordering::Relaxed);
        self.health.metrics.on_in_flight(self.health.index, true);
        self.is_in_flight = true;
        self.attempt = Some(AttemptRecord {
            operation,
            started_at: now,
            latency_recorded: false,
        });
        if expects_prompt_response {
            self.wait = Some(PendingWait::new(WaitingFor::Headers, now));
            self.is_waiting = true;
            if counters.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
                self.health.waiting_since.set(now);
            }
        }
    }

    /// The region sent a response, whatever its status.
    pub(crate) fn on_activity(&mut self, now: Instant) {
        let waited_for_headers = self.header_wait().is_some();
        self.wait = None;
        // The silence of a trial is measured by the half-open timeout instead.
        if waited_for_headers && self.ticket.is_some_and(Ticket::is_regular) {
            self.health.on_activity(WaitingFor::Headers, now);
        }
        self.end_wait();
    }

    /// The response headers arrived. The verdict waits for the end of the body.
    pub(crate) fn on_response(&mut self, now: Instant) {
        self.record_latency(now);
        if let Some(since) = self.header_wait() {
            self.health
                .latency
                .record_response(now.saturating_duration_since(since), now);
        }
        self.on_activity(now);
        let Some(ticket) = self.trial_ticket() else {
            return;
        };
        self.health.cancelled_trials.store(0, Ordering::Relaxed);
        let is_current = self.health.update_circuit(self.class, now, |circuit| {
            circuit.breaker.on_response(ticket, now);
            (circuit.breaker.is_current(ticket), None)
        });
        if is_current {
            self.health.release(
                self.class,
                RELEASED_PER_RESPONSE,
                now,
                Breaker::admit_waiter,
            );
        }
    }

    /// The caller waits for the region's next byte. `counts` is true where that may be silence.
    pub(crate) fn on_body_wait(&mut self, counts: bool, now: Instant) {
        self.wait = counts.then(|| PendingWait::new(WaitingFor::Bytes, now));
        if let Some(ticket) = self.trial_ticket() {
            self.health.update_circuit(self.class, now, |circuit| {
                (circuit.breaker.on_body_wait(ticket, now), None)
            });
        }
    }

    /// The region delivered a part of the body, and the next poll is the caller's turn.
    pub(crate) fn on_body_progress(&mut self, now: Instant) {
        if self.wait.take().is_some() {
            self.health.on_activity(WaitingFor::Bytes, now);
        }
        if let Some(ticket) = self.trial_ticket() {
            self.health.update_circuit(self.class, now, |circuit| {
                (circuit.breaker.on_body_progress(ticket, now), None)
            });
        }
    }

    /// Adds the time since the last report to the region's silence.
    pub(crate) fn report_wait(&mut self, now: Instant) {
        if let (Some(wait), Some(ticket)) = (&mut self.wait, self.ticket) {
            self.health.on_wait(self.class, ticket, wait, now);
        }
    }

    /// This process did not run, or this task was not polled: the time until `now` was no silence
    /// of the region.
    pub(crate) fn restart_wait(&mut self, now: Instant) {
        if let Some(wait) = &mut self.wait {
            wait.reported_until = now;
        }
    }

    /// The attempt is given up without a response: its latency is at least the time so far.
    pub(crate) fn abandon(&mut self, now: Instant) {
        self.report_wait(now);
        if let Some(since) = self.header_wait() {
            self.health
                .latency
                .record_abandoned(now.saturating_duration_since(since), now);
        }
        self.wait = None;
        self.end_wait();
    }

    // Result and verdict.

    /// Records the result of the attempt in metrics. The first result counts.
    pub(crate) fn record_result(&mut self, result: AttemptResult, now: Instant) {
        self.record_latency(now);
        self.close_attempt(result);
    }

    /// Applies the verdict to the circuit.
    ///
    /// Returns the permit where the verdict is [`Verdict::Deferred`]: it is brought back with
    /// another verdict once that is decided, or dropped.
    pub(crate) fn record(mut self, verdict: Verdict, now: Instant) -> Option<Self> {
        match verdict {
            Verdict::Success => {
                if self.header_wait().is_some() {
                    self.on_response(now);
                }
                self.record_result(AttemptResult::Success, now);
                self.end(|counters| &counters.successes);
            }
            Verdict::Failure => self.end(|counters| &counters.failures),
            Verdict::Throttled => {
                self.on_activity(now);
                self.health.on_throttled(now);
            }
            Verdict::Deferred => {
                self.on_response(now);
                // Only the verdict is open: the region has nothing more to send.
                self.throttle = None;
                return Some(self);
            }
        }
        self.wait = None;
        if let Some(ticket) = self.ticket.take() {
            self.health.apply_verdict(self.class, ticket, verdict, now);
        }
        None
    }

    fn header_wait(&self) -> Option<Instant> {
        self.wait
            .filter(|wait| wait.what == WaitingFor::Headers)
            .map(|wait| wait.since)
    }

    fn record_latency(&mut self, now: Instant) {
        let Some(attempt) = self
            .attempt
            .as_mut()
            .filter(|attempt| !attempt.latency_recorded)
        else {
            return;
        };
        attempt.latency_recorded = true;
        let elapsed = now.saturating_duration_since(attempt.started_at);
        self.health
            .metrics
            .on_latency(self.health.index, attempt.operation, elapsed);
    }

    fn close_attempt(&mut self, result: AttemptResult) {
        let Some(attempt) = self.attempt.take() else {
            return;
        };
        let is_current = self.describes_current_state(result);
        let health = &self.health;
        health
            .metrics
            .on_attempt_ended(health.index, attempt.operation, result, is_current);
        let failures = is_current
            .then(|| health.counters.count_result(result))
            .flatten();
        if let Some(failures) = failures {
            health
                .observer
                .on_event(health.index, HealthEvent::ConsecutiveFailures(failures));
        }
    }

    /// Whether the result describes the current state of the region.
    ///
    /// A straggler, an attempt from before the circuit's last transition, does not: a body that
    /// was delivered before the region failed, and is dropped an hour later, must not mark it
    /// healthy. Its *failure* still counts while the circuit is not closed: the attempts that wait
    /// in a region whose circuit opened for silence are the ones that report the cause.
    fn describes_current_state(&self, result: AttemptResult) -> bool {
        if result == AttemptResult::Cancelled {
            return false;
        }
        let Some(ticket) = self.ticket else {
            return true;
        };
        let class = self.class.index();
        self.health.fast_paths[class].is_current(ticket)
            || (result.is_failing()
                && self.health.circuits[class].lock().breaker.state() != CircuitState::Closed)
    }

    fn end(&mut self, counter: impl Fn(&AttemptCounters) -> &AtomicU64) {
        if std::mem::take(&mut self.is_in_flight) {
            counter(&self.health.counters).fetch_add(1, Ordering::Release);
            self.health.metrics.on_in_flight(self.health.index, false);
        }
    }

    fn end_wait(&mut self) {
        if std::mem::take(&mut self.is_waiting) {
            self.health.counters.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.end(|counters| &counters.others);
        self.end_wait();
        self.close_attempt(AttemptResult::Cancelled);
        if self.is_trial() && self.header_wait().is_some() {
            self.health.cancelled_trials.fetch_add(1, Ordering::Relaxed);
        }
        if self.wait.is_some() {
            self.abandon(clock::now());
        }
        if let Some(ticket) = self.ticket.take().filter(|ticket| !ticket.is_regular()) {
            self.health.cancel(self.class, ticket, clock::now());
        }
    }
}

/// Each response of a last-resort region admits two waiters, so that load grows as 1, 2, 4, ...
const RELEASED_PER_RESPONSE: usize = 2;
