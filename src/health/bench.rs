//! One circuit, for the project's own benchmarks. Not part of the public interface; it may change
//! or disappear in any release.

use std::sync::Arc;
use std::time::Duration;

use super::breaker::Ticket;
use super::config::BreakerConfig;
use super::{CircuitClass, HealthEvent, HealthObserver, Peers, RegionHealth};
use crate::metrics::Metrics;
use crate::runtime::clock::Instant;
use crate::runtime::rng::SeededRng;
use crate::types::Verdict;

/// The circuit for reads of one region. Clones share it.
#[derive(Debug, Clone)]
pub struct Circuit(Arc<RegionHealth>);

#[derive(Debug)]
struct NoObserver;

impl HealthObserver for NoObserver {
    fn on_event(&self, _: usize, _: HealthEvent) {}
}

/// The clock of the circuits.
#[must_use]
pub fn now() -> Instant {
    crate::runtime::clock::now()
}

impl Circuit {
    /// A closed circuit.
    #[must_use]
    pub fn closed() -> Self {
        let (now, config) = (
            now(),
            BreakerConfig {
                open_for: HOUR,
                open_for_max: HOUR,
                ..BreakerConfig::default()
            },
        );
        let metrics = Metrics::new("bench".into(), vec!["region".into()], false);
        let peers = Arc::new(Peers::new(1, now));
        Self(Arc::new(RegionHealth::new(
            0,
            &Arc::new(config),
            &peers,
            Arc::new(NoObserver),
            &Arc::new(metrics),
            &SeededRng::new(Some(1)),
            now,
        )))
    }

    /// A circuit that failures have opened for an hour.
    #[must_use]
    pub fn open() -> Self {
        let circuit = Self::closed();
        let now = now();
        while let Some(ticket) = circuit.ticket(now) {
            circuit
                .0
                .apply_verdict(CircuitClass::Read, ticket, Verdict::Failure, now);
        }
        circuit
    }

    /// Admits one call and records its success. False if the circuit does not admit it.
    #[must_use]
    pub fn call(&self, now: Instant) -> bool {
        let ticket = self.ticket(now);
        ticket.into_iter().for_each(|ticket| {
            self.0
                .apply_verdict(CircuitClass::Read, ticket, Verdict::Success, now)
        });
        ticket.is_some()
    }

    #[cfg(test)]
    pub(super) fn fail(&self, now: Instant) {
        let ticket = self.ticket(now).expect("the circuit is closed");
        self.0
            .apply_verdict(CircuitClass::Read, ticket, Verdict::Failure, now);
    }

    #[cfg(test)]
    pub(super) fn failure_rate(&self, now: Instant) -> f64 {
        let [reads, _] = self.0.snapshot(now).circuits;
        reads.failure_rate
    }

    fn ticket(&self, now: Instant) -> Option<Ticket> {
        self.0
            .ticket(CircuitClass::Read, now)
            .and_then(|(ticket, _)| ticket)
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
