//! Reads of keys that were missing somewhere, by how they ended: read off the metrics that a service would export.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

const MISSING: &str = "object_store_failover_not_found_total{";

/// Installs the recorder; to be called before the first store is asked.
pub(crate) fn record() -> Result<(), String> {
    let handle = PrometheusBuilder::new().install_recorder().map_err(|error| format!("no metrics: {error}"))?;
    RECORDER.get_or_init(|| handle);
    Ok(())
}

/// How many reads of this store ended in which class.
pub(crate) fn by_class(store: &str) -> BTreeMap<String, u64> {
    let text = RECORDER.get().map(PrometheusHandle::render).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with(MISSING) && line.contains(&format!("store=\"{store}\""))) {
        let class = line.split_once("class=\"").and_then(|(_, rest)| rest.split_once('"'));
        let count = line.rsplit_once(' ').and_then(|(_, count)| count.parse::<u64>().ok());
        if let (Some((class, _)), Some(count)) = (class, count) {
            *counts.entry(class.to_owned()).or_insert(0) += count;
        }
    }
    counts
}

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
