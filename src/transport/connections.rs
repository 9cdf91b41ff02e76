//! The connections of one region, and when they are discarded.
//!
//! During an outage pooled connections become unusable without notice: their host is gone, a load
//! balancer has forgotten them, or they lead to the one host that still fails while the name
//! already resolves to others. A trial on such a connection fails although the region has
//! recovered. Therefore the clients of a region are replaced after one of its circuits opened: the
//! next request resolves the name again and opens a new connection.
//!
//! Requests and bodies in flight keep the client that they started with; its idle connections close
//! with it. Last-resort attempts discard nothing: during a total outage there is one per second,
//! and the first of them had new connections. Operator overrides say nothing about connections.
//! Stores that are passed to the builder have their own clients, which this crate cannot replace.
//!
//! The connector of the region is kept here as well, because the builder of every provider needs
//! both.

#![cfg_attr(
    not(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http")),
    expect(
        dead_code,
        reason = "no store with connections is built without a provider feature"
    )
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use object_store::client::HttpConnector;

use crate::health::{CircuitState, HealthEvent, HealthObserver, Transition, TransitionReason};

/// The connections of a region's clients, as a generation number that all clones share.
#[derive(Debug, Clone)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    region: String,
    connector: Option<Arc<dyn HttpConnector>>,
    generation: AtomicU64,
}

/// Discards the connections of a region when one of its circuits opens, and forwards all events.
#[derive(Debug)]
struct RenewOnOpen {
    connections: Connections,
    next: Arc<dyn HealthObserver>,
}

impl Connections {
    /// Connections that `connector` creates, or object_store's own connector.
    pub(crate) fn of(region: &str, connector: Option<Arc<dyn HttpConnector>>) -> Self {
        Self(Arc::new(Shared {
            region: region.to_owned(),
            connector,
            generation: AtomicU64::default(),
        }))
    }

    /// The name of the region, for log lines.
    pub(crate) fn region(&self) -> &str {
        &self.0.region
    }

    /// The custom connector, if any.
    pub(crate) fn connector(&self) -> Option<Arc<dyn HttpConnector>> {
        self.0.connector.clone()
    }

    /// How often the connections were discarded. A client of an earlier generation is not used for
    /// new requests.
    pub(crate) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Discards the connections: no new request uses one that exists now.
    pub(crate) fn renew(&self) {
        self.0.generation.fetch_add(1, Ordering::Release);
    }

    /// An observer that discards them when a circuit opens, and forwards events to `next`.
    pub(crate) fn observe(&self, next: &Arc<dyn HealthObserver>) -> Arc<dyn HealthObserver> {
        Arc::new(RenewOnOpen {
            connections: self.clone(),
            next: Arc::clone(next),
        })
    }
}

impl HealthObserver for RenewOnOpen {
    fn on_event(&self, region: usize, event: HealthEvent) {
        if let HealthEvent::Circuit(_, change) = event
            && should_renew(change)
        {
            self.connections.renew();
        }
        self.next.on_event(region, event);
    }
}

/// The circuit opened, and not because of throttling, which proves that connections work.
fn should_renew(change: Transition) -> bool {
    change.to == CircuitState::Open
        && !change.is_last_resort()
        && !matches!(change.reason, TransitionReason::Throttling(_))
}

#[cfg(test)]
mod tests {
    use CircuitState::{Closed, HalfOpen, Open};
    use parking_lot::Mutex;

    use super::*;
    use crate::health::CircuitClass;

    #[derive(Debug, Default)]
    struct Observed(Mutex<Vec<HealthEvent>>);

    impl HealthObserver for Observed {
        fn on_event(&self, _: usize, event: HealthEvent) {
            self.0.lock().push(event);
        }
    }

    #[test]
    fn opening_renews_and_failed_last_resort_does_not() {
        let (connections, observed) = (Connections::of("a", None), Arc::new(Observed::default()));
        let observer = connections.observe(&(Arc::clone(&observed) as Arc<dyn HealthObserver>));
        let mut events = 0;
        let mut renews = |from, to, reason| {
            let before = connections.generation();
            observer.on_event(
                0,
                HealthEvent::Circuit(CircuitClass::Read, Transition { from, to, reason }),
            );
            events += 1;
            assert_eq!(observed.0.lock().len(), events, "forwarded");
            connections.generation() > before
        };
        assert!(renews(
            Closed,
            Open,
            TransitionReason::ConsecutiveFailures(5)
        ));
        assert!(renews(Closed, Open, TransitionReason::FailureRate(0.5)));
        assert!(!renews(Closed, Open, TransitionReason::Throttling(0.9)));
        assert!(!renews(Open, HalfOpen, TransitionReason::OpenTimeElapsed));
        assert!(renews(HalfOpen, Open, TransitionReason::TrialFailed));
        assert!(renews(HalfOpen, Open, TransitionReason::HalfOpenTimeout));
        assert!(!renews(Open, HalfOpen, TransitionReason::LastResort));
        assert!(!renews(HalfOpen, Open, TransitionReason::LastResortFailed));
        assert!(!renews(
            HalfOpen,
            Open,
            TransitionReason::LastResortCancelled
        ));
        assert!(!renews(
            HalfOpen,
            Closed,
            TransitionReason::TrialsSucceeded(2)
        ));
    }
}
