//! The settings of events and of the log.

use serde::Deserialize;

use crate::settings::ConfigError;

/// What is told in the log, and when an alert is sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventsConfig {
    /// Whether each hop to another region and each further round is a line at INFO (default `false`: at DEBUG). In an outage that is
    /// a line for every request that meets it.
    pub log_retries: bool,
    /// Whether circuits that open (WARN), are tried and close (INFO) have lines at these levels (default `true`). `false` puts them at
    /// DEBUG: for those who watch events or metrics instead.
    pub log_transitions: bool,
    /// Failed attempts in a row in one region after which [`Event::RegionAlert`](super::Event::RegionAlert) is sent, once until an
    /// attempt succeeds there (default 10). Attempts count whatever the circuits are: trials, early probes, and refusals that charge
    /// nobody. Too low: a hiccup alerts. Too high: a region whose circuit is open is tried seldom, so that the alert comes late.
    pub alert_after: u32,
}

impl EventsConfig {
    /// Refuses what could never work; `at` is the path of these settings in the document.
    pub(crate) fn validate(&self, at: &str) -> Result<(), ConfigError> {
        match self.alert_after {
            0 => Err(ConfigError::invalid(format!("{at}.alert_after"), "must be at least 1: no failure would ever be the one")),
            _ => Ok(()),
        }
    }
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self { log_retries: false, log_transitions: true, alert_after: 10 }
    }
}
