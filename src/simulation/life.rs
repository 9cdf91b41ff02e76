//! A life: from its seed to its report.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures::FutureExt;
use futures::future::{Either, select};

use super::attempt::CALL;
use super::checks::Asked;
use super::circuits::Circuits;
use super::dice::Dice;
use super::fault::Spell;
use super::ledger::Ledger;
use super::plan::{Action, Cancel, Plan, Step};
use super::recovery::{STEADY, WATCHDOG};
use super::region::SimulatedRegion;
use super::report::Report;
use super::rules::{Rules, Stage};
use super::settings::Settings;
use super::trace::Trace;
use super::truth::Truth;
use super::violation::Invariant;
use super::world::{Site, World};
use crate::connections::Connections;
use crate::health::CircuitClass;
use crate::region::Region;
use crate::time::sleep_until;

/// One life of a store, drawn from a seed.
#[derive(Debug, Clone)]
#[must_use = "a life does nothing until it is run"]
pub struct Simulation {
    seed: u64,
    settings: Option<Settings>,
    spells: Option<Vec<Spell>>,
    operations: usize,
    keeps_trace: bool,
}

impl Simulation {
    /// The life of this seed: 250 operations, and settings drawn from it too.
    pub fn of(seed: u64) -> Self {
        Self { seed, settings: None, spells: None, operations: 250, keeps_trace: false }
    }

    /// The store has these settings.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// These faults and no others befall the regions.
    pub fn faults(mut self, spells: Vec<Spell>) -> Self {
        self.spells = Some(spells);
        self
    }

    /// It has so many operations.
    pub fn operations(mut self, operations: usize) -> Self {
        self.operations = operations;
        self
    }

    /// Its whole trace is in the report.
    pub fn keep_trace(mut self) -> Self {
        self.keeps_trace = true;
        self
    }

    /// Lives it, on a runtime of its own with a paused clock.
    ///
    /// # Panics
    ///
    /// Within another runtime, and where the settings are refused by the builder.
    #[must_use]
    pub fn run(&self) -> Report {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime without sockets needs nothing").block_on(self.live())
    }

    async fn live(&self) -> Report {
        let plan = Plan::draw(self.seed, self.settings.clone(), self.spells.clone(), self.operations);
        let stage = Arc::new(self.stage(plan));
        let probes = stage.plan.settings.probe.is_some().then(|| stage.store.start_probes());
        let mut running = Vec::new();
        for (number, step) in stage.plan.steps.iter().enumerate() {
            sleep_until(stage.world.moment(step.at)).await;
            running.push(tokio::spawn(perform(Arc::clone(&stage), number as u64 + 1, step.clone())));
        }
        for operation in running {
            if let Err(error) = operation.await {
                let why = format!("an operation panicked: {error}");
                stage.world.state().ledger.violate(Invariant::EveryCallEnds, 0, why);
            }
        }
        stage.recover(probes).await;
        self.report(&stage)
    }

    fn stage(&self, plan: Plan) -> Stage {
        let mut dice = Dice::new(self.seed ^ 0xD1CE);
        let names: Vec<Arc<str>> = plan.settings.regions.iter().map(|(name, _)| name.as_str().into()).collect();
        let site = |build: &super::plan::Build| Site::new(build.latency, build.tags, build.reports, build.has_markers, dice.fork());
        let sites: Vec<_> = plan.builds.iter().map(site).collect();
        let mut truth = Truth::new(plan.builds.iter().map(|build| build.lag).collect(), dice.fork());
        plan.keys.iter().for_each(|(key, size)| truth.found(key, *size));
        truth.found(STEADY, 100);
        let breaker = &plan.settings.breaker;
        let (slots, wanted) = (breaker.half_open_max_calls as usize, breaker.success_threshold as usize);
        let ledger = Ledger::new(Trace::new(self.keeps_trace), Circuits::new(names, slots, wanted));
        let world = World::new(truth, ledger, sites, plan.spells.clone());
        let mut builder = plan.settings.builder().seed(self.seed);
        for (index, ((name, weight), build)) in plan.settings.regions.iter().zip(&plan.builds).enumerate() {
            let mut region = Region::new(name, Arc::new(SimulatedRegion { world: Arc::clone(&world), index })).weight(*weight);
            region.connections = build.reports.then(|| Connections::of(name, None));
            builder = builder.region(region);
        }
        let store = builder.build().expect("settings that a store can be built from");
        world.state().ledger.circuits.listen(store.subscribe());
        let rules = Rules::of(&plan, &store);
        Stage { world, store, rules, plan, tally: Default::default() }
    }

