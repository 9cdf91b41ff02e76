//! The end of a run: all faults end, and everything must recover.

use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutOptions};
use object_store_failover::health::{CircuitClass, CircuitState};
use object_store_failover::internals::{self, WriteRule};
use object_store_failover::{HealthSnapshot, ProbeGuard};
use tokio::time::sleep;

use crate::expectations::Run;
use crate::object_history::Ms;
use crate::violation::Invariant;

impl Run {
    /// Steady traffic until every circuit must have closed, then none until every permit must have
    /// been returned.
    pub(crate) async fn finish(&self, probes: Option<ProbeGuard>) {
        let breaker = &self.scenario.settings.breaker;
        self.world.end_faults();
        let open = breaker.open_for_max.mul_f64(1.0 + breaker.jitter.get());
        // Where probes own the trials, a trial takes place at their interval only.
        let probed_trials = self
            .scenario
            .settings
            .probe
            .as_ref()
            .map_or(Duration::ZERO, |probe| {
                probe.interval * 3 * breaker.success_threshold
            });
        // A trial sent before the faults ended still waits for its own limit.
        let bound = open
            + MAX_ATTEMPT
            + breaker.half_open_timeout
            + breaker.early_probe_interval * 4
            + probed_trials;
        let step = bound / STEPS;
        for _ in 0..STEPS {
            sleep(step).await;
            self.traffic().await;
        }
        let trials = self.expectations.regions as u32 * (breaker.success_threshold + 1) * 2;
        for _ in 0..trials {
            sleep(breaker.early_probe_interval + Duration::from_millis(100)).await;
            self.traffic().await;
        }
        self.check_circuits(&self.store.health());
        drop(probes);
        sleep(MAX_ATTEMPT * 2).await;
        self.check_permits(&self.store.health());
        self.check_budgets();
    }

    async fn traffic(&self) {
        let read = async {
            let key = Path::from(STEADY_KEY);
            self.store.get(&key).await?.bytes().await
        };
        let result = if read.await.is_ok() {
            "served"
        } else {
            "failed"
        };
        let now = self.world.now();
        self.world
            .state()
            .log
            .trace
            .record(now, format_args!("final phase: a read {result}"));
        if self.expectations.writes != WriteRule::Nowhere {
            let (key, options) = (Path::from(WRITTEN_KEY), PutOptions::default());
            let _ = self.store.put_opts(&key, "steady".into(), options).await;
        }
    }

    fn check_circuits(&self, health: &HealthSnapshot) {
        for region in &health.regions {
            let circuits = [
                (CircuitClass::Read, &region.read),
                (CircuitClass::Write, &region.write),
            ];
            for (class, circuit) in circuits {
                let is_used =
                    class == CircuitClass::Read || self.expectations.writes != WriteRule::Nowhere;
                if is_used && circuit.state != CircuitState::Closed {
                    let why = format!(
                        "the {class} circuit of {} is {} after all faults ended",
                        region.name, circuit.state
                    );
                    self.world
                        .state()
                        .log
                        .add_violation(Invariant::EveryCircuitCloses, 0, why);
                }
            }
        }
    }

    fn check_permits(&self, health: &HealthSnapshot) {
        let limit = self
            .scenario
            .settings
            .throttle
            .as_ref()
            .and_then(|throttle| throttle.max_in_flight);
        for (index, region) in health.regions.iter().enumerate() {
            let slots = limit.map_or(0, |limit| internals::slots_taken(&self.store, index, limit));
            if region.in_flight > 0 || slots > 0 {
                let why = format!(
                    "{}: {} still in flight, {slots} slots taken",
                    region.name, region.in_flight
                );
                self.world
                    .state()
                    .log
                    .add_violation(Invariant::EveryPermitReturned, 0, why);
            }
        }
    }

    /// Repeated attempts and hedges were granted by the budgets.
    fn check_budgets(&self) {
        let hedges = self.store.hedges().sent;
        let settings = &self.scenario.settings;
        let seconds = self.world.now() as f64 / 1000.0;
        let mut state = self.world.state();
        let counters = self.counters.lock();
        let (calls, repeats) = (counters.calls, counters.repeats);
        let seen = state.log.hedges_seen;
        // Each call, and each listing page or part of it, deposits: attempts are an upper bound.
        let deposits = (calls + state.log.attempts.len() as u64) as f64;
        let budget = settings.retry.budget;
        let granted =
            f64::from(budget.min_per_second) * (1.0 + seconds) + budget.ratio * deposits + 1.0;
        let spent = repeats + hedges.max(seen);
        if spent as f64 > granted {
            let why = format!(
                "{repeats} repeated attempts and {hedges} hedges ({seen} seen) of {granted:.1} \
                 granted"
            );
            state
                .log
                .add_violation(Invariant::WithinRetryBudget, 0, why);
        }
        let granted = settings
            .hedge
            .map_or(0.0, |hedge| hedge.max_extra.get() * deposits);
        if hedges.max(seen) as f64 > granted {
            let why = format!("{hedges} hedges ({seen} seen) of {granted:.1} granted");
            state
                .log
                .add_violation(Invariant::WithinHedgeBudget, 0, why);
        }
    }
}

/// A key that every region has for the whole run.
pub(crate) const STEADY_KEY: &str = "steady";
const WRITTEN_KEY: &str = "written";
/// Reads while circuits stay open, in addition to those of the trials.
const STEPS: u32 = 24;
/// The longest attempt of any read: that of a listing.
const MAX_ATTEMPT: Duration = Duration::from_secs(16);
/// The longest time of an operation, bodies and listings included.
pub(crate) const WATCHDOG_MS: Ms = 7_200_000;
