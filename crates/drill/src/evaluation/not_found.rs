//! Reads of keys that a region lacks, by result: counted by the store's own metric.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_global_recorder,
};
use parking_lot::Mutex;

const METRIC: &str = "object_store_failover_not_found_total";

/// The counters by `(store, class)`.
static COUNTERS: Mutex<BTreeMap<(String, String), Arc<AtomicU64>>> = Mutex::new(BTreeMap::new());

/// Installs the recorder. Stores that were used before are not counted.
pub(crate) fn install_recorder() -> Result<(), String> {
    set_global_recorder(NotFoundRecorder).map_err(|error| format!("cannot record metrics: {error}"))
}

/// The reads of a store, by class.
pub(crate) fn by_class(store: &str) -> BTreeMap<String, u64> {
    let counters = COUNTERS.lock();
    let of_store = counters.iter().filter(|((name, _), _)| name == store);
    of_store
        .map(|((_, class), count)| (class.clone(), count.load(Ordering::Relaxed)))
        .collect()
}

/// Counts [`METRIC`] and drops every other metric.
struct NotFoundRecorder;

impl Recorder for NotFoundRecorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if key.name() != METRIC {
            return Counter::noop();
        }
        let label = |name: &str| {
            let found = key.labels().find(|label| label.key() == name);
            found.map_or_else(String::new, |label| label.value().to_owned())
        };
        let id = (label("store"), label("class"));
        Counter::from_arc(Arc::clone(COUNTERS.lock().entry(id).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
