//! Applies the steps of a scenario at their times and starts its phases.

use std::sync::Arc;
use std::time::Duration;

use object_store_failover::health::{CircuitClass, Event};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use super::progress::Progress;
use super::recorder::Recorder;
use crate::environment::Deployment;
use crate::interrupt::interrupted;
use crate::load::reader::Load;
use crate::load::writer;
use crate::scenario::{Action, Scenario, ScheduledStep};

/// Where in the last phase the part starts from which `imbalance` is measured.
const LAST_PART: f64 = 0.75;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    /// `--max-bytes` is used up.
    BytesUsedUp,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

/// Runs the scenario for `length`, unless it ends earlier.
pub(crate) async fn run(
    scenario: &Scenario,
    length: Duration,
    load: &Load,
    progress: &Progress,
) -> End {
    let (deployment, recorder) = (&*load.deployment, &*load.recorder);
    let end = tokio::select! {
        () = phases(scenario, length, load, progress) => End::Completed,
        () = load.used_up.notified() => End::BytesUsedUp,
        () = interrupted() => End::Interrupted,
    };
    let (at, requests, circuits) = (Instant::now(), deployment.attempts(), deployment.circuits());
    let mut record = recorder.record();
    record.end_phase(at, &requests);
    record.end_gap(at);
    record.circuits_at_end = circuits;
    end
}

async fn phases(scenario: &Scenario, length: Duration, load: &Load, progress: &Progress) {
    let (deployment, recorder) = (&*load.deployment, &*load.recorder);
    let mut from = Instant::now();
    for (index, phase) in scenario.phases.iter().enumerate() {
        let lasts = scenario.length(phase, length);
        recorder.begin_phase(index, deployment);
        let schedule = phase.schedule(deployment.len());
        progress.on_phase(phase.name, &schedule, deployment);
        for step in schedule {
            sleep_until(from + lasts.mul_f64(step.at)).await;
            perform(&step, load).await;
        }
        if index + 1 == scenario.phases.len() {
            sleep_until(from + lasts.mul_f64(LAST_PART)).await;
            recorder.record().last_part = Some((Instant::now(), deployment.attempts()));
        }
        from += lasts;
        sleep_until(from).await;
    }
}

async fn perform(step: &ScheduledStep, load: &Load) {
    let (deployment, recorder) = (&*load.deployment, &*load.recorder);
    if step.action.changes_data() {
        if let Err(why) = change_data(step.action, load).await {
            recorder
                .record()
                .failed_actions
                .push(format!("{}: {why}", step.action.state()));
        }
        return;
    }
    // Concurrently: an action on all regions is applied to all at once.
    futures::future::join_all(
        step.regions
            .iter()
            .map(|region| recorder.apply(*region, step.action, deployment)),
    )
    .await;
}

async fn change_data(action: Action, load: &Load) -> Result<(), String> {
    match action {
        Action::PauseReplication | Action::ResumeReplication => {
            load.deployment
                .environment
                .apply(0, action, Duration::ZERO)
                .await?;
            load.recorder.on_replication(action, &load.deployment);
            Ok(())
        }
        _ => writer::write(action, &load.corpus, &*load.deployment.environment).await,
    }
}

/// Records every transition of a read circuit, with the time of its event.
pub(crate) async fn watch_circuits(
    mut events: Receiver<Event>,
    deployment: Arc<Deployment>,
    recorder: Arc<Recorder>,
) {
    loop {
        match events.recv().await {
            Ok(Event::CircuitChanged {
                region,
                class: CircuitClass::Read,
                change,
            }) => {
                if let Some(region) = deployment.find(&region) {
                    recorder.on_circuit(region, change, &deployment);
                }
            }
            // Lost events are not recovered: the record shows fewer openings, never more.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
