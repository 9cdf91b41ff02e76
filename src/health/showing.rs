//! What a circuit's gauges say: written only where it has changed, and under the circuit's lock, so that no older word stands.

use super::control::Override;
use super::news::{News, OverrideEnd};
use super::transition::{CircuitClass, CircuitState};
use super::{Circuit, Health};
use crate::time::Instant;

/// What the gauges say of a circuit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shown {
    state: CircuitState,
    admits: bool,
    control: Option<Override>,
}

impl Health {
    /// Shows what stands, to gauges that have just been made.
    pub(crate) fn show_all(&self, now: Instant) {
        CircuitClass::ALL.into_iter().for_each(|class| self.with(class, now, |_| ((), None)));
    }

    pub(super) fn show(&self, circuit: &mut Circuit, class: CircuitClass) {
        if !self.metrics.is_resolved() {
            return;
        }
        let now = Shown::of(circuit);
        let before = circuit.shown.replace(now);
        if before == Some(now) {
            return;
        }
        self.metrics.show_state(self.index, class.index(), now.state.index());
        // The region as a whole is shown by the circuit of its reads.
        if class == CircuitClass::Read {
            self.metrics.show_admitted(self.index, before.is_some_and(|before| before.admits), now.admits);
            for kind in Override::ALL {
                self.metrics.show_override(self.index, kind.index(), now.control == Some(kind));
            }
        }
    }

    /// An operator's word has ended by itself, and somebody has noticed. Told once: by the circuit of reads.
    pub(super) fn on_expired(&self, ended: Override, class: CircuitClass, now: Instant) {
        match class {
            CircuitClass::Read => self.watch.on_news(self.index, News::OverrideEnded(ended, OverrideEnd::Expired)),
            CircuitClass::Write => self.with(CircuitClass::Read, now, |_| ((), None)),
        }
    }
}

impl Shown {
    fn of(circuit: &Circuit) -> Self {
        let (state, control) = (circuit.breaker.state(), circuit.control.active());
        let admits = match control {
            Some(what) => !what.takes_out(),
            None => state != CircuitState::Open,
        };
        Self { state, admits, control }
    }
}
