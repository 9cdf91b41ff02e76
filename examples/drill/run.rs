//! One scenario from its beginning to its report.

use std::sync::Arc;
use std::time::Duration;

use crate::ground::Stage;
use crate::load::allowance::Allowance;
use crate::load::corpus::Corpus;
use crate::load::reader::Load;
use crate::play::board::Board;
use crate::play::director::{self, Ending};
use crate::play::progress::Progress;
use crate::play::timeline;
use crate::report::{self, Head, RunReport};
use crate::scenario::Scenario;
use crate::tuning::Tuning;
use crate::verdict;
use crate::verdict::expect::Expected;

/// A run, ready to begin.
pub(crate) struct Run {
    pub(crate) scenario: &'static Scenario,
    pub(crate) stage: Stage,
    pub(crate) corpus: Corpus,
    pub(crate) tuning: Tuning,
    pub(crate) head: Head,
    pub(crate) length: Duration,
    /// What the readers may read.
    pub(crate) max_bytes: u64,
    pub(crate) expected: Vec<Expected>,
}

impl Run {
    pub(crate) async fn perform(self) -> RunReport {
        let Self { scenario, stage, corpus, tuning, head, length, max_bytes, expected } = self;
        let stage = Arc::new(stage);
        let board = Arc::new(Board::new(scenario.phases.len(), stage.len()));
        let load = Arc::new(Load::new(Arc::clone(&stage), corpus, Arc::clone(&board), Allowance::new(max_bytes, length)));
        let watching = stage.failover().map(|store| director::watch_circuits(store.subscribe(), Arc::clone(&stage), Arc::clone(&board)));
        let watching = watching.map(tokio::spawn);
        let recording = tokio::spawn(timeline::record(length, Arc::clone(&stage), Arc::clone(&board)));
        let progress = Progress::start(length, &stage);
        let mut readers = load.start(head.concurrency, head.seed);
        let ending = tokio::select! {
            ending = director::play(scenario, length, &load, &progress) => ending,
            () = progress.keep_moving(Arc::clone(&stage), Arc::clone(&board)) => Ending::Interrupted,
        };
        progress.end();
        recording.abort();
        let interrupted = ending == Ending::Interrupted;
        if interrupted {
            readers.shutdown().await;
        } else {
            load.stop(readers, (tuning.total + tuning.stall) * 2).await;
        }
        watching.inspect(tokio::task::JoinHandle::abort);
        let early = ending == Ending::BytesUsedUp && board.marks().last_stretch.is_none();
        let report = judged(scenario, &stage, &board, &tuning, head, &expected);
        RunReport { outcome: report.outcome.after(interrupted, early), bytes_read: load.allowance.used(), ended_early: early, ..report }
    }
}

fn judged(scenario: &Scenario, stage: &Stage, board: &Board, tuning: &Tuning, head: Head, expected: &[Expected]) -> RunReport {
    let missing = stage.failover().map(|_| verdict::missing::by_class(&store_name(scenario))).unwrap_or_default();
    let mut marks = board.marks();
    let timeline = std::mem::take(&mut marks.timeline);
    let run = verdict::Run { marks: &marks, stage, tuning, readers: head.concurrency, missing };
    let (outcome, measures) = verdict::judge(&run, expected);
    let undone = marks.undone.iter().map(|what| format!("could not be done: {what}"));
    RunReport {
        head,
        outcome,
        skipped_because: None,
        phases: report::phases(scenario, &marks),
        faults: report::faults(scenario, &marks, stage),
        circuits: report::circuits(&marks, stage),
        measures,
        broken_by: undone.chain(marks.broken.iter().cloned()).collect(),
        excused: marks.excused.clone(),
        bytes_read: 0,
        ended_early: false,
        timeline,
    }
}

/// Tells the metrics of one run from those of the others.
pub(crate) fn store_name(scenario: &Scenario) -> String {
    format!("drill-{}", scenario.name)
}
