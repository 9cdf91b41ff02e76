//! Samples of the run at equal intervals, for the charts.

use std::sync::Arc;
use std::time::Duration;

use object_store_failover::CircuitState;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::recorder::Recorder;
use crate::environment::Deployment;
use crate::load::tally::Tally;
use crate::units::millis;

/// The most samples; more do not improve the charts.
const MAX_SAMPLES: u32 = 120;
const MIN_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, Default, Serialize)]
pub(crate) struct Timeline {
    pub(crate) step_s: f64,
    pub(crate) samples: Vec<Sample>,
}

/// One sample.
#[derive(Debug, Serialize)]
pub(crate) struct Sample {
    /// Its end, in seconds from the start.
    at_s: f64,
    /// Requests to each region in the interval.
    requests: Vec<u64>,
    /// The circuits at its end.
    circuits: Vec<CircuitState>,
    reads: u64,
    failed: u64,
    wrong: u64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
}

/// Takes samples. Never returns.
pub(crate) async fn sample_forever(
    length: Duration,
    deployment: Arc<Deployment>,
    recorder: Arc<Recorder>,
) {
    let step = (length / MAX_SAMPLES).max(MIN_INTERVAL);
    let (started_at, mut before) = (Instant::now(), deployment.attempts());
    recorder.record().timeline.step_s = step.as_secs_f64();
    let mut due = started_at;
    loop {
        due += step;
        sleep_until(due).await;
        let (attempts, circuits) = (deployment.attempts(), deployment.circuits());
        let mut record = recorder.record();
        let slice = std::mem::replace(&mut record.slice, Tally::new());
        let requests = attempts
            .iter()
            .zip(&before)
            .map(|(after, before)| after.saturating_sub(*before))
            .collect();
        record
            .timeline
            .samples
            .push(sample(&slice, started_at, requests, circuits));
        before = attempts;
    }
}

fn sample(
    slice: &Tally,
    started_at: Instant,
    requests: Vec<u64>,
    circuits: Vec<CircuitState>,
) -> Sample {
    Sample {
        at_s: millis(Instant::now() - started_at) / 1000.0,
        requests,
        circuits,
        reads: slice.reads,
        failed: slice.failed,
        wrong: slice.wrong,
        p50_ms: slice.quantile(0.5),
        p99_ms: slice.quantile(0.99),
    }
}
