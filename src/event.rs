//! What happened, for people: typed events, and lines in the log.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::health::{CircuitClass, CircuitState, Transition, Watch};
use crate::operation::Operation;

/// Something that an operator may want to know.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A circuit has changed its state.
    CircuitChanged {
        /// The region.
        region: Arc<str>,
        /// Which of its circuits.
        class: CircuitClass,
        /// From what, to what, and why.
        change: Transition,
    },
    /// One call could not reach any region at all: the fault is probably on our side of the network.
    LocalNetworkSuspect {
        /// The call.
        operation: Operation,
    },
}

/// Sends events to whoever listens. A slow listener loses the oldest events; it never slows a request.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    store: Arc<str>,
    sender: broadcast::Sender<Event>,
}

impl Events {
    pub(crate) fn new(store: Arc<str>) -> Self {
        Self { store, sender: broadcast::Sender::new(KEPT) }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    pub(crate) fn local_network_suspect(&self, operation: Operation) {
        tracing::warn!(store = %self.store, %operation, "no region could be reached: is the fault on our side of the network?");
        self.send(Event::LocalNetworkSuspect { operation });
    }

    /// Nobody listening is no error.
    fn send(&self, event: Event) {
        let _ = self.sender.send(event);
    }
}

impl Watch for Events {
    fn on_transition(&self, region: &str, class: CircuitClass, change: Transition) {
        let (store, reason) = (&self.store, change.reason);
        match change.to {
            state if change.is_early_probing() => tracing::debug!(%store, region, %class, %reason, "circuit {state}"),
            CircuitState::Open => tracing::warn!(%store, region, %class, %reason, "circuit opened"),
            CircuitState::HalfOpen => tracing::info!(%store, region, %class, %reason, "circuit half-open"),
            CircuitState::Closed => tracing::info!(%store, region, %class, %reason, "circuit closed"),
        }
        self.send(Event::CircuitChanged { region: region.into(), class, change });
    }
}

/// Enough for a minute of a flapping fleet.
const KEPT: usize = 256;
