//! Metrics of a store, for a recorder of the `metrics` facade.
//!
//! All handles are resolved together by the first request, so that the request path looks up
//! nothing. The builder does not resolve them: a program may build its store before it installs its
//! recorder, and a handle that was resolved without a recorder counts nothing.
//!
//! No label is a path. Gauges of a circuit are written under the circuit's lock, so that an older
//! value cannot overwrite a newer one.

mod handles;
mod labels;
mod names;
mod request_timer;
mod totals;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::metrics::Gauge;

use crate::runtime::clock;
use crate::types::{CircuitClass, CircuitState, FailureClass, Operation, Override, Transition};
use handles::{Handles, RegionHandles};
pub(crate) use labels::{AttemptResult, HedgeResult, NotFoundClass, RequestResult, ResumeResult};
pub(crate) use request_timer::RequestTimer;
use totals::Totals;

/// The metrics of one store.
#[derive(Debug)]
pub(crate) struct Metrics {
    store: Arc<str>,
    regions: Box<[Arc<str>]>,
    /// Whether the store may write.
    writes: bool,
    handles: OnceLock<Handles>,
    lags: Box<[OnceLock<Gauge>]>,
    totals: Totals,
}

impl Metrics {
    pub(crate) fn new(store: Arc<str>, regions: Vec<Arc<str>>, writes: bool) -> Self {
        let lags = regions.iter().map(|_| OnceLock::new()).collect();
        Self {
            store,
            regions: regions.into(),
            writes,
            handles: OnceLock::new(),
            lags,
            totals: Totals::default(),
        }
    }

    /// Resolves all handles. True for the one caller that did: it must publish the current gauges.
    pub(crate) fn resolve(&self) -> bool {
        let mut is_first = false;
        self.handles.get_or_init(|| {
            is_first = true;
            Handles::resolve(&self.store, &self.regions, self.writes)
        });
        is_first
    }

    pub(crate) fn is_resolved(&self) -> bool {
        self.handles.get().is_some()
    }

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    // Requests.

