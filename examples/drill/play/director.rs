//! Plays a scenario: does what each step says at its time, and keeps the marks of the phases.

use std::sync::Arc;
use std::time::Duration;

use object_store_failover::{CircuitClass, Event};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::board::Board;
use super::progress::Progress;
use crate::clock::{now, sleep_until};
use crate::ground::Stage;
use crate::interrupt::interrupted;
use crate::load::reader::Load;
use crate::load::writer;
use crate::scenario::{Act, Moment, Scenario};

/// Where in the last phase the stretch begins by which full rotation is judged.
const LAST_STRETCH: f64 = 0.75;

/// How a play ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Played,
    /// All that may be read has been read.
    BytesUsedUp,
    /// Ctrl-C.
    Interrupted,
}

/// Plays `scenario` in `length`, or until somebody ends it.
pub(crate) async fn play(scenario: &Scenario, length: Duration, load: &Load, progress: &Progress) -> Ending {
    let (stage, board) = (&*load.stage, &*load.board);
    let ending = tokio::select! {
        () = phases(scenario, length, load, progress) => Ending::Played,
        () = load.used_up.notified() => Ending::BytesUsedUp,
        () = interrupted() => Ending::Interrupted,
    };
    let (at, requests, circuits) = (now(), stage.attempts(), stage.circuits());
    let mut marks = board.marks();
    marks.end_phase(at, &requests);
    marks.end_gap(at);
    marks.circuits_at_end = circuits;
    ending
}

async fn phases(scenario: &Scenario, length: Duration, load: &Load, progress: &Progress) {
    let (stage, board) = (&*load.stage, &*load.board);
    let mut from = now();
    for (index, phase) in scenario.phases.iter().enumerate() {
        let lasts = scenario.length(phase, length);
        board.turn_to(index, stage);
        let moments = phase.moments(stage.len());
        progress.on_phase(phase.name, &moments, stage);
        for moment in moments {
            sleep_until(from + lasts.mul_f64(moment.at)).await;
            perform(&moment, load).await;
        }
        if index + 1 == scenario.phases.len() {
            sleep_until(from + lasts.mul_f64(LAST_STRETCH)).await;
            board.marks().last_stretch = Some((now(), stage.attempts()));
        }
        from += lasts;
        sleep_until(from).await;
    }
}

async fn perform(moment: &Moment, load: &Load) {
    let (stage, board) = (&*load.stage, &*load.board);
    if moment.act.is_of_data() {
        if let Err(why) = of_data(moment.act, load).await {
            board.marks().undone.push(format!("{}: {why}", moment.act.state()));
        }
        return;
    }
    // Side by side: what happens to all happens to all at once.
    futures::future::join_all(moment.regions.iter().map(|region| board.act(*region, moment.act, stage))).await;
}

async fn of_data(act: Act, load: &Load) -> Result<(), String> {
    match act {
        Act::PauseReplication | Act::ResumeReplication => {
            load.stage.ground.act(0, act, Duration::ZERO).await?;
            load.board.on_replication(act, &load.stage);
            Ok(())
        }
        _ => writer::write(act, &load.corpus, &*load.stage.ground).await,
    }
}

/// Notes every change of a circuit, stamped when it is told.
pub(crate) async fn watch_circuits(mut events: Receiver<Event>, stage: Arc<Stage>, board: Arc<Board>) {
    loop {
        match events.recv().await {
            Ok(Event::CircuitChanged { region, class: CircuitClass::Read, change }) => {
                if let Some(region) = stage.find(&region) {
                    board.on_circuit(region, change, &stage);
                }
            }
            // What was lost is lost: the marks show fewer openings than there were, never more.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
