//! Every series of one store, resolved once.
//!
//! A recorder looks a series up by its name and labels, which costs an allocation or more. So all lookups happen here, together, and
//! what is left on the way of a request is an index and an addition. A series that cannot come to pass (attempts of writes in a store
//! that only reads) is a handle that does nothing.

use std::array;
use std::sync::Arc;

use ::metrics::{Counter, Gauge, Histogram, Label};

use super::names;
use super::words::{Answer, CLASSES, HedgeEnd, KINDS, Missing, Outcome, ROUNDS, ResumeEnd, STATES, STEPS};
use crate::operation::Operation;

#[derive(Debug)]
pub(super) struct Handles {
    pub(super) regions: Box<[OfRegion]>,
    pub(super) operations: [OfOperation; Operation::ALL.len()],
    pub(super) available: Gauge,
    pub(super) exhausted: Counter,
    pub(super) hedges: [Counter; HedgeEnd::LABELS.len()],
    pub(super) not_found: [Counter; Missing::LABELS.len()],
}

#[derive(Debug)]
pub(super) struct OfRegion {
    pub(super) failing: Gauge,
    pub(super) auth_failing: Gauge,
    pub(super) misconfigured: Gauge,
    pub(super) circuits: [Gauge; CLASSES.len()],
    pub(super) admitted: Gauge,
    pub(super) overrides: [Gauge; KINDS.len()],
    pub(super) in_flight: Gauge,
    pub(super) last_success: Gauge,
    pub(super) attempts: [[Counter; Outcome::LABELS.len()]; Operation::ALL.len()],
    pub(super) durations: [Histogram; Operation::ALL.len()],
    /// By class, from and to.
    pub(super) transitions: [[[Counter; STATES.len()]; STATES.len()]; CLASSES.len()],
    pub(super) body_bytes: Counter,
    pub(super) lagging: Counter,
    pub(super) throttled: Counter,
    /// From here to each region.
    pub(super) onward: Box<[Onward]>,
    /// Bodies that broke here and went on nowhere.
    pub(super) stranded: [Counter; ResumeEnd::LABELS.len()],
}

/// The way from one region to another.
#[derive(Debug)]
pub(super) struct Onward {
    pub(super) failovers: [Counter; Outcome::LABELS.len()],
    pub(super) resumes: Counter,
}

#[derive(Debug)]
pub(super) struct OfOperation {
    pub(super) requests: [Counter; Answer::LABELS.len()],
    pub(super) duration: Histogram,
    pub(super) retries: [Counter; ROUNDS.len()],
    pub(super) all_failed: Counter,
}

/// Makes handles that bear the store's name.
struct Maker<'a> {
    store: &'a Arc<str>,
}

type Labels<'l> = [(&'static str, &'l str)];

impl Handles {
    pub(super) fn resolve(store: &Arc<str>, regions: &[Arc<str>], writes: bool) -> Self {
        names::describe();
        let make = Maker { store };
        Self {
            regions: (0..regions.len()).map(|index| OfRegion::new(&make, regions, index, writes)).collect(),
            operations: Operation::ALL.map(|operation| OfOperation::new(&make, operation)),
            available: make.gauge(names::REGIONS_AVAILABLE, &[]),
            exhausted: make.counter(names::BUDGET_EXHAUSTED, &[]),
            hedges: HedgeEnd::LABELS.map(|result| make.counter(names::HEDGES, &[("result", result)])),
            not_found: Missing::LABELS.map(|class| make.counter(names::NOT_FOUND, &[("class", class)])),
        }
    }

    /// A series that is there only once there is something to say.
    pub(super) fn replication_lag(store: &Arc<str>, region: &str) -> Gauge {
        Maker { store }.gauge(names::REPLICATION_LAG, &[("bucket_region", region)])
    }
}

