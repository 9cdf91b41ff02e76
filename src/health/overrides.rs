//! Manual overrides of a region's circuits, with optional expiry.
//!
//! At most one override is active per region, and the last one wins: two at once would need a
//! precedence rule. Both circuits always have the same override, so changes are serialized by
//! `override_lock`.

use std::sync::Arc;
use std::time::Duration;

use super::breaker::Breaker;
use super::{Circuit, RegionHealth};
use super::{HealthEvent, OverrideEndReason};
use crate::runtime::clock::{Instant, saturating_add};
use crate::types::{CircuitClass, Override, Transition};

/// The override of one circuit and its expiry, if any.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ActiveOverride(Option<(Override, Option<Instant>)>);

impl ActiveOverride {
    pub(super) fn active(self) -> Option<Override> {
        self.0.map(|(kind, _)| kind)
    }

    pub(super) fn until(self) -> Option<Instant> {
        self.0.and_then(|(_, until)| until)
    }

    pub(super) fn forces_admission(self) -> bool {
        self.active().is_some_and(|kind| !kind.excludes_region())
    }

    /// Removes and returns an override whose time has elapsed.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Override> {
        self.until().filter(|until| now >= *until)?;
        self.0.take().map(|(kind, _)| kind)
    }
}

impl Circuit {
    /// Removes and returns an expired override.
    pub(super) fn expire_override(&mut self, now: Instant) -> Option<Override> {
        let expired = self.active_override.expire(now)?;
        self.breaker.set_forced_closed(false);
        Some(expired)
    }

    fn apply_override(&mut self, active_override: ActiveOverride) -> Option<Override> {
        let previous = std::mem::replace(&mut self.active_override, active_override).active();
        self.breaker
            .set_forced_closed(active_override.active() == Some(Override::ForceClosed));
        if active_override
            .active()
            .is_some_and(Override::excludes_region)
        {
            // Dropping the senders rejects all waiters: the region is no longer admissible.
            self.waiters.clear();
        }
        previous
    }
}

impl RegionHealth {
    /// Sets an override, for `duration` or without limit. It replaces the previous one.
    pub(crate) fn set_override(
        self: &Arc<Self>,
        kind: Override,
        duration: Option<Duration>,
        now: Instant,
    ) {
        let _guard = self.override_lock.lock();
        let until = duration.map(|duration| saturating_add(now, duration));
        let previous = self.apply_override(ActiveOverride(Some((kind, until))), now);
        if let Some(previous) = previous.filter(|previous| *previous != kind) {
            self.observer.on_event(
                self.index,
                HealthEvent::OverrideEnded(previous, OverrideEndReason::Replaced),
            );
        }
        self.observer
            .on_event(self.index, HealthEvent::OverrideSet(kind, duration));
        if kind == Override::ForceClosed {
            self.close_all(now, |breaker| breaker.force_close(now));
        }
    }

    /// Clears the active override, if it is one of `kinds`.
    pub(crate) fn end_override(&self, kinds: &[Override], now: Instant) {
        let _guard = self.override_lock.lock();
        self.clear_override(kinds, now);
    }

    /// Closes both circuits, clears their history and the active override.
    pub(crate) fn reset(self: &Arc<Self>, now: Instant) {
        let _guard = self.override_lock.lock();
        self.clear_override(&Override::ALL, now);
        self.counters.reset_failures();
        self.observer.on_event(self.index, HealthEvent::Reset);
        self.close_all(now, |breaker| breaker.reset(now));
    }

    fn clear_override(&self, kinds: &[Override], now: Instant) {
        let clear = |circuit: &mut Circuit| {
            let active = circuit
                .active_override
                .active()
                .filter(|active| kinds.contains(active));
            (
                active.and_then(|_| circuit.apply_override(ActiveOverride::default())),
                None,
            )
        };
        let [ended, _] = CircuitClass::ALL.map(|class| self.update_circuit(class, now, clear));
        if let Some(ended) = ended {
            self.observer.on_event(
                self.index,
                HealthEvent::OverrideEnded(ended, OverrideEndReason::Cleared),
            );
        }
    }

    fn apply_override(&self, active_override: ActiveOverride, now: Instant) -> Option<Override> {
        let [previous, _] = CircuitClass::ALL.map(|class| {
            self.update_circuit(class, now, |circuit| {
                (circuit.apply_override(active_override), None)
            })
        });
        previous
    }

    /// Closes both circuits and admits their waiters.
    fn close_all(
        self: &Arc<Self>,
        now: Instant,
        close: impl Fn(&mut Breaker) -> Option<Transition>,
    ) {
        for class in CircuitClass::ALL {
            self.update_circuit(class, now, |circuit| {
                circuit.silences = Default::default();
                ((), close(&mut circuit.breaker))
            });
            self.release(class, usize::MAX, now, Breaker::admit_waiter);
        }
    }
}
