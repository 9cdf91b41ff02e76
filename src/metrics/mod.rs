//! Metrics: what happened, as numbers for a recorder of the `metrics` facade. It is told facts and decides nothing.
//!
//! Nothing is looked up on the way of a request: all handles are resolved together, by the first request. Not by the builder: a
//! program may well build its store before it installs its recorder, and a handle that was resolved without one counts for nobody.
//!
//! The words of this room are indexes and closed lists, because it lies below the rooms whose doings it counts. No label is ever a
//! path. Gauges that show what a circuit is are written under that circuit's lock: otherwise the older of two could be written last,
//! and stand.

mod asked;
mod handles;
mod names;
mod totals;
mod words;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::metrics::Gauge;

use crate::operation::Operation;
use crate::time;
pub(crate) use asked::Asked;
use handles::{Handles, OfRegion};
use totals::Totals;
pub(crate) use words::{Answer, HedgeEnd, Missing, Outcome, ResumeEnd};

/// The metrics of one store.
#[derive(Debug)]
pub(crate) struct Metrics {
    store: Arc<str>,
    regions: Box<[Arc<str>]>,
    /// Whether there will ever be an attempt of a write.
    writes: bool,
    handles: OnceLock<Handles>,
    lags: Box<[OnceLock<Gauge>]>,
    totals: Totals,
}

impl Metrics {
    pub(crate) fn new(store: Arc<str>, regions: Vec<Arc<str>>, writes: bool) -> Self {
        let lags = regions.iter().map(|_| OnceLock::new()).collect();
        Self { store, regions: regions.into(), writes, handles: OnceLock::new(), lags, totals: Totals::default() }
    }

    /// Resolves all handles, once; true for the one who did. What stands then has to be shown to it.
    pub(crate) fn resolve(&self) -> bool {
        let mut was_me = false;
        self.handles.get_or_init(|| {
            was_me = true;
            Handles::resolve(&self.store, &self.regions, self.writes)
        });
        was_me
    }

    pub(crate) fn is_resolved(&self) -> bool {
        self.handles.get().is_some()
    }

    pub(crate) fn totals(&self) -> &Totals {
        &self.totals
    }

    // Requests.

