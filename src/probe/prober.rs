//! The one task behind all probes of a store.
//!
//! Each region is asked on a clock of its own, so that one that hangs delays nobody, and never twice at a time. The clocks begin at a random
//! place within the interval and are jittered ever after: a fleet that is started at once does not ask at once.
//!
//! A probe never asks an open circuit before its time. Instead it makes an appointment: it comes at the very moment at which a trial is due,
//! and goes on until the circuit is closed or open again. As long as it has one, calls that have another region leave that trial
//! to it. A probe that brings no verdict (a refusal may be the caller's mistake) makes none, and users' reads are trials as
//! they were: probes never keep a region out of use.
//!
//! They take no place in a region's pace: a request every few seconds is no load, and must not wait behind one. Only a region that has asked
//! to be left alone (`Retry-After`) is left alone by them too.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use object_store::path::Path;

use super::canary::{Seen, ask};
use super::lag::Lags;
use crate::failover::Core;
use crate::health::{CircuitClass, Standing};
use crate::region::{RegionSet, RegionState};
use crate::time::{self, Instant, sleep_until};

pub(super) struct Prober {
    store: Arc<str>,
    core: Arc<Core>,
    key: Path,
    interval: Duration,
    /// When each region is asked next.
    next: Vec<Instant>,
    under_way: RegionSet,
    flights: FuturesUnordered<BoxFuture<'static, (usize, Seen)>>,
    lags: Lags,
    /// What the log has been told of, once each time it happens.
    missing: RegionSet,
    unstamped: RegionSet,
}

impl Prober {
    pub(super) fn new(store: Arc<str>, core: Arc<Core>, key: Path, interval: Duration) -> Self {
        let (now, regions) = (time::now(), core.regions.len());
        let next = (0..regions).map(|_| time::after(now, time::scaled(interval, core.dice.unit()))).collect();
        let (under_way, missing, unstamped) = Default::default();
        let (flights, lags) = (FuturesUnordered::new(), Lags::new(regions));
        Self { store, core, key, interval, next, under_way, flights, lags, missing, unstamped }
    }

    /// Probes for ever.
    ///
    /// # Cancel safety
    ///
    /// Dropped at any await, it ends the probes under way, and nothing of what it has told of the regions stays.
    pub(super) async fn run(mut self) {
        loop {
            let waking = pin!(sleep_until(self.wakes_at()));
            if self.flights.is_empty() {
                waking.await;
            } else if let Either::Left((Some((region, seen)), _)) = select(self.flights.next(), waking).await {
                self.on_seen(region, seen);
            }
            self.start_due();
        }
    }

    /// When the next region is due, among those that are not being asked.
    fn wakes_at(&self) -> Instant {
        let resting = self.core.regions.all().without(self.under_way);
        let next = resting.iter().map(|region| self.next[region]).min();
        next.unwrap_or_else(|| time::after(time::now(), self.interval))
    }

    fn start_due(&mut self) {
        let now = time::now();
        for region in self.core.regions.all().without(self.under_way).iter() {
            if self.next[region] > now {
                continue;
            }
            if let Some(until) = self.core.regions.get(region).pace.held_until(now) {
                self.next[region] = until;
                continue;
            }
            self.under_way.insert(region);
            let jittered = time::scaled(self.interval, 1.0 + JITTER * (2.0 * self.core.dice.unit() - 1.0));
            self.next[region] = time::after(now, jittered);
            self.flights.push(ask(Arc::clone(&self.core), self.key.clone(), region).map(move |seen| (region, seen)).boxed());
        }
    }

    fn on_seen(&mut self, region: usize, seen: Seen) {
        let now = time::now();
        self.under_way.remove(region);
        self.tell(region, &seen);
        self.measure(region, &seen, now);
        self.make_appointment(region, &seen, now);
    }

    /// Comes back as soon as the circuit wants another trial, if that is before the region's turn.
    fn make_appointment(&mut self, region: usize, seen: &Seen, now: Instant) {
        let state = self.core.regions.get(region);
        let due = match state.health.standing(CircuitClass::Read, now) {
            Standing::Open { retry_after } => Some(time::after(now, retry_after)),
            Standing::Trial if !matches!(seen, Seen::LeftAlone) => Some(now),
            Standing::Trial | Standing::Closed { .. } | Standing::Busy { .. } | Standing::Drained | Standing::ForcedOpen => None,
        };
        state.probed.leave_trials(due.is_some());
        self.next[region] = due.map_or(self.next[region], |due| due.min(self.next[region]));
    }

    fn measure(&mut self, region: usize, seen: &Seen, now: Instant) {
        let lag = match seen {
            Seen::Stamp(stamp) => Some(self.lags.on_stamp(region, *stamp, now)),
            Seen::Unstamped | Seen::Missing => {
                self.lags.on_none(region);
                None
            }
            Seen::Failed(_) | Seen::LeftAlone => return,
        };
        self.core.regions.get(region).probed.on_lag(lag);
        self.core.metrics.on_replication_lag(region, lag);
    }

    /// Says what somebody has to repair, and never the key. What a circuit makes of a failure is told by its events.
    fn tell(&mut self, region: usize, seen: &Seen) {
        let (store, RegionState { name, .. }) = (&self.store, self.core.regions.get(region));
        let (is_missing, is_unstamped) = (matches!(seen, Seen::Missing), matches!(seen, Seen::Unstamped));
        if is_missing && !self.missing.contains(region) {
            tracing::warn!(%store, region = %name, "the canary is missing: the region lives, but its lag is unknown; has anybody written it (write_canary), and is it replicated?");
        }
        if is_unstamped && !self.unstamped.contains(region) {
            tracing::info!(%store, region = %name, "the canary bears no time: the region lives, but its lag is unknown");
        }
        if let Seen::Failed(failure) = seen {
            // Its text holds the key, and may hold a URL.
            let (class, status, code) = (failure.class(), failure.http_status(), failure.code());
            tracing::debug!(%store, region = %name, %class, status, code, "a probe failed");
            return;
        }
        if !matches!(seen, Seen::LeftAlone) {
            self.missing.set(region, is_missing);
            self.unstamped.set(region, is_unstamped);
        }
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        for (index, region) in self.core.regions.iter().enumerate() {
            region.probed.forget();
            self.core.metrics.on_replication_lag(index, None);
        }
    }
}

/// Enough to come out of step within a minute.
const JITTER: f64 = 0.1;
