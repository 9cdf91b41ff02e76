//! Settings of probes.

use std::time::Duration;

use object_store::path::Path;
use serde::Deserialize;

use crate::settings::ConfigError;

/// Background probes: periodic reads of a small object, the canary, from each region. They run only
/// after [`FailoverStore::start_probes`](crate::FailoverStore::start_probes). Off by default (no
/// `probe`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProbeConfig {
    /// The key of the canary in every bucket (default `"health/canary"`).
    /// [`write_canary`](crate::FailoverStore::write_canary) overwrites it, so no other object may
    /// have this key. The replication rules of the buckets must cover it: otherwise it is missing
    /// in the replicas, or their lag grows forever. Objects above 1 KiB are not read.
    pub path: String,
    /// Time between two probes of a region, plus or minus a tenth (default 5 s, at least 100 ms).
    /// Too short: each process costs each region that many requests. Too long: an idle service
    /// notices faults late, and the measured lag may be too low by as much.
    #[serde(with = "humantime_serde")]
    pub interval: Duration,
}

impl ProbeConfig {
    /// Rejects keys that cannot be read, and intervals that would be a load.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        self.key()?;
        ConfigError::check_durations("probe", [("interval".to_owned(), self.interval)])?;
        if self.interval < MIN_PROBE_INTERVAL {
            return Err(ConfigError::invalid(
                "probe.interval",
                format!("must be at least {MIN_PROBE_INTERVAL:?}: more probes load the regions"),
            ));
        }
        Ok(())
    }

    /// The canary's key.
    pub(crate) fn key(&self) -> Result<Path, ConfigError> {
        let invalid = |reason: String| ConfigError::invalid("probe.path", reason);
        if self.path.ends_with('/') {
            return Err(invalid(format!(
                "\"{}\" is a folder; name an object in it",
                self.path
            )));
        }
        let key = Path::parse(&self.path)
            .map_err(|error| invalid(format!("is not a valid key: {error}")))?;
        if key.as_ref().is_empty() {
            return Err(invalid(
                "must not be empty: name an object that every region has".to_owned(),
            ));
        }
        Ok(key)
    }
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            path: "health/canary".to_owned(),
            interval: Duration::from_secs(5),
        }
    }
}

const MIN_PROBE_INTERVAL: Duration = Duration::from_millis(100);
