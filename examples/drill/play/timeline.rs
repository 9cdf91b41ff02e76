//! The run in slices of equal length, for the picture.

use std::sync::Arc;
use std::time::Duration;

use object_store_failover::CircuitState;
use serde::Serialize;

use super::board::Board;
use crate::clock::{Instant, millis, now, sleep_until};
use crate::ground::Stage;
use crate::load::tally::Tally;

/// More slices are no clearer picture.
const SLICES: u32 = 120;
const SHORTEST: Duration = Duration::from_millis(100);

#[derive(Debug, Default, Serialize)]
pub(crate) struct Timeline {
    pub(crate) step_s: f64,
    pub(crate) samples: Vec<Sample>,
}

/// One slice.
#[derive(Debug, Serialize)]
pub(crate) struct Sample {
    /// Its end.
    at_s: f64,
    /// Of each region, within the slice.
    requests: Vec<u64>,
    /// At its end.
    circuits: Vec<CircuitState>,
    reads: u64,
    failed: u64,
    wrong: u64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
}

/// Takes samples for as long as it is polled.
pub(crate) async fn record(length: Duration, stage: Arc<Stage>, board: Arc<Board>) {
    let step = (length / SLICES).max(SHORTEST);
    let (began, mut before) = (now(), stage.attempts());
    board.marks().timeline.step_s = step.as_secs_f64();
    let mut due = began;
    loop {
        due += step;
        sleep_until(due).await;
        let (attempts, circuits) = (stage.attempts(), stage.circuits());
        let mut marks = board.marks();
        let slice = std::mem::replace(&mut marks.slice, Tally::new());
        let requests = attempts.iter().zip(&before).map(|(after, before)| after.saturating_sub(*before)).collect();
        marks.timeline.samples.push(sample(&slice, began, requests, circuits));
        before = attempts;
    }
}

fn sample(slice: &Tally, began: Instant, requests: Vec<u64>, circuits: Vec<CircuitState>) -> Sample {
    Sample {
        at_s: millis(now() - began) / 1000.0,
        requests,
        circuits,
        reads: slice.reads,
        failed: slice.failed,
        wrong: slice.wrong,
        p50_ms: slice.quantile(0.5),
        p99_ms: slice.quantile(0.99),
    }
}
