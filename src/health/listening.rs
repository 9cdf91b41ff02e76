//! Listening to one region: how fast it answers, and how long it has been silent.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::futures::OwnedNotified;

use super::breaker::Ticket;
use super::silence::{For, Wait};
use super::{CircuitClass, Health};
use crate::sync::atomic::Ordering;
use crate::time::Instant;

/// Ready once the region's circuit has opened for its silence.
pub(crate) type Abandonment = Pin<Box<OwnedNotified>>;

impl Health {
    /// The time within which half of the region's answers to gets and heads come; None where too little is known.
    pub(crate) fn p50(&self) -> Option<Duration> {
        self.latency.p50()
    }

    /// The time within which 95 of 100 of its answers to gets and heads come; None where too little is known.
    pub(crate) fn p95(&self) -> Option<Duration> {
        self.latency.p95()
    }

    /// How long those who wait may be silent about it.
    pub(crate) fn silence(&self) -> Duration {
        self.config.silence
    }

    /// How long a read waits for a trial before another region is asked beside it.
    pub(crate) fn trial_patience(&self) -> Duration {
        self.config.trial_patience
    }

    pub(crate) fn abandonment(&self, what: For) -> Abandonment {
        Box::pin(Arc::clone(&self.abandoned[what as usize]).notified_owned())
    }

    /// The region was too busy for us within this time.
    pub(crate) fn is_throttling(&self, within: Duration, now: Instant) -> bool {
        self.throttled.is_within(within, now)
    }

    /// It has answered since then, as far as anybody has asked: nobody has been waiting all the while.
    pub(crate) fn is_answering(&self, since: Instant) -> bool {
        let is_asked = self.tally.waiting.load(Ordering::Relaxed) > 0 && self.busy_since.get() <= since;
        !is_asked || self.fleet.heard(self.index) > since
    }

    pub(super) fn on_throttled(&self, now: Instant) {
        self.throttled.set(now);
        self.fleet.on_throttled(now);
    }

    /// The region has answered a get or head, or brought a byte of a body.
    pub(super) fn on_heard(&self, what: For, now: Instant) {
        match what {
            For::Headers => self.fleet.on_answer(self.index, now),
            For::Bytes => self.delivered.set(now),
        }
    }

    /// Somebody has waited until now; where that is enough, the circuit opens, and all who wait are told.
    pub(super) fn on_waited(self: &Arc<Self>, class: CircuitClass, ticket: Ticket, wait: &mut Wait, now: Instant) {
        let heard = match wait.what {
            For::Headers => self.fleet.heard(self.index),
            For::Bytes => self.delivered.get(),
        };
        let opened = self.with(class, now, |circuit| {
            if !ticket.is_plain() || !circuit.breaker.is_current(ticket) {
                return (false, None);
            }
            let silence = &mut circuit.silences[wait.what as usize];
            silence.add(wait, heard, &self.config, now);
            let since = silence.is_enough(&self.config, now).filter(|since| self.fleet.is_another_heard(self.index, *since));
            let change = since.and_then(|_| circuit.breaker.on_silence(ticket, circuit.silences[wait.what as usize].waited(), now));
            // Where everything is admitted nobody is sent elsewhere.
            (change.is_some() && !circuit.control.admits_all(), change)
        });
        if opened {
            self.abandoned[wait.what as usize].notify_waiters();
        }
    }
}
