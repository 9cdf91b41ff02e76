//! A metrics recorder that keeps the value of every series.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use parking_lot::Mutex;

/// Every series with its value, by name and labels.
#[derive(Debug, Clone, Default)]
pub struct Recorded(Arc<Mutex<BTreeMap<Series, Arc<Value>>>>);

type Series = (String, Vec<(String, String)>);

/// A counter's value, the bits of a gauge's `f64`, or the number of samples of a histogram.
#[derive(Debug, Default)]
struct Value(AtomicU64);

impl Recorded {
    /// The value of a counter; none where the series does not exist.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) -> Option<u64> {
        self.value(name, labels)
    }

    /// The value of a gauge.
    pub fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.value(name, labels).map(f64::from_bits)
    }

    /// All non-zero series of this name as `label=value ...: count`, without the label `store`.
    pub fn counts(&self, name: &str) -> Vec<String> {
        let series = self.0.lock();
        let of_name = series
            .iter()
            .filter(|((series, _), _)| *series == full(name));
        let known = of_name
            .map(|((_, labels), value)| (labels, value.0.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0);
        known
            .map(|(labels, count)| format!("{}: {count}", format_labels(labels)))
            .collect()
    }

    /// How many series of this name there are.
    pub fn series(&self, name: &str) -> usize {
        self.0
            .lock()
            .keys()
            .filter(|(series, _)| *series == full(name))
            .count()
    }

    /// All series, for failure messages and searches.
    pub fn everything(&self) -> String {
        format!("{:?}", self.0.lock())
    }

    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<u64> {
        let series = self.0.lock();
        let has = |own: &[(String, String)]| {
            own.len() == labels.len() + 1
                && labels
                    .iter()
                    .all(|(key, value)| own.iter().any(|(k, v)| k == key && v == value))
        };
        series
            .iter()
            .find(|((series, own), _)| *series == full(name) && has(own))
            .map(|(_, value)| value.0.load(Ordering::Relaxed))
    }

    fn register(&self, key: &Key) -> Arc<Value> {
        let mut labels: Vec<_> = key
            .labels()
            .map(|label| (label.key().to_owned(), label.value().to_owned()))
            .collect();
        labels.sort();
        Arc::clone(
            self.0
                .lock()
                .entry((key.name().to_owned(), labels))
                .or_default(),
        )
    }
}

fn full(name: &str) -> String {
    format!("object_store_failover_{name}")
}

fn format_labels(labels: &[(String, String)]) -> String {
    let labels = labels.iter().filter(|(key, _)| key != "store");
    labels
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(" ")
}

impl Recorder for Recorded {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.register(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.register(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.register(key))
    }
}

impl CounterFn for Value {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.fetch_max(value, Ordering::Relaxed);
    }
}

impl GaugeFn for Value {
    fn increment(&self, value: f64) {
        self.change(|now| now + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|now| now - value);
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }
}

impl HistogramFn for Value {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Value {
    fn change(&self, by: impl Fn(f64) -> f64) {
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
                Some(by(f64::from_bits(bits)).to_bits())
            });
    }
}
