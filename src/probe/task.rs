//! The task behind all probes of a store.
//!
//! Each region is probed on its own schedule, so that a hanging region delays no other, and never
//! twice at a time. The schedules start at random times within the interval and are jittered: the
//! probes of many processes that start together do not coincide.
//!
//! A probe does not ask a region whose circuit is open before a trial is due. Instead its next run
//! moves to the moment at which the trial is due, and further runs follow until the circuit is
//! closed or open again. While such a run is scheduled, calls that have another region leave the
//! trial to it. A probe without a verdict (a rejection may be the mistake of the caller) schedules
//! none, and reads are used as trials again: probes never keep a region from recovering.
//!
//! Probes do not count against the throttle of a region: one request every few seconds is no load,
//! and must not wait. They only respect `Retry-After`.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use object_store::path::Path;

use super::canary::{ProbeResult, probe_region};
use super::lag::LagTracker;
use crate::failover::Engine;
use crate::health::{Availability, CircuitClass};
use crate::region::{RegionSet, RegionState};
use crate::runtime::clock::{self, Instant, sleep_until};

pub(super) struct ProbeTask {
    store: Arc<str>,
    engine: Arc<Engine>,
    key: Path,
    interval: Duration,
    /// When each region is probed next.
    next: Vec<Instant>,
    in_flight: RegionSet,
    probes: FuturesUnordered<BoxFuture<'static, (usize, ProbeResult)>>,
    lags: LagTracker,
    /// Regions whose missing canary or timestamp has been logged.
    missing: RegionSet,
    unstamped: RegionSet,
}

impl ProbeTask {
    pub(super) fn new(store: Arc<str>, engine: Arc<Engine>, key: Path, interval: Duration) -> Self {
        let (now, regions) = (clock::now(), engine.regions.len());
        let next = (0..regions)
            .map(|_| {
                clock::saturating_add(now, clock::saturating_mul_f64(interval, engine.rng.unit()))
            })
            .collect();
        let (in_flight, missing, unstamped) = Default::default();
        let (probes, lags) = (FuturesUnordered::new(), LagTracker::new(regions));
        Self {
            store,
            engine,
            key,
            interval,
            next,
            in_flight,
            probes,
            lags,
            missing,
            unstamped,
        }
    }

    /// Probes until it is dropped.
    ///
    /// # Cancel safety
    ///
    /// Dropped at any await point, it cancels the probes in flight and resets the probe state of
    /// all regions.
    pub(super) async fn run(mut self) {
        loop {
            let timer = pin!(sleep_until(self.next_due()));
            if self.probes.is_empty() {
                timer.await;
            } else if let Either::Left((Some((region, result)), _)) =
                select(self.probes.next(), timer).await
            {
                self.on_result(region, result);
            }
            self.start_due();
        }
    }

    /// When the next probe is due, among regions without one in flight.
    fn next_due(&self) -> Instant {
        let idle = self.engine.regions.all().without(self.in_flight);
        let next = idle.iter().map(|region| self.next[region]).min();
        next.unwrap_or_else(|| clock::saturating_add(clock::now(), self.interval))
    }

    fn start_due(&mut self) {
        let now = clock::now();
        for region in self.engine.regions.all().without(self.in_flight).iter() {
            if self.next[region] > now {
                continue;
            }
            if let Some(until) = self
                .engine
                .regions
                .get(region)
                .throttle
                .retry_after_until(now)
            {
                self.next[region] = until;
                continue;
            }
            self.in_flight.insert(region);
            let jittered = clock::saturating_mul_f64(
                self.interval,
                1.0 + JITTER * (2.0 * self.engine.rng.unit() - 1.0),
            );
            self.next[region] = clock::saturating_add(now, jittered);
            self.probes.push(
                probe_region(Arc::clone(&self.engine), self.key.clone(), region)
                    .map(move |result| (region, result))
                    .boxed(),
            );
        }
    }

    fn on_result(&mut self, region: usize, result: ProbeResult) {
        let now = clock::now();
        self.in_flight.remove(region);
        self.log_canary(region, &result);
        self.record_lag(region, &result, now);
        self.schedule_trial(region, &result, now);
    }

    /// Moves the next probe to the moment at which the circuit is due for a trial, if that is
    /// earlier.
    fn schedule_trial(&mut self, region: usize, result: &ProbeResult, now: Instant) {
        let state = self.engine.regions.get(region);
        let due = match state.health.availability(CircuitClass::Read, now) {
            Availability::Open { retry_after } => Some(clock::saturating_add(now, retry_after)),
            Availability::TrialDue if !matches!(result, ProbeResult::NotAdmitted) => Some(now),
            Availability::TrialDue
            | Availability::Closed { .. }
            | Availability::TrialInFlight { .. }
            | Availability::Drained
            | Availability::ForcedOpen => None,
        };
        state.probe_state.set_owns_trials(due.is_some());
        self.next[region] = due.map_or(self.next[region], |due| due.min(self.next[region]));
    }

    fn record_lag(&mut self, region: usize, result: &ProbeResult, now: Instant) {
        let lag = match result {
            ProbeResult::CanaryTimestamp(stamp) => {
                Some(self.lags.on_timestamp(region, *stamp, now))
            }
            ProbeResult::NoTimestamp | ProbeResult::Missing => {
                self.lags.on_none(region);
                None
            }
            ProbeResult::Failed(_) | ProbeResult::NotAdmitted => return,
        };
        self.engine.regions.get(region).probe_state.on_lag(lag);
        self.engine.metrics.on_replication_lag(region, lag);
    }

    /// Logs what an operator has to repair, once per occurrence. The effects of failures on
    /// circuits are reported by their own events.
    fn log_canary(&mut self, region: usize, result: &ProbeResult) {
        let (store, RegionState { name, .. }) = (&self.store, self.engine.regions.get(region));
        let (is_missing, is_unstamped) = (
            matches!(result, ProbeResult::Missing),
            matches!(result, ProbeResult::NoTimestamp),
        );
        if is_missing && !self.missing.contains(region) {
            tracing::warn!(
                %store, region = %name,
                "canary missing, replication lag unknown: check write_canary and replication"
            );
        }
        if is_unstamped && !self.unstamped.contains(region) {
            tracing::info!(
                %store, region = %name, "canary without timestamp, replication lag unknown"
            );
        }
        if let ProbeResult::Failed(failure) = result {
            // The text of the failure contains the key, and may contain a URL.
            let (class, status, code) = (failure.class(), failure.http_status(), failure.code());
            tracing::debug!(%store, region = %name, %class, status, code, "probe failed");
            return;
        }
        if !matches!(result, ProbeResult::NotAdmitted) {
            self.missing.set(region, is_missing);
            self.unstamped.set(region, is_unstamped);
        }
    }
}

impl Drop for ProbeTask {
    fn drop(&mut self) {
        for (index, region) in self.engine.regions.iter().enumerate() {
            region.probe_state.reset();
            self.engine.metrics.on_replication_lag(index, None);
        }
    }
}

/// Separates the schedules of many processes within a minute.
const JITTER: f64 = 0.1;
