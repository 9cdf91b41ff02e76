//! Public events.

use std::sync::Arc;
use std::time::Duration;

use crate::error::LastError;
use crate::types::{CircuitClass, Operation, Override, Transition};

/// An event of a store, for operators and alerts.
///
/// Received from [`FailoverStore::subscribe`](crate::FailoverStore::subscribe).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A circuit changed its state. In a total outage this happens about twice a second per region
    /// without a change of the outcome: filter with [`Transition::is_last_resort`].
    CircuitChanged {
        /// Name of the region.
        region: Arc<str>,
        /// The circuit for reads or for writes.
        class: CircuitClass,
        /// Old state, new state and reason.
        change: Transition,
    },
    /// A call could not connect to any region: the network of this process is probably at fault.
    /// Sent for each such call.
    LocalNetworkSuspect {
        /// The operation of the call.
        operation: Operation,
    },
    /// [`EventsConfig::alert_after`] consecutive attempts failed in one region. Sent once until an
    /// attempt succeeds there.
    ///
    /// [`EventsConfig::alert_after`]: crate::config::EventsConfig::alert_after
    RegionAlert {
        /// Name of the region.
        region: Arc<str>,
        /// Number of consecutive failures.
        failures: u32,
        /// The last of them.
        last: Option<LastError>,
    },
    /// An override became active.
    OperatorOverride {
        /// Name of the region.
        region: Arc<str>,
        /// The kind of override.
        kind: Override,
        /// When it expires; None: without limit.
        duration: Option<Duration>,
    },
    /// An override is no longer active. An expiry is detected at the next request or snapshot.
    OperatorOverrideEnded {
        /// Name of the region.
        region: Arc<str>,
        /// The kind of override.
        kind: Override,
        /// Whether it expired; otherwise it was cleared or replaced.
        expired: bool,
    },
    /// An operator reset the circuits of a region.
    OperatorReset {
        /// Name of the region.
        region: Arc<str>,
    },
}
