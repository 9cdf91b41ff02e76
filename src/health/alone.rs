//! A circuit by itself, for the project's own benches: no part of what the library promises, and gone tomorrow if they need it no more.

use std::sync::Arc;
use std::time::Duration;

use super::breaker::Ticket;
use super::config::BreakerConfig;
use super::queue::Verdict;
use super::{CircuitClass, Fleet, Health, News, Watch};
use crate::metrics::Metrics;
use crate::time::{Dice, Instant};

/// One region's circuit for reads. Clones are the same circuit.
#[derive(Debug, Clone)]
pub struct Circuit(Arc<Health>);

#[derive(Debug)]
struct Nobody;

impl Watch for Nobody {
    fn on_news(&self, _: usize, _: News) {}
}

/// The clock that circuits go by.
#[must_use]
pub fn now() -> Instant {
    crate::time::now()
}

impl Circuit {
    /// In use.
    #[must_use]
    pub fn closed() -> Self {
        let (now, config) = (now(), BreakerConfig { open_for: HOUR, open_for_max: HOUR, ..BreakerConfig::default() });
        let metrics = Metrics::new("bench".into(), vec!["region".into()], false);
        let fleet = Arc::new(Fleet::new(1, now));
        Self(Arc::new(Health::new(0, &Arc::new(config), &fleet, Arc::new(Nobody), &Arc::new(metrics), &Dice::new(Some(1)), now)))
    }

    /// After as many failures as it takes, for an hour.
    #[must_use]
    pub fn open() -> Self {
        let circuit = Self::closed();
        let now = now();
        while let Some(ticket) = circuit.ticket(now) {
            circuit.0.judge(CircuitClass::Read, ticket, Verdict::Failure, now);
        }
        circuit
    }

    /// Asks for leave, and brings back a success; whether there was leave.
    #[must_use]
    pub fn call(&self, now: Instant) -> bool {
        let ticket = self.ticket(now);
        ticket.into_iter().for_each(|ticket| self.0.judge(CircuitClass::Read, ticket, Verdict::Success, now));
        ticket.is_some()
    }

    #[cfg(test)]
    pub(super) fn fail(&self, now: Instant) {
        let ticket = self.ticket(now).expect("the circuit is closed");
        self.0.judge(CircuitClass::Read, ticket, Verdict::Failure, now);
    }

    #[cfg(test)]
    pub(super) fn failure_rate(&self, now: Instant) -> f64 {
        let [reads, _] = self.0.vitals(now).circuits;
        reads.failure_rate
    }

    fn ticket(&self, now: Instant) -> Option<Ticket> {
        self.0.ticket(CircuitClass::Read, now).and_then(|(ticket, _)| ticket)
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
