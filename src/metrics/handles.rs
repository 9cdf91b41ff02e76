//! Handles of all series of one store, resolved once.
//!
//! A recorder looks up a series by name and labels, which allocates. All lookups happen here, so
//! that the request path only indexes and adds. A series that cannot occur, such as write attempts
//! of a read-only store, is a no-op handle.

use std::array;
use std::sync::Arc;

use ::metrics::{Counter, Gauge, Histogram, Label};

use super::labels::{
    AttemptResult, HedgeResult, NotFoundClass, RETRIES, RequestResult, ResumeResult, TRANSITIONS,
};
use super::names;
use crate::types::{CircuitClass, CircuitState, FailureClass, Operation, Override};

#[derive(Debug)]
pub(super) struct Handles {
    pub(super) regions: Box<[RegionHandles]>,
    pub(super) operations: [OperationHandles; Operation::ALL.len()],
    pub(super) available: Gauge,
    pub(super) exhausted: Counter,
    pub(super) hedges: [Counter; HedgeResult::LABELS.len()],
    pub(super) not_found: [Counter; NotFoundClass::LABELS.len()],
}

/// Indexed by old state and new state.
type TransitionCounters = [[Counter; CircuitState::ALL.len()]; CircuitState::ALL.len()];

#[derive(Debug)]
pub(super) struct RegionHandles {
    pub(super) failing: Gauge,
    pub(super) auth_failing: Gauge,
    pub(super) misconfigured: Gauge,
    pub(super) circuits: [Gauge; CircuitClass::ALL.len()],
    pub(super) admitted: Gauge,
    pub(super) overrides: [Gauge; Override::ALL.len()],
    pub(super) in_flight: Gauge,
    pub(super) last_success: Gauge,
    pub(super) attempts: [[Counter; AttemptResult::COUNT]; Operation::ALL.len()],
    pub(super) durations: [Histogram; Operation::ALL.len()],
    pub(super) transitions: [TransitionCounters; CircuitClass::ALL.len()],
    pub(super) body_bytes: Counter,
    pub(super) lagging: Counter,
    pub(super) throttled: Counter,
    /// From this region to each other one.
    pub(super) failovers_to: Box<[FailoverHandles]>,
    /// Interrupted bodies that were not resumed.
    pub(super) resume_failures: [Counter; ResumeResult::LABELS.len()],
}

/// Series of one pair of regions.
#[derive(Debug)]
pub(super) struct FailoverHandles {
    pub(super) failovers: [Counter; FailureClass::ALL.len()],
    pub(super) resumes: Counter,
}

#[derive(Debug)]
pub(super) struct OperationHandles {
    pub(super) requests: [Counter; RequestResult::LABELS.len()],
    pub(super) duration: Histogram,
    pub(super) retries: [Counter; RETRIES.len()],
    pub(super) all_failed: Counter,
}

/// Creates handles with the label `store`.
struct HandleBuilder<'a> {
    store: &'a Arc<str>,
}

type Labels<'l> = [(&'static str, &'l str)];

impl Handles {
    pub(super) fn resolve(store: &Arc<str>, regions: &[Arc<str>], writes: bool) -> Self {
        names::describe();
        let builder = HandleBuilder { store };
        Self {
            regions: (0..regions.len())
                .map(|index| RegionHandles::new(&builder, regions, index, writes))
                .collect(),
            operations: Operation::ALL.map(|operation| OperationHandles::new(&builder, operation)),
            available: builder.gauge(names::REGIONS_AVAILABLE, &[]),
            exhausted: builder.counter(names::BUDGET_EXHAUSTED, &[]),
            hedges: HedgeResult::LABELS
                .map(|result| builder.counter(names::HEDGES, &[("result", result)])),
            not_found: NotFoundClass::LABELS
                .map(|class| builder.counter(names::NOT_FOUND, &[("class", class)])),
        }
    }

    /// A series that exists from its first value on.
    pub(super) fn replication_lag(store: &Arc<str>, region: &str) -> Gauge {
        HandleBuilder { store }.gauge(names::REPLICATION_LAG, &[("bucket_region", region)])
    }
}

