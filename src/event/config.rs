//! Settings of events and log lines.

use serde::Deserialize;

use crate::settings::ConfigError;

/// Levels of log lines, and the threshold of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventsConfig {
    /// Whether `failing over` and `retrying` are logged at INFO (default `false`: at DEBUG). During
    /// an outage this is one line per affected request.
    pub log_retries: bool,
    /// Whether `circuit opened` is logged at WARN, and `circuit half-open`, `trial succeeded` and
    /// `circuit closed` at INFO (default `true`). `false`: all at DEBUG, for operators who use
    /// events or metrics instead.
    pub log_transitions: bool,
    /// Consecutive failed attempts in one region after which
    /// [`Event::RegionAlert`](crate::health::Event::RegionAlert) is sent and `region failing` is
    /// logged, once until an attempt succeeds there (default 10). Trials, last-resort attempts and
    /// rejections count as well. Too low: a short fault alerts. Too high: the alert is late,
    /// because a region whose circuit is open receives few attempts.
    pub alert_after: u32,
}

impl EventsConfig {
    /// Rejects settings without effect; `at` is their path in the document.
    pub(crate) fn validate(&self, at: &str) -> Result<(), ConfigError> {
        match self.alert_after {
            0 => Err(ConfigError::invalid(
                format!("{at}.alert_after"),
                "must be at least 1: 0 would never send an alert",
            )),
            _ => Ok(()),
        }
    }
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self {
            log_retries: false,
            log_transitions: true,
            alert_after: 10,
        }
    }
}
