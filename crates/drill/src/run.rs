//! One scenario, from the first read to its report.

use std::sync::Arc;
use std::time::Duration;

use crate::environment::Deployment;
use crate::evaluation::expect::Expected;
use crate::evaluation::{self, Evaluation, not_found};
use crate::load::byte_budget::ByteBudget;
use crate::load::corpus::Corpus;
use crate::load::reader::Load;
use crate::report::{self, Head, RunReport};
use crate::runner::progress::Progress;
use crate::runner::recorder::Recorder;
use crate::runner::scheduler::{self, End};
use crate::runner::timeline;
use crate::scenario::Scenario;
use crate::tuning::Tuning;

/// A run that is ready to start.
pub(crate) struct Run {
    pub(crate) scenario: &'static Scenario,
    pub(crate) deployment: Deployment,
    pub(crate) corpus: Corpus,
    pub(crate) tuning: Tuning,
    pub(crate) head: Head,
    pub(crate) length: Duration,
    /// The bytes that the readers may read.
    pub(crate) max_bytes: u64,
    pub(crate) expected: Vec<Expected>,
}

impl Run {
    pub(crate) async fn perform(self) -> RunReport {
        let Self {
            scenario,
            deployment,
            corpus,
            tuning,
            head,
            length,
            max_bytes,
            expected,
        } = self;
        let deployment = Arc::new(deployment);
        let recorder = Arc::new(Recorder::new(scenario.phases.len(), deployment.len()));
        let load = Arc::new(Load::new(
            Arc::clone(&deployment),
            corpus,
            Arc::clone(&recorder),
            ByteBudget::new(max_bytes, length),
        ));
        let watching = deployment.failover().map(|store| {
            scheduler::watch_circuits(
                store.subscribe(),
                Arc::clone(&deployment),
                Arc::clone(&recorder),
            )
        });
        let watching = watching.map(tokio::spawn);
        let sampling = tokio::spawn(timeline::sample_forever(
            length,
            Arc::clone(&deployment),
            Arc::clone(&recorder),
        ));
        let progress = Progress::start(length, &deployment);
        let mut readers = load.start(head.concurrency, head.seed);
        let end = tokio::select! {
            end = scheduler::run(scenario, length, &load, &progress) => end,
            () = progress.update_forever(&deployment, &recorder) => End::Interrupted,
        };
        progress.end();
        sampling.abort();
        let interrupted = end == End::Interrupted;
        if interrupted {
            readers.shutdown().await;
        } else {
            load.stop(readers, (tuning.total + tuning.stall) * 2).await;
        }
        watching.inspect(tokio::task::JoinHandle::abort);
        let early = end == End::BytesUsedUp && recorder.record().last_part.is_none();
        let report = evaluate(scenario, &deployment, &recorder, &tuning, head, &expected);
        RunReport {
            outcome: report.outcome.after(interrupted, early),
            bytes_read: load.byte_budget.used(),
            ended_early: early,
            ..report
        }
    }
}

fn evaluate(
    scenario: &Scenario,
    deployment: &Deployment,
    recorder: &Recorder,
    tuning: &Tuning,
    head: Head,
    expected: &[Expected],
) -> RunReport {
    let not_found = deployment
        .failover()
        .map(|_| not_found::by_class(&store_name(scenario)))
        .unwrap_or_default();
    let mut record = recorder.record();
    let timeline = std::mem::take(&mut record.timeline);
    let run = Evaluation {
        record: &record,
        deployment,
        tuning,
        readers: head.concurrency,
        not_found,
    };
    let (outcome, measures) = evaluation::evaluate(&run, expected);
    let failed_actions = record
        .failed_actions
        .iter()
        .map(|what| format!("action failed: {what}"));
    RunReport {
        head,
        outcome,
        skipped_because: None,
        phases: report::phases(scenario, &record),
        faults: report::faults(scenario, &record, deployment),
        circuits: report::circuits(&record, deployment),
        measures,
        broken_by: failed_actions
            .chain(record.broken.iter().cloned())
            .collect(),
        excused: record.excused.clone(),
        bytes_read: 0,
        ended_early: false,
        timeline,
    }
}

/// The `store` label of the run's metrics.
pub(crate) fn store_name(scenario: &Scenario) -> String {
    format!("drill-{}", scenario.name)
}