impl RegionHandles {
    fn new(builder: &HandleBuilder<'_>, regions: &[Arc<str>], index: usize, writes: bool) -> Self {
        let name: &str = &regions[index];
        let region = ("bucket_region", name);
        let gauge = |metric| builder.gauge(metric, &[region]);
        let counter = |metric| builder.counter(metric, &[region]);
        let attempts =
            |operation: Operation, result: AttemptResult| match writes || !operation.is_write() {
                true => builder.counter(
                    names::ATTEMPTS,
                    &[
                        region,
                        ("operation", operation.as_str()),
                        ("result", result.label()),
                    ],
                ),
                false => Counter::noop(),
            };
        Self {
            failing: gauge(names::REGION_FAILING),
            auth_failing: gauge(names::REGION_AUTH_FAILING),
            misconfigured: gauge(names::REGION_MISCONFIGURED),
            circuits: CircuitClass::ALL.map(|class| {
                builder.gauge(names::CIRCUIT_STATE, &[region, ("class", class.label())])
            }),
            admitted: gauge(names::REGION_ADMITTED),
            overrides: Override::ALL.map(|kind| {
                builder.gauge(names::OPERATOR_OVERRIDE, &[region, ("kind", kind.label())])
            }),
            in_flight: builder.up_down_gauge(names::IN_FLIGHT, &[region]),
            last_success: gauge(names::LAST_SUCCESS),
            attempts: Operation::ALL.map(|operation| {
                let mut results = AttemptResult::all();
                array::from_fn(|_| {
                    results
                        .next()
                        .map_or_else(Counter::noop, |result| attempts(operation, result))
                })
            }),
            durations: Operation::ALL.map(|operation| {
                builder.histogram(
                    names::ATTEMPT_DURATION,
                    &[region, ("operation", operation.as_str())],
                )
            }),
            transitions: CircuitClass::ALL.map(|class| transitions(builder, name, class)),
            body_bytes: counter(names::BODY_BYTES),
            lagging: counter(names::LAGGING_READS),
            throttled: counter(names::THROTTLED),
            failovers_to: regions
                .iter()
                .map(|to| FailoverHandles::new(builder, name, to))
                .collect(),
            resume_failures: array::from_fn(|end| match end {
                0 => Counter::noop(),
                _ => builder.counter(
                    names::BODY_RESUMES,
                    &[
                        ("from", name),
                        ("to", ""),
                        ("result", ResumeResult::LABELS[end]),
                    ],
                ),
            }),
        }
    }
}

impl FailoverHandles {
    fn new(builder: &HandleBuilder<'_>, from: &str, to: &str) -> Self {
        let failovers = |class: FailureClass| match from != to && class.causes_failover() {
            true => builder.counter(
                names::FAILOVERS,
                &[("from", from), ("to", to), ("reason", class.as_str())],
            ),
            false => Counter::noop(),
        };
        let success = ResumeResult::LABELS[ResumeResult::Success as usize];
        Self {
            failovers: FailureClass::ALL.map(failovers),
            resumes: builder.counter(
                names::BODY_RESUMES,
                &[("from", from), ("to", to), ("result", success)],
            ),
        }
    }
}

impl OperationHandles {
    fn new(builder: &HandleBuilder<'_>, operation: Operation) -> Self {
        let operation = ("operation", operation.as_str());
        Self {
            requests: RequestResult::LABELS
                .map(|result| builder.counter(names::REQUESTS, &[operation, ("result", result)])),
            duration: builder.histogram(names::REQUEST_DURATION, &[operation]),
            retries: RETRIES
                .map(|round| builder.counter(names::RETRIES, &[operation, ("attempt", round)])),
            all_failed: builder.counter(names::ALL_REGIONS_FAILED, &[operation]),
        }
    }
}

fn transitions(
    builder: &HandleBuilder<'_>,
    region: &str,
    class: CircuitClass,
) -> TransitionCounters {
    let counter = |from: CircuitState, to: CircuitState| match TRANSITIONS.contains(&(from, to)) {
        true => {
            let labels = [
                ("bucket_region", region),
                ("class", class.label()),
                ("from", from.label()),
                ("to", to.label()),
            ];
            builder.counter(names::TRANSITIONS, &labels)
        }
        false => Counter::noop(),
    };
    CircuitState::ALL.map(|from| CircuitState::ALL.map(|to| counter(from, to)))
}

impl HandleBuilder<'_> {
    fn labels(&self, labels: &Labels<'_>) -> Vec<Label> {
        let store = Label::new("store", Arc::clone(self.store));
        let others = labels
            .iter()
            .map(|(key, value)| Label::new(*key, (*value).to_owned()));
        std::iter::once(store).chain(others).collect()
    }

    /// A counter that starts at 0: `increase()` ignores the first value of a series.
    fn counter(&self, name: &'static str, labels: &Labels<'_>) -> Counter {
        let counter = ::metrics::counter!(name, self.labels(labels));
        counter.increment(0);
        counter
    }

    fn gauge(&self, name: &'static str, labels: &Labels<'_>) -> Gauge {
        let gauge = ::metrics::gauge!(name, self.labels(labels));
        gauge.set(0.0);
        gauge
    }

    /// A gauge that is incremented and decremented. It is not reset: an earlier store of the same
    /// name may still have requests in flight.
    fn up_down_gauge(&self, name: &'static str, labels: &Labels<'_>) -> Gauge {
        let gauge = ::metrics::gauge!(name, self.labels(labels));
        gauge.increment(0.0);
        gauge
    }

    fn histogram(&self, name: &'static str, labels: &Labels<'_>) -> Histogram {
        ::metrics::histogram!(name, self.labels(labels))
    }
}