    fn report(&self, stage: &Stage) -> Report {
        let now = stage.world.now();
        let mut state = stage.world.state();
        state.ledger.hear(now);
        let tally = stage.tally.lock();
        Report {
            seed: self.seed,
            settings: format!("{:?}; {:?}", stage.plan.settings, stage.plan.builds),
            operations: tally.calls,
            failed: tally.failed,
            cancelled: tally.cancelled,
            attempts: state.ledger.attempts.len() as u64,
            hedges: stage.store.hedges().sent,
            transitions: state.ledger.circuits.changes(),
            seconds: now / 1000,
            digest: state.ledger.trace.digest(),
            violations: std::mem::take(&mut state.ledger.violations),
            trace: state.ledger.trace.take(),
        }
    }
}

/// One operation, from its beginning to its end or until its caller goes away.
async fn perform(stage: Arc<Stage>, number: u64, step: Step) {
    let since = stage.world.now();
    let (changes, closed) = {
        let mut state = stage.world.state();
        state.ledger.hear(since);
        state.ledger.trace.note(since, format_args!("call {number} begins: {:?} of {}", step.action, step.key));
        let closed = (0..stage.rules.regions).filter(|region| state.ledger.circuits.is_closed(*region, CircuitClass::Read));
        (state.ledger.circuits.changes(), closed.collect())
    };
    stage.tally.lock().calls += 1;
    let asked = Asked { stage: &stage, number, step: &step, since, changes, closed };
    let ended = CALL.scope(number, cut(&stage, asked.run(), step.cancel)).await;
    let now = stage.world.now();
    let mut state = stage.world.state();
    state.ledger.trace.note(now, format_args!("call {number} ends: {ended}"));
    let mut tally = stage.tally.lock();
    tally.cancelled += u64::from(ended == GONE);
    tally.failed += u64::from(ended.starts_with("error"));
    if ended == ENDLESS {
        state.ledger.violate(Invariant::EveryCallEnds, number, format!("{} never ended", step.action.name()));
    }
}

/// Polls it until it ends, or its caller goes away.
async fn cut(stage: &Stage, call: impl Future<Output = String>, cancel: Option<Cancel>) -> String {
    let mut call = pin!(call);
    let (wait, word) = match cancel {
        Some(Cancel::After(time)) => (time, GONE),
        Some(Cancel::Polls(_)) | None => (WATCHDOG, ENDLESS),
    };
    let mut polls = 0;
    let polled = poll_fn(|cx| {
        polls += 1;
        match cancel {
            Some(Cancel::Polls(most)) if polls > most => Poll::Ready(GONE.to_owned()),
            _ => call.poll_unpin(cx),
        }
    });
    match select(pin!(polled), pin!(sleep_until(stage.world.moment(stage.world.now() + wait)))).await {
        Either::Left((ended, _)) => ended,
        Either::Right(_) => word.to_owned(),
    }
}

impl Action {
    fn name(&self) -> &'static str {
        match self {
            Self::Get(..) => "get",
            Self::Head(_) => "head",
            Self::Ranges(_) => "get_ranges",
            Self::List { .. } => "list",
            Self::ListLevel(_) => "list_with_delimiter",
            Self::Put(_) | Self::Create(_) | Self::Update(_) => "put",
            Self::Copy { .. } => "copy",
            Self::Delete => "delete",
            Self::PutElsewhere(_) | Self::DeleteElsewhere | Self::Stamp(_) => "a write elsewhere",
        }
    }
}

const GONE: &str = "its caller went away";
const ENDLESS: &str = "it never ended";
