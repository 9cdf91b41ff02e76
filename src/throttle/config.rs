//! Throttle settings.

use serde::Deserialize;

use crate::settings::ConfigError;

/// Limits on the load that this store puts on one region. Without these settings there is no limit.
///
/// Each region has one rate limit for reads and one for writes, all with these settings. A call
/// skips a region that is at its limit, and waits only if no other region is left for it.
///
/// Each rate limit allows a burst of a tenth of a second's calls, at least one. The first second
/// after an idle period therefore may contain up to a tenth more calls than the setting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThrottleConfig {
    /// Gets, heads and listings per second and region (default 5000: what S3 serves per prefix,
    /// less the burst). Too low: calls use other regions or wait although the region would serve
    /// them. Too high: the region throttles. Processes that read the same bucket share its
    /// capacity: give each its part. For no limit use 1000000, which no process reaches; but
    /// `adaptive` starts from this number, so a much too high one is halved many times before it
    /// has an effect.
    pub reads_per_second: u32,
    /// Puts, parts, copies, renames and deletes per second and region (default 3000). Like
    /// `reads_per_second`.
    pub writes_per_second: u32,
    /// Whether throttling by the region lowers the rate (default `true`). Each throttled response
    /// halves the rate of its class, at most once a second and down to a 64th. Each second without
    /// one adds a 16th of the full rate, or doubles a rate below that. If `false`, only
    /// `Retry-After` counts, and a region that sends none keeps its load, which prolongs its
    /// overload.
    pub adaptive: bool,
    /// Maximum of calls and bodies in flight per region, reads and writes together (default: no
    /// limit). A body counts until its last byte or its drop. Too low: bodies that are read slowly
    /// exclude other calls from the region. Too high: no limit.
    pub max_in_flight: Option<u32>,
}

impl ThrottleConfig {
    /// Rejects limits that admit no call. `at` is the path of these settings in the document.
    pub(crate) fn validate(&self, at: &str) -> Result<(), ConfigError> {
        let limits = [
            ("reads_per_second", Some(self.reads_per_second)),
            ("writes_per_second", Some(self.writes_per_second)),
            ("max_in_flight", self.max_in_flight),
        ];
        match limits.iter().find(|(_, limit)| *limit == Some(0)) {
            Some((key, _)) => Err(ConfigError::invalid(
                format!("{at}.{key}"),
                "must be at least 1: 0 admits no call",
            )),
            None => Ok(()),
        }
    }
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        Self {
            reads_per_second: 5000,
            writes_per_second: 3000,
            adaptive: true,
            max_in_flight: None,
        }
    }
}
