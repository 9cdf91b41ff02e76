//! The operator's hand on a region: it overrides the circuits, and may end by itself.
//!
//! One word at a time: the last one counts. Two that are in force together would have to be explained at night to somebody who gave
//! neither. For the same reason operators are heard one after the other: a word is on both circuits or on none.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::breaker::Breaker;
use super::news::{News, OverrideEnd};
use super::transition::{CircuitClass, Transition};
use super::{Circuit, Health};
use crate::time::{Instant, after};

/// An operator's word on a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Override {
    /// No new requests; bodies in flight go on, and a search for a missing key may still ask it. Deletes and aborts of uploads, which have
    /// no circuit, go there all the same.
    Drain,
    /// Shut off: not even early probes and searches. Only deletes and aborts of uploads go there all the same.
    ForceOpen,
    /// In use, and its circuits stay closed however many failures they count.
    ForceClosed,
    /// In use whatever its circuits do: they open and close as ever, and are only looked at.
    MetricsOnly,
}

impl Override {
    pub(crate) const ALL: [Self; 4] = [Self::Drain, Self::ForceOpen, Self::ForceClosed, Self::MetricsOnly];

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The region is not used, whatever its circuits say; otherwise it is used whatever they say.
    pub(crate) fn takes_out(self) -> bool {
        match self {
            Self::Drain | Self::ForceOpen => true,
            Self::ForceClosed | Self::MetricsOnly => false,
        }
    }
}

/// What is in force on one circuit, and until when.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Control(Option<(Override, Option<Instant>)>);

impl Control {
    pub(super) fn active(self) -> Option<Override> {
        self.0.map(|(what, _)| what)
    }

    pub(super) fn until(self) -> Option<Instant> {
        self.0.and_then(|(_, until)| until)
    }

    pub(super) fn admits_all(self) -> bool {
        self.active().is_some_and(|what| !what.takes_out())
    }

    /// Ends what has had its time; returns it.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Override> {
        let is_over = self.until().is_some_and(|until| now >= until);
        if is_over { self.0.take().map(|(what, _)| what) } else { None }
    }
}

impl Circuit {
    /// An operator's word ends by itself; returns it.
    pub(super) fn heed_time(&mut self, now: Instant) -> Option<Override> {
        let ended = self.control.expire(now)?;
        self.breaker.hold_closed(false);
        Some(ended)
    }

    fn obey(&mut self, control: Control) -> Option<Override> {
        let before = std::mem::replace(&mut self.control, control).active();
        self.breaker.hold_closed(control.active() == Some(Override::ForceClosed));
        if control.active().is_some_and(Override::takes_out) {
            // Dropped, they send their callers away: nobody is let into a region that was shut off while he waited.
            self.waiters.clear();
        }
        before
    }
}

impl Health {
    /// From now on this is in force, and nothing that was before.
    pub(crate) fn set_override(self: &Arc<Self>, what: Override, lasts: Option<Duration>, now: Instant) {
        let _one_at_a_time = self.hand.lock();
        let before = self.obey(Control(Some((what, lasts.map(|time| after(now, time))))), now);
        if let Some(before) = before.filter(|before| *before != what) {
            self.watch.on_news(self.index, News::OverrideEnded(before, OverrideEnd::Replaced));
        }
        self.watch.on_news(self.index, News::Overridden(what, lasts));
        if what == Override::ForceClosed {
            self.close_all(now, |breaker| breaker.close_by_force(now));
        }
    }

    /// Ends what is in force, if it is one of `these`.
    pub(crate) fn end_override(&self, these: &[Override], now: Instant) {
        let _one_at_a_time = self.hand.lock();
        self.end(these, now);
    }

    /// The circuits are closed, and know nothing of what was; no operator's word is in force.
    pub(crate) fn reset(self: &Arc<Self>, now: Instant) {
        let _one_at_a_time = self.hand.lock();
        self.end(&Override::ALL, now);
        self.tally.forget_failures();
        self.watch.on_news(self.index, News::Reset);
        self.close_all(now, |breaker| breaker.reset(now));
    }

    fn end(&self, these: &[Override], now: Instant) {
        let end = |circuit: &mut Circuit| {
            let active = circuit.control.active().filter(|active| these.contains(active));
            (active.and_then(|_| circuit.obey(Control::default())), None)
        };
        let [ended, _] = CircuitClass::ALL.map(|class| self.with(class, now, end));
        ended.into_iter().for_each(|ended| self.watch.on_news(self.index, News::OverrideEnded(ended, OverrideEnd::Undone)));
    }

    fn obey(&self, control: Control, now: Instant) -> Option<Override> {
        let [before, _] = CircuitClass::ALL.map(|class| self.with(class, now, |circuit| (circuit.obey(control), None)));
        before
    }

    /// Closes both circuits in this way, and lets in who waits for them.
    fn close_all(self: &Arc<Self>, now: Instant, close: impl Fn(&mut Breaker) -> Option<Transition>) {
        for class in CircuitClass::ALL {
            self.with(class, now, |circuit| {
                circuit.silences = Default::default();
                ((), close(&mut circuit.breaker))
            });
            self.release(class, usize::MAX, now, Breaker::admit_waiter);
        }
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drain => "drained",
            Self::ForceOpen => "forced open",
            Self::ForceClosed => "forced closed",
            Self::MetricsOnly => "metrics only",
        })
    }
}
