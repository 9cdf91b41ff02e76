//! Runs a scenario, from the seed to the report.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures::FutureExt;
use futures::future::{Either, select};
use object_store_failover::health::CircuitClass;
use object_store_failover::{Region, internals};
use tokio::time::sleep_until;

use crate::attempt_log::AttemptLog;
use crate::checks::CheckedCall;
use crate::circuit_checker::CircuitChecker;
use crate::expectations::{Expectations, Run};
use crate::fault::FaultWindow;
use crate::final_phase::{STEADY_KEY, WATCHDOG_MS};
use crate::in_flight::CALL;
use crate::object_history::ObjectHistory;
use crate::region::SimulatedRegion;
use crate::report::Report;
use crate::rng::Rng;
use crate::scenario::{Cancel, RegionSetup, Scenario, Step};
use crate::settings::Settings;
use crate::trace::Trace;
use crate::violation::Invariant;
use crate::world::{RegionModel, World};

/// One run of a store over simulated regions, derived from a seed.
#[derive(Debug, Clone)]
#[must_use = "nothing happens before `run`"]
pub struct Simulation {
    seed: u64,
    settings: Option<Settings>,
    windows: Option<Vec<FaultWindow>>,
    operations: usize,
    keeps_trace: bool,
}

impl Simulation {
    /// The run of this seed: 250 operations, with settings and faults that are drawn too.
    pub fn of(seed: u64) -> Self {
        Self {
            seed,
            settings: None,
            windows: None,
            operations: 250,
            keeps_trace: false,
        }
    }

    /// Uses these settings instead of drawn ones.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Uses these faults instead of drawn ones.
    pub fn faults(mut self, windows: Vec<FaultWindow>) -> Self {
        self.windows = Some(windows);
        self
    }

    /// The number of operations (default 250).
    pub fn operations(mut self, operations: usize) -> Self {
        self.operations = operations;
        self
    }

    /// Keeps the whole trace in the report. Without it the report has the digest only.
    pub fn keep_trace(mut self) -> Self {
        self.keeps_trace = true;
        self
    }

    /// Runs the simulation on a runtime of its own with a paused clock.
    ///
    /// # Panics
    ///
    /// If called within a tokio runtime, or if the builder rejects the settings.
    #[must_use]
    pub fn run(&self) -> Report {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime
            .expect("a runtime without sockets needs no resources")
            .block_on(self.execute())
    }

    async fn execute(&self) -> Report {
        let scenario = Scenario::draw(
            self.seed,
            self.settings.clone(),
            self.windows.clone(),
            self.operations,
        );
        let run = Arc::new(self.set_up(scenario));
        let probes = run
            .scenario
            .settings
            .probe
            .is_some()
            .then(|| run.store.start_probes());
        let mut calls = Vec::new();
        for (number, step) in run.scenario.steps.iter().enumerate() {
            sleep_until(run.world.instant(step.at)).await;
            calls.push(tokio::spawn(perform(
                Arc::clone(&run),
                number as u64 + 1,
                step.clone(),
            )));
        }
        for call in calls {
            if let Err(error) = call.await {
                let why = format!("an operation panicked: {error}");
                run.world
                    .state()
                    .log
                    .add_violation(Invariant::EveryCallEnds, 0, why);
            }
        }
        run.finish(probes).await;
        self.report(&run)
    }

