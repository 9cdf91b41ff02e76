//! The end of a life: all faults are over, and what must come back comes back.

use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutOptions};

use super::rules::Stage;
use super::truth::Ms;
use super::violation::Invariant;
use crate::failover::scope::WriteRule;
use crate::health::{CircuitClass, CircuitState};
use crate::probe::ProbeGuard;
use crate::time::{self, sleep_until};

impl Stage {
    /// Steady traffic until every circuit must have closed; then quiet, until everything must have been returned.
    pub(super) async fn recover(&self, probes: Option<ProbeGuard>) {
        let breaker = &self.plan.settings.breaker;
        self.world.heal();
        let open = breaker.open_for_max.mul_f64(1.0 + breaker.jitter.get());
        // Trials from before still wait for their limits, and an appointment of the probes' may be an interval away.
        let appointment = self.plan.settings.probe.as_ref().map_or(Duration::ZERO, |probe| probe.interval * 3 * breaker.success_threshold);
        let bound = open + LONGEST_ATTEMPT + breaker.half_open_timeout + breaker.early_probe_interval * 4 + appointment;
        let step = bound / STEPS;
        for _ in 0..STEPS {
            sleep_until(time::now() + step).await;
            self.traffic().await;
        }
        for _ in 0..self.rules.regions as u32 * (breaker.success_threshold + 1) * 2 {
            sleep_until(time::now() + breaker.early_probe_interval + Duration::from_millis(100)).await;
            self.traffic().await;
        }
        self.check_circuits();
        drop(probes);
        sleep_until(time::now() + LONGEST_ATTEMPT * 2).await;
        self.check_permits();
        self.check_budgets();
    }

    async fn traffic(&self) {
        let read = async { self.store.get(&Path::from(STEADY)).await?.bytes().await };
        let came = if read.await.is_ok() { "served" } else { "failed" };
        let now = self.world.now();
        self.world.state().ledger.trace.note(now, format_args!("a steady read: {came}"));
        if self.rules.writes != WriteRule::Nowhere {
            let _ = self.store.put_opts(&Path::from(WRITTEN), "steady".into(), PutOptions::default()).await;
        }
    }

    fn check_circuits(&self) {
        for region in self.store.health().regions {
            for (class, circuit) in [(CircuitClass::Read, region.read), (CircuitClass::Write, region.write)] {
                let matters = class == CircuitClass::Read || self.rules.writes != WriteRule::Nowhere;
                if matters && circuit.state != CircuitState::Closed {
                    let why = format!("the {class} circuit of {} is {} after all faults are over", region.name, circuit.state);
                    self.world.state().ledger.violate(Invariant::EveryCircuitCloses, 0, why);
                }
            }
        }
    }

    fn check_permits(&self) {
        let limit = self.plan.settings.throttle.as_ref().and_then(|throttle| throttle.max_in_flight);
        for (index, region) in self.store.health().regions.iter().enumerate() {
            let places = limit.map_or(0, |limit| self.store.core().regions.get(index).pace.places_taken(limit));
            if region.in_flight > 0 || places > 0 {
                let why = format!("{} of {} are still in flight, and {places} places taken", region.in_flight, region.name);
                self.world.state().ledger.violate(Invariant::EveryPermitReturned, 0, why);
            }
        }
    }

    /// What was asked twice, and asked beside, was paid for.
    fn check_budgets(&self) {
        let (hedges, settings, lived) = (self.store.hedges().sent, &self.plan.settings, self.world.now() as f64 / 1000.0);
        let mut state = self.world.state();
        let tally = self.tally.lock();
        let (calls, repeats) = (tally.calls, tally.repeats);
        let runs = (calls + state.ledger.attempts.len() as u64) as f64;
        let seen = state.ledger.hedges_seen;
        let budget = settings.retry.budget;
        let granted = f64::from(budget.min_per_second) * (1.0 + lived) + budget.ratio * runs + 1.0;
        let spent = repeats + hedges.max(seen);
        if spent as f64 > granted {
            let why = format!("{repeats} repeated attempts and {hedges} hedges ({seen} seen), where {granted:.1} were granted");
            state.ledger.violate(Invariant::WithinRetryBudget, 0, why);
        }
        let granted = settings.hedge.map_or(0.0, |hedge| hedge.max_extra.get() * runs);
        if hedges.max(seen) as f64 > granted {
            let why = format!("{hedges} hedges ({seen} seen), where {granted:.1} were granted");
            state.ledger.violate(Invariant::WithinHedgeBudget, 0, why);
        }
    }
}

/// A key that is always everywhere.
pub(super) const STEADY: &str = "steady";
const WRITTEN: &str = "written";
/// Reads on the way, besides those at the end.
const STEPS: u32 = 24;
/// No read has a longer attempt: that of a listing.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(16);
/// How long any operation may take, all bodies and listings included, in milliseconds.
pub(super) const WATCHDOG: Ms = 7_200_000;
