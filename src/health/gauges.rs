//! Gauges of a circuit. They are written on change only, and under the circuit's lock, so that an
//! older value cannot overwrite a newer one.

use super::{Circuit, RegionHealth};
use super::{HealthEvent, OverrideEndReason};
use crate::runtime::clock::Instant;
use crate::types::Override;
use crate::types::{CircuitClass, CircuitState};

/// The published values of one circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct GaugeState {
    state: CircuitState,
    admits: bool,
    active_override: Option<Override>,
}

impl RegionHealth {
    /// Publishes the current state, once the metrics handles are resolved.
    pub(crate) fn publish_gauges(&self, now: Instant) {
        for class in CircuitClass::ALL {
            self.update_circuit(class, now, |_| ((), None));
        }
    }

    pub(super) fn update_gauges(&self, circuit: &mut Circuit, class: CircuitClass) {
        if !self.metrics.is_resolved() {
            return;
        }
        let current = GaugeState::of(circuit);
        let published = circuit.gauges.replace(current);
        if published == Some(current) {
            return;
        }
        self.metrics.set_state(self.index, class, current.state);
        // The gauges of the whole region follow its circuit for reads.
        if class == CircuitClass::Read {
            self.metrics.set_admitted(
                self.index,
                published.is_some_and(|published| published.admits),
                current.admits,
            );
            for kind in Override::ALL {
                self.metrics
                    .set_override(self.index, kind, current.active_override == Some(kind));
            }
        }
    }

    /// Reports an expired override once per region: both circuits expire it, the circuit for reads
    /// reports it.
    pub(super) fn on_override_expired(&self, expired: Override, class: CircuitClass, now: Instant) {
        match class {
            CircuitClass::Read => self.observer.on_event(
                self.index,
                HealthEvent::OverrideEnded(expired, OverrideEndReason::Expired),
            ),
            CircuitClass::Write => self.update_circuit(CircuitClass::Read, now, |_| ((), None)),
        }
    }
}

impl GaugeState {
    fn of(circuit: &Circuit) -> Self {
        let (state, active_override) = (circuit.breaker.state(), circuit.active_override.active());
        let admits = match active_override {
            Some(kind) => !kind.excludes_region(),
            None => state != CircuitState::Open,
        };
        Self {
            state,
            admits,
            active_override,
        }
    }
}
