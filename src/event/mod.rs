//! Events and log lines of a store.

pub(crate) mod config;
mod last_error;
mod log;

use std::sync::Arc;

use tokio::sync::broadcast;

use self::config::EventsConfig;
use self::last_error::LastErrors;
use crate::error::Failure;
use crate::health::{Event, HealthEvent, HealthObserver, LastError};
use crate::types::{Operation, OverrideEndReason};

/// Sends events to subscribers. A slow subscriber loses the oldest events and never delays a
/// request.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<str>,
    regions: Box<[Arc<str>]>,
    config: EventsConfig,
    last_errors: LastErrors,
    sender: broadcast::Sender<Event>,
}

impl Events {
    pub(crate) fn new(store: Arc<str>, regions: Vec<Arc<str>>, config: EventsConfig) -> Self {
        let (last_errors, sender) = (
            LastErrors::new(regions.len()),
            broadcast::Sender::new(EVENT_CAPACITY),
        );
        Self {
            shared: Arc::new(Shared {
                store,
                regions: regions.into(),
                config,
                last_errors,
                sender,
            }),
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.shared.sender.subscribe()
    }

    pub(crate) fn no_region_reachable(&self, operation: Operation) {
        tracing::warn!(store = %self.shared.store, %operation, "no region reachable");
        self.send(Event::LocalNetworkSuspect { operation });
    }

    /// Records the failure of an attempt.
    pub(crate) fn record_error(&self, region: usize, failure: &Failure) {
        self.shared.last_errors.record_error(region, failure);
    }

    /// The last failure in the region.
    pub(crate) fn last_error(&self, region: usize) -> Option<LastError> {
        self.shared.last_errors.get(region)
    }

    fn name(&self, region: usize) -> &Arc<str> {
        &self.shared.regions[region]
    }

    fn event(&self, region: usize, event: HealthEvent) -> Option<Event> {
        let name = || Arc::clone(self.name(region));
        match event {
            HealthEvent::Circuit(class, change) => Some(Event::CircuitChanged {
                region: name(),
                class,
                change,
            }),
            HealthEvent::ConsecutiveFailures(failures)
                if failures == self.shared.config.alert_after =>
            {
                Some(Event::RegionAlert {
                    region: name(),
                    failures,
                    last: self.last_error(region),
                })
            }
            HealthEvent::OverrideSet(kind, duration) => Some(Event::OperatorOverride {
                region: name(),
                kind,
                duration,
            }),
            HealthEvent::OverrideEnded(kind, end) => Some(Event::OperatorOverrideEnded {
                region: name(),
                kind,
                expired: end == OverrideEndReason::Expired,
            }),
            HealthEvent::Reset => Some(Event::OperatorReset { region: name() }),
            HealthEvent::AboutToOpen(..)
            | HealthEvent::TrialSucceeded(..)
            | HealthEvent::ConsecutiveFailures(_) => None,
        }
    }

    fn send(&self, event: Event) {
        // Sending fails only without subscribers.
        let _ = self.shared.sender.send(event);
    }
}

impl HealthObserver for Events {
    fn on_event(&self, region: usize, event: HealthEvent) {
        self.log(region, event);
        self.event(region, event)
            .into_iter()
            .for_each(|event| self.send(event));
    }
}

/// Enough for a minute of circuits that open and close repeatedly.
const EVENT_CAPACITY: usize = 256;