impl OfRegion {
    fn new(make: &Maker<'_>, regions: &[Arc<str>], index: usize, writes: bool) -> Self {
        let name: &str = &regions[index];
        let region = ("bucket_region", name);
        let gauge = |metric| make.gauge(metric, &[region]);
        let counter = |metric| make.counter(metric, &[region]);
        let attempts = |operation: Operation, result: usize| match writes || !operation.is_write() {
            true => make.counter(names::ATTEMPTS, &[region, ("operation", operation.as_str()), ("result", Outcome::LABELS[result])]),
            false => Counter::noop(),
        };
        Self {
            failing: gauge(names::REGION_FAILING),
            auth_failing: gauge(names::REGION_AUTH_FAILING),
            misconfigured: gauge(names::REGION_MISCONFIGURED),
            circuits: CLASSES.map(|class| make.gauge(names::CIRCUIT_STATE, &[region, ("class", class)])),
            admitted: gauge(names::REGION_ADMITTED),
            overrides: KINDS.map(|kind| make.gauge(names::OPERATOR_OVERRIDE, &[region, ("kind", kind)])),
            in_flight: make.count(names::IN_FLIGHT, &[region]),
            last_success: gauge(names::LAST_SUCCESS),
            attempts: Operation::ALL.map(|operation| array::from_fn(|result| attempts(operation, result))),
            durations: Operation::ALL
                .map(|operation| make.histogram(names::ATTEMPT_DURATION, &[region, ("operation", operation.as_str())])),
            transitions: array::from_fn(|class| transitions(make, name, class)),
            body_bytes: counter(names::BODY_BYTES),
            lagging: counter(names::LAGGING_READS),
            throttled: counter(names::THROTTLED),
            onward: regions.iter().map(|to| Onward::new(make, name, to)).collect(),
            stranded: array::from_fn(|end| match end {
                0 => Counter::noop(),
                _ => make.counter(names::BODY_RESUMES, &[("from", name), ("to", ""), ("result", ResumeEnd::LABELS[end])]),
            }),
        }
    }
}

impl Onward {
    fn new(make: &Maker<'_>, from: &str, to: &str) -> Self {
        let failovers = |result: usize| match from != to && Outcome::REASONS.contains(&result) {
            true => make.counter(names::FAILOVERS, &[("from", from), ("to", to), ("reason", Outcome::LABELS[result])]),
            false => Counter::noop(),
        };
        let success = ResumeEnd::LABELS[ResumeEnd::Success as usize];
        Self {
            failovers: array::from_fn(failovers),
            resumes: make.counter(names::BODY_RESUMES, &[("from", from), ("to", to), ("result", success)]),
        }
    }
}

impl OfOperation {
    fn new(make: &Maker<'_>, operation: Operation) -> Self {
        let operation = ("operation", operation.as_str());
        Self {
            requests: Answer::LABELS.map(|result| make.counter(names::REQUESTS, &[operation, ("result", result)])),
            duration: make.histogram(names::REQUEST_DURATION, &[operation]),
            retries: ROUNDS.map(|round| make.counter(names::RETRIES, &[operation, ("attempt", round)])),
            all_failed: make.counter(names::ALL_REGIONS_FAILED, &[operation]),
        }
    }
}

fn transitions(make: &Maker<'_>, region: &str, class: usize) -> [[Counter; STATES.len()]; STATES.len()] {
    let step = |from: usize, to: usize| match STEPS.contains(&(from, to)) {
        true => {
            let labels = [("bucket_region", region), ("class", CLASSES[class]), ("from", STATES[from]), ("to", STATES[to])];
            make.counter(names::TRANSITIONS, &labels)
        }
        false => Counter::noop(),
    };
    array::from_fn(|from| array::from_fn(|to| step(from, to)))
}

impl Maker<'_> {
    fn labels(&self, labels: &Labels<'_>) -> Vec<Label> {
        let store = Label::new("store", Arc::clone(self.store));
        let others = labels.iter().map(|(key, value)| Label::new(*key, (*value).to_owned()));
        std::iter::once(store).chain(others).collect()
    }

    /// A counter that stands at 0 from now on: an increase from nothing to 1 is none to those who watch.
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

    /// A gauge that counts: a store that is built anew under its old name adds to what is left of the old one.
    fn count(&self, name: &'static str, labels: &Labels<'_>) -> Gauge {
        let gauge = ::metrics::gauge!(name, self.labels(labels));
        gauge.increment(0.0);
        gauge
    }

    fn histogram(&self, name: &'static str, labels: &Labels<'_>) -> Histogram {
        ::metrics::histogram!(name, self.labels(labels))
    }
}