    /// A call of the store starts.
    pub(crate) fn start_request(&self, operation: Operation) -> RequestTimer<'_> {
        RequestTimer::new(self, operation)
    }

    /// One item of a batch, counted as a call. Its own duration is unknown.
    pub(crate) fn on_batch_item(&self, operation: Operation, result: RequestResult) {
        self.totals.requests.add_one();
        self.on_request_ended(operation, result, None);
    }

    fn on_request_ended(
        &self,
        operation: Operation,
        result: RequestResult,
        duration: Option<Duration>,
    ) {
        if result.is_success() {
            self.totals.successes.add_one();
        } else if result.is_failure() {
            self.totals.errors.add_one();
        }
        let Some(handles) = self.handles.get() else {
            return;
        };
        let series = &handles.operations[operation.index()];
        series.requests[result.index()].increment(1);
        if let Some(duration) = duration {
            series.duration.record(duration);
        }
        if result.is_total_failure() {
            series.all_failed.increment(1);
        }
    }

    /// A retry round starts; the first one is number 1.
    pub(crate) fn on_retry(&self, operation: Operation, number: u32) {
        self.totals.retries.add_one();
        if let Some(handles) = self.handles.get() {
            let retries = &handles.operations[operation.index()].retries;
            retries[(number.max(1) as usize - 1).min(retries.len() - 1)].increment(1);
        }
    }

    /// A call succeeded in a retry round.
    pub(crate) fn on_retry_served(&self) {
        self.totals.retry_successes.add_one();
    }

    /// A call continues in another region.
    pub(crate) fn on_failover(&self, from: usize, to: usize, reason: FailureClass) {
        self.with_region(from, |region| {
            region.failovers_to[to].failovers[reason.index()].increment(1)
        });
    }

    /// The retry budget refused an additional attempt.
    pub(crate) fn on_budget_exhausted(&self) {
        self.with_handles(|handles| handles.exhausted.increment(1));
    }

    pub(crate) fn on_hedge(&self, result: HedgeResult) {
        self.with_handles(|handles| handles.hedges[result as usize].increment(1));
    }

    /// A call ended whose key was missing in some region.
    pub(crate) fn on_not_found(&self, class: NotFoundClass) {
        self.with_handles(|handles| handles.not_found[class as usize].increment(1));
    }

    // Attempts.

    /// An attempt is in flight, or (`false`) no longer.
    pub(crate) fn on_in_flight(&self, region: usize, is_in_flight: bool) {
        self.with_region(region, |series| {
            if is_in_flight {
                series.in_flight.increment(1.0)
            } else {
                series.in_flight.decrement(1.0)
            }
        });
    }

    /// The headers, the first item or the whole response of an attempt arrived, or it failed
    /// before.
    pub(crate) fn on_latency(&self, region: usize, operation: Operation, latency: Duration) {
        self.with_region(region, |series| {
            series.durations[operation.index()].record(latency)
        });
    }

    /// An attempt ended. `is_current` is true if its result describes the current state of the
    /// region.
    pub(crate) fn on_attempt_ended(
        &self,
        region: usize,
        operation: Operation,
        result: AttemptResult,
        is_current: bool,
    ) {
        if result == AttemptResult::Failed(FailureClass::Timeout) {
            self.totals.timeouts.add_one();
        }
        self.with_region(region, |series| {
            series.attempts[operation.index()][result.index()].increment(1);
            if result == AttemptResult::Failed(FailureClass::Throttled) {
                series.throttled.increment(1);
            }
            if is_current {
                series.update_region_gauges(result);
            }
        });
    }

    /// Another region had an object that this one did not have.
    pub(crate) fn on_lagging(&self, region: usize) {
        self.with_region(region, |series| series.lagging.increment(1));
    }

    // Bodies.

    pub(crate) fn on_bytes(&self, region: usize, bytes: usize) {
        self.with_region(region, |series| series.body_bytes.increment(bytes as u64));
    }

    /// An interrupted body resumes in another region.
    pub(crate) fn on_resumed(&self, from: usize, to: usize) {
        self.with_region(from, |series| series.failovers_to[to].resumes.increment(1));
    }

    /// An interrupted body was not resumed.
    pub(crate) fn on_resume_failed(&self, from: usize, result: ResumeResult) {
        self.with_region(from, |series| {
            series.resume_failures[result as usize].increment(1)
        });
    }

    // Circuits and overrides.

    pub(crate) fn on_transition(&self, region: usize, class: CircuitClass, change: Transition) {
        match change.to {
            CircuitState::Closed => self.totals.closes.add_one(),
            CircuitState::Open if !change.is_last_resort() => self.totals.opens.add_one(),
            CircuitState::Open | CircuitState::HalfOpen => {}
        }
        self.with_region(region, |series| {
            series.transitions[class.index()][change.from.index()][change.to.index()].increment(1);
        });
    }

    pub(crate) fn set_state(&self, region: usize, class: CircuitClass, state: CircuitState) {
        self.with_region(region, |series| {
            series.circuits[class.index()].set(state.index() as f64)
        });
    }

    /// Whether the region admits reads; `published` is the previous value.
    pub(crate) fn set_admitted(&self, region: usize, published: bool, admits: bool) {
        self.with_region(region, |series| series.admitted.set(flag(admits)));
        self.with_handles(|handles| match (published, admits) {
            (false, true) => handles.available.increment(1.0),
            (true, false) => handles.available.decrement(1.0),
            _ => {}
        });
    }

    pub(crate) fn set_override(&self, region: usize, kind: Override, is_active: bool) {
        self.with_region(region, |series| {
            series.overrides[kind.index()].set(flag(is_active))
        });
    }

    // Probes.

    /// Sets the replication lag. The series exists from the first measurement on. `None` sets NaN:
    /// a series cannot be removed, and its last value would remain.
    pub(crate) fn on_replication_lag(&self, region: usize, lag: Option<Duration>) {
        let series = &self.lags[region];
        match lag {
            Some(lag) => {
                series
                    .get_or_init(|| Handles::replication_lag(&self.store, &self.regions[region]))
                    .set(lag.as_secs_f64());
            }
            None => {
                if let Some(series) = series.get() {
                    series.set(f64::NAN);
                }
            }
        }
    }

    fn with_region(&self, region: usize, record: impl FnOnce(&RegionHandles)) {
        self.with_handles(|handles| record(&handles.regions[region]));
    }

    /// Does nothing before the first request resolves the handles.
    fn with_handles(&self, record: impl FnOnce(&Handles)) {
        if let Some(handles) = self.handles.get() {
            record(handles);
        }
    }
}

impl RegionHandles {
    /// Gauges of the last attempt. They are written each time, because a comparison with the last
    /// written value would race between two attempts.
    fn update_region_gauges(&self, result: AttemptResult) {
        let has_class = |class| flag(result == AttemptResult::Failed(class));
        self.failing.set(flag(result.is_failing()));
        self.auth_failing.set(has_class(FailureClass::Unauthorized));
        self.misconfigured
            .set(has_class(FailureClass::Misconfigured));
        if !result.is_failing() {
            self.last_success.set(clock::unix_seconds());
        }
    }
}

/// The value of a gauge that is 0 or 1.
fn flag(is_set: bool) -> f64 {
    f64::from(u8::from(is_set))
}