    /// A call of the store begins.
    pub(crate) fn asked(&self, operation: Operation) -> Asked<'_> {
        Asked::new(self, operation)
    }

    /// A call that is a part of a larger one: its own beginning is not known.
    pub(crate) fn on_part(&self, operation: Operation, answer: Answer) {
        self.totals.requests.add_one();
        self.on_answer(operation, answer, None);
    }

    fn on_answer(&self, operation: Operation, answer: Answer, took: Option<Duration>) {
        if answer.is_success() {
            self.totals.successes.add_one();
        } else if answer.is_failure() {
            self.totals.errors.add_one();
        }
        let Some(handles) = self.handles.get() else { return };
        let series = &handles.operations[operation.index()];
        series.requests[answer.index()].increment(1);
        took.into_iter().for_each(|took| series.duration.record(took));
        if answer.is_total_failure() {
            series.all_failed.increment(1);
        }
    }

    /// A further round over the regions begins; the first of them is 1.
    pub(crate) fn on_retry(&self, operation: Operation, number: u32) {
        self.totals.retries.add_one();
        if let Some(handles) = self.handles.get() {
            let retries = &handles.operations[operation.index()].retries;
            retries[(number.max(1) as usize - 1).min(retries.len() - 1)].increment(1);
        }
    }

    /// A further round has served its call.
    pub(crate) fn on_retry_served(&self) {
        self.totals.retry_successes.add_one();
    }

    /// A call has moved on.
    pub(crate) fn on_failover(&self, from: usize, to: usize, reason: Outcome) {
        self.of_region(from, |region| region.onward[to].failovers[reason as usize].increment(1));
    }

    /// The retry budget has refused an extra attempt.
    pub(crate) fn on_budget_exhausted(&self) {
        self.of_store(|handles| handles.exhausted.increment(1));
    }

    pub(crate) fn on_hedge(&self, end: HedgeEnd) {
        self.of_store(|handles| handles.hedges[end as usize].increment(1));
    }

    /// A call whose key was missing somewhere has ended.
    pub(crate) fn on_missing(&self, how: Missing) {
        self.of_store(|handles| handles.not_found[how as usize].increment(1));
    }

    // Attempts.

    /// Something is under way in the region, or (`false`) no longer.
    pub(crate) fn on_in_flight(&self, region: usize, more: bool) {
        self.of_region(region, |series| if more { series.in_flight.increment(1.0) } else { series.in_flight.decrement(1.0) });
    }

    /// An attempt has its headers, its first item or its whole answer; or it has failed before.
    pub(crate) fn on_waited(&self, region: usize, operation: Operation, waited: Duration) {
        self.of_region(region, |series| series.durations[operation.index()].record(waited));
    }

    /// An attempt has ended; `tells` where that says how the region is now.
    pub(crate) fn on_attempt_ended(&self, region: usize, operation: Operation, outcome: Outcome, tells: bool) {
        if outcome == Outcome::Timeout {
            self.totals.timeouts.add_one();
        }
        self.of_region(region, |series| {
            series.attempts[operation.index()][outcome as usize].increment(1);
            if outcome == Outcome::Throttled {
                series.throttled.increment(1);
            }
            if tells {
                series.judge(outcome);
            }
        });
    }

    /// Another region had what this one had not.
    pub(crate) fn on_lagging(&self, region: usize) {
        self.of_region(region, |series| series.lagging.increment(1));
    }

    // Bodies.

    pub(crate) fn on_bytes(&self, region: usize, bytes: usize) {
        self.of_region(region, |series| series.body_bytes.increment(bytes as u64));
    }

    /// A body broke, and goes on elsewhere.
    pub(crate) fn on_resumed(&self, from: usize, to: usize) {
        self.of_region(from, |series| series.onward[to].resumes.increment(1));
    }

    /// A body broke, and goes on nowhere.
    pub(crate) fn on_stranded(&self, from: usize, end: ResumeEnd) {
        self.of_region(from, |series| series.stranded[end as usize].increment(1));
    }

    // Circuits and operators; classes, states and kinds by their indexes.

    pub(crate) fn on_transition(&self, region: usize, class: usize, (from, to): (usize, usize), is_early_probing: bool) {
        match to {
            0 => self.totals.closes.add_one(),
            2 if !is_early_probing => self.totals.opens.add_one(),
            _ => {}
        }
        self.of_region(region, |series| series.transitions[class][from][to].increment(1));
    }

    pub(crate) fn show_state(&self, region: usize, class: usize, state: usize) {
        self.of_region(region, |series| series.circuits[class].set(state as f64));
    }

    /// Whether a read may use the region now; `before` is what was shown last.
    pub(crate) fn show_admitted(&self, region: usize, before: bool, now: bool) {
        self.of_region(region, |series| series.admitted.set(f64::from(u8::from(now))));
        self.of_store(|handles| match (before, now) {
            (false, true) => handles.available.increment(1.0),
            (true, false) => handles.available.decrement(1.0),
            _ => {}
        });
    }

    pub(crate) fn show_override(&self, region: usize, kind: usize, in_force: bool) {
        self.of_region(region, |series| series.overrides[kind].set(f64::from(u8::from(in_force))));
    }

    // Probes.

    /// How far the region lags behind. The series is there from the first reading on: none is not "no lag". Where it is no longer known
    /// (`None`) it is no number: a series cannot be taken back, and the last reading would stand for ever.
    pub(crate) fn on_replication_lag(&self, region: usize, lag: Option<Duration>) {
        let series = &self.lags[region];
        match lag {
            Some(lag) => {
                series.get_or_init(|| Handles::replication_lag(&self.store, &self.regions[region])).set(lag.as_secs_f64());
            }
            None => series.get().into_iter().for_each(|series| series.set(f64::NAN)),
        }
    }

    fn of_region(&self, region: usize, count: impl FnOnce(&OfRegion)) {
        self.of_store(|handles| count(&handles.regions[region]));
    }

    /// Before the first request there is nobody to count for.
    fn of_store(&self, count: impl FnOnce(&Handles)) {
        if let Some(handles) = self.handles.get() {
            count(handles);
        }
    }
}

impl OfRegion {
    /// Gauges that tell of the last attempt, and stand until the next. They are written each time: compared with what was written
    /// last, two attempts that end at once could leave the older word standing.
    fn judge(&self, outcome: Outcome) {
        let told = |yes: bool| f64::from(u8::from(yes));
        self.failing.set(told(outcome.is_failing()));
        self.auth_failing.set(told(outcome == Outcome::Unauthorized));
        self.misconfigured.set(told(outcome == Outcome::Misconfigured));
        if !outcome.is_failing() {
            self.last_success.set(time::unix_seconds());
        }
    }
}
