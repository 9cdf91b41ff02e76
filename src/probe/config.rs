//! The settings of probes.

use std::time::Duration;

use object_store::path::Path;
use serde::Deserialize;

use crate::settings::ConfigError;

/// The canary: a small object that is read from each region now and then, while probes run
/// ([`FailoverStore::start_probes`](crate::FailoverStore::start_probes)). Without these settings there are none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProbeConfig {
    /// Its key in every region's bucket (default `"health/canary"`). It is overwritten by
    /// [`write_canary`](crate::FailoverStore::write_canary), so nothing else may lie there. The rules by which the buckets are replicated
    /// must cover it: otherwise it is missing in the replicas, or their lag grows for ever. Objects above 1 KiB are not read.
    pub path: String,
    /// How often each region is asked, give or take a tenth (default 5 s, at least 100 ms). Too short: each process costs each region that
    /// many requests. Too long: an idle service notices late, and lag is known less exactly, as it may be more by an interval.
    #[serde(with = "humantime_serde")]
    pub interval: Duration,
}

impl ProbeConfig {
    /// Refuses what could never be read, or would be a load.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        self.key()?;
        ConfigError::check_times("probe", [("interval".to_owned(), self.interval)])?;
        if self.interval < SHORTEST {
            return Err(ConfigError::invalid(
                "probe.interval",
                format!("must be at least {SHORTEST:?}: probes are to notice, not to load"),
            ));
        }
        Ok(())
    }

    /// The canary's key.
    pub(crate) fn key(&self) -> Result<Path, ConfigError> {
        let refuse = |why: String| ConfigError::invalid("probe.path", why);
        if self.path.ends_with('/') {
            return Err(refuse(format!("\"{}\" is a folder; name an object in it", self.path)));
        }
        let key = Path::parse(&self.path).map_err(|error| refuse(format!("is no key: {error}")))?;
        if key.as_ref().is_empty() {
            return Err(refuse("must not be empty: name an object that every region has".to_owned()));
        }
        Ok(key)
    }
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self { path: "health/canary".to_owned(), interval: Duration::from_secs(5) }
    }
}

const SHORTEST: Duration = Duration::from_millis(100);
