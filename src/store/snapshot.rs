//! The health of the whole store as plain data. It never contains a key or the URL of an object.

use std::sync::Arc;

use crate::failover::Engine;
use crate::health::{
    Availability, HealthSnapshot, RegionHealthSnapshot, RegionSnapshot, StoreStatus, StoreTotals,
};
use crate::plan::SLOW_SHARE;
use crate::runtime::clock::Instant;

pub(super) fn health_snapshot(store: &Arc<str>, engine: &Engine, now: Instant) -> HealthSnapshot {
    let snapshot: Vec<_> = engine
        .regions
        .iter()
        .map(|region| region.health.snapshot(now))
        .collect();
    let slow = engine.hedger.slow(&engine.regions, now);
    let ramp = |(index, snapshot): (usize, &RegionHealthSnapshot)| {
        ramp(snapshot.availability, slow.contains(index))
    };
    let shares = engine
        .rotation
        .shares(&snapshot.iter().enumerate().map(ramp).collect::<Vec<_>>());
    let regions: Vec<_> = snapshot
        .into_iter()
        .zip(shares)
        .enumerate()
        .map(|(index, of)| region(engine, index, of))
        .collect();
    let status = match regions.iter().filter(|region| region.in_use).count() {
        0 => StoreStatus::Down,
        count if count < regions.len() => StoreStatus::Degraded,
        _ => StoreStatus::Healthy,
    };
    HealthSnapshot {
        store: Arc::clone(store),
        status,
        regions,
        totals: totals(engine),
    }
}

/// The part of its share of first attempts that a region keeps.
fn ramp(availability: Availability, is_slow: bool) -> f64 {
    match availability {
        Availability::Closed { share } => share.min(if is_slow { SLOW_SHARE } else { 1.0 }),
        Availability::TrialDue
        | Availability::TrialInFlight { .. }
        | Availability::Open { .. }
        | Availability::Drained
        | Availability::ForcedOpen => 0.0,
    }
}

fn region(
    engine: &Engine,
    index: usize,
    (snapshot, share): (RegionHealthSnapshot, f64),
) -> RegionSnapshot {
    let [read, write] = snapshot.circuits;
    RegionSnapshot {
        name: Arc::clone(&engine.regions.get(index).name),
        in_use: matches!(snapshot.availability, Availability::Closed { .. }),
        home: engine.home == Some(index),
        read,
        write,
        override_active: snapshot.active_override,
        share,
        p50: snapshot.p50,
        p95: snapshot.p95,
        in_flight: snapshot.in_flight,
        attempts: snapshot.attempts,
        successes: snapshot.successes,
        failures: snapshot.failures,
        failing_in_a_row: snapshot.consecutive_failures,
        replication_lag: engine.regions.get(index).probe_state.lag(),
        last_error: engine.events.last_error(index),
    }
}

fn totals(engine: &Engine) -> StoreTotals {
    let totals = engine.metrics.totals();
    let (successes, errors) = (totals.successes.get(), totals.errors.get());
    let ended = successes + errors;
    StoreTotals {
        requests: totals.requests.get(),
        successes,
        errors,
        success_rate: if ended == 0 {
            1.0
        } else {
            successes as f64 / ended as f64
        },
        retries: totals.retries.get(),
        retry_successes: totals.retry_successes.get(),
        timeouts: totals.timeouts.get(),
        opens: totals.opens.get(),
        closes: totals.closes.get(),
        retry_budget_refused: engine.budget.refused(),
        hedges: engine.hedger.counts(),
    }
}