    fn set_up(&self, scenario: Scenario) -> Run {
        // Independent of the scenario's stream: other settings do not change the regions.
        let mut rng = Rng::new(self.seed ^ 0xD1CE);
        let settings = &scenario.settings;
        let setups = &scenario.setups;
        let names: Vec<Arc<str>> = settings
            .regions
            .iter()
            .map(|(name, _)| name.as_str().into())
            .collect();
        let model = |setup: &RegionSetup| RegionModel::new(setup, rng.fork());
        let regions: Vec<_> = setups.iter().map(model).collect();
        let lags = setups.iter().map(|setup| setup.lag).collect();
        let mut history = ObjectHistory::new(lags, rng.fork());
        scenario
            .keys
            .iter()
            .for_each(|(key, size)| history.insert_initial(key, *size));
        history.insert_initial(STEADY_KEY, 100);
        let circuits = CircuitChecker::new(names, &settings.breaker);
        let log = AttemptLog::new(Trace::new(self.keeps_trace), circuits);
        let world = World::new(history, log, regions, scenario.windows.clone());
        let mut builder = settings.builder().seed(self.seed);
        for (index, ((name, weight), setup)) in settings.regions.iter().zip(setups).enumerate() {
            let store = SimulatedRegion {
                world: Arc::clone(&world),
                index,
            };
            let mut region = Region::new(name, Arc::new(store)).weight(*weight);
            if setup.records_wire {
                internals::set_records_wire(&mut region, name);
            }
            builder = builder.region(region);
        }
        let store = builder.build().expect("valid settings");
        world.state().log.circuits.subscribe(store.subscribe());
        let expectations = Expectations::of(&scenario, &store);
        Run {
            world,
            store,
            expectations,
            scenario,
            counters: Default::default(),
        }
    }

    fn report(&self, run: &Run) -> Report {
        let now = run.world.now();
        let mut state = run.world.state();
        state.log.drain_events(now);
        let counters = run.counters.lock();
        Report {
            seed: self.seed,
            settings: format!("{:?}; {:?}", run.scenario.settings, run.scenario.setups),
            operations: counters.calls,
            failed: counters.failed,
            cancelled: counters.cancelled,
            attempts: state.log.attempts.len() as u64,
            hedges: run.store.hedges().sent,
            transitions: state.log.circuits.changes(),
            seconds: now / 1000,
            digest: state.log.trace.digest(),
            violations: std::mem::take(&mut state.log.violations),
            trace: state.log.trace.take(),
        }
    }
}

/// Runs one operation until it ends or is cancelled.
async fn perform(run: Arc<Run>, number: u64, step: Step) {
    let since = run.world.now();
    let (changes, closed) = {
        let mut state = run.world.state();
        state.log.drain_events(since);
        state.log.trace.record(
            since,
            format_args!("call {number} begins: {:?} of {}", step.action, step.key),
        );
        let closed = (0..run.expectations.regions)
            .filter(|region| state.log.circuits.is_closed(*region, CircuitClass::Read));
        (state.log.circuits.changes(), closed.collect())
    };
    run.counters.lock().calls += 1;
    let call = CheckedCall {
        run: &run,
        number,
        step: &step,
        since,
        changes,
        closed,
    };
    let ended = CALL
        .scope(number, with_cancel(&run, call.execute(), step.cancel))
        .await;
    let now = run.world.now();
    let mut state = run.world.state();
    state
        .log
        .trace
        .record(now, format_args!("call {number} ends: {ended}"));
    let mut counters = run.counters.lock();
    counters.cancelled += u64::from(ended == CANCELLED);
    counters.failed += u64::from(ended.starts_with("error"));
    if ended == NEVER_ENDED {
        state.log.add_violation(
            Invariant::EveryCallEnds,
            number,
            format!("{} never ended", step.action.name()),
        );
    }
}

/// Polls `call` until it ends, is cancelled, or the watchdog fires.
async fn with_cancel(
    run: &Run,
    call: impl Future<Output = String>,
    cancel: Option<Cancel>,
) -> String {
    let mut call = pin!(call);
    let (limit, outcome) = match cancel {
        Some(Cancel::After(time)) => (time, CANCELLED),
        Some(Cancel::Polls(_)) | None => (WATCHDOG_MS, NEVER_ENDED),
    };
    let mut polls = 0;
    let polled = poll_fn(|cx| {
        polls += 1;
        match cancel {
            Some(Cancel::Polls(most)) if polls > most => Poll::Ready(CANCELLED.to_owned()),
            _ => call.poll_unpin(cx),
        }
    });
    let end = run.world.instant(run.world.now() + limit);
    match select(pin!(polled), pin!(sleep_until(end))).await {
        Either::Left((ended, _)) => ended,
        Either::Right(_) => outcome.to_owned(),
    }
}

const CANCELLED: &str = "cancelled";
const NEVER_ENDED: &str = "never ended";
