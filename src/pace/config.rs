//! The settings of a pace.

use serde::Deserialize;

use crate::settings::ConfigError;

/// How much of one region this store asks for at most. Without these settings there is no limit.
///
/// Each region has a pace for reads and one for writes, all with these settings. A region that is at its limit is passed by; a call
/// waits only where no other region is left for it.
///
/// Of each pace a tenth of a second's worth, at least one call, may go at once, so that the first second after a quiet time holds up
/// to a tenth more than the setting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThrottleConfig {
    /// Gets, heads and listings per second and region (default 5000; what S3 serves of each prefix, less the tenth that may go at
    /// once). Too low: calls go elsewhere, or wait, though the region would serve them. Too high: it answers with throttling. Many
    /// processes that read one bucket share what it serves: give each its part. For no limit say 1000000, which no process reaches;
    /// but `adaptive` begins at this number, so that much too high a number is halved many times before it is felt.
    pub reads_per_second: u32,
    /// Puts, parts, copies, renames and deletes per second and region (default 3000). As `reads_per_second`.
    pub writes_per_second: u32,
    /// Whether a region that throttles gets less (default `true`): each throttled answer halves the pace it came in on, at most once a
    /// second and down to a 64th. Each second without one gives back a 16th of the full pace, or doubles it while it is below that.
    /// Without it only `Retry-After` counts, and a region that sends none is asked as before, which prolongs what ails it.
    pub adaptive: bool,
    /// Calls and bodies under way in one region at a time, reads and writes together (default none: no limit). A body counts until
    /// its last byte or its drop. Too low: bodies that are read slowly keep others out of the region. Too high: no limit.
    pub max_in_flight: Option<u32>,
}

impl ThrottleConfig {
    /// Refuses what would let nobody in; `at` is the path of these settings in the document.
    pub(crate) fn validate(&self, at: &str) -> Result<(), ConfigError> {
        let limits = [
            ("reads_per_second", Some(self.reads_per_second)),
            ("writes_per_second", Some(self.writes_per_second)),
            ("max_in_flight", self.max_in_flight),
        ];
        match limits.iter().find(|(_, limit)| *limit == Some(0)) {
            Some((key, _)) => Err(ConfigError::invalid(format!("{at}.{key}"), "must be at least 1: nobody would ever be let in")),
            None => Ok(()),
        }
    }
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        Self { reads_per_second: 5000, writes_per_second: 3000, adaptive: true, max_in_flight: None }
    }
}
