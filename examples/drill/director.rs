//! Plays a scenario: does what each step says at its time, and keeps the marks of the phases.

use std::sync::Arc;
use std::time::Duration;

use object_store_failover::{CircuitClass, Event};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::board::Board;
use crate::clock::{now, sleep_until};
use crate::progress::Progress;
use crate::reader::Load;
use crate::scenario::Scenario;
use crate::stage::Stage;

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
        () = phases(scenario, length, stage, board, progress) => Ending::Played,
        () = load.used_up.notified() => Ending::BytesUsedUp,
        _ = tokio::signal::ctrl_c() => Ending::Interrupted,
    };
    let (at, requests, circuits) = (now(), stage.requests(), stage.circuits());
    let mut marks = board.marks();
    marks.end_phase(at, &requests);
    marks.circuits_at_end = circuits;
    ending
}

async fn phases(scenario: &Scenario, length: Duration, stage: &Stage, board: &Board, progress: &Progress) {
    let mut from = now();
    for (index, phase) in scenario.phases.iter().enumerate() {
        let lasts = scenario.length(phase, length);
        board.turn_to(index, stage);
        progress.on_phase(phase.name, phase.steps, stage);
        for step in phase.steps {
            sleep_until(from + lasts.mul_f64(step.at)).await;
            for region in step.whom.of(stage.len()) {
                board.act(region, step.act, stage);
            }
        }
        if index + 1 == scenario.phases.len() {
            sleep_until(from + lasts.mul_f64(LAST_STRETCH)).await;
            board.marks().last_stretch = Some((now(), stage.requests()));
        }
        from += lasts;
        sleep_until(from).await;
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
