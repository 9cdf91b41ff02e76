//! Circuit breaker settings.

use std::time::Duration;

use serde::Deserialize;

use crate::settings::{ConfigError, DURATION_MAX, Ratio, settings};

settings! {
    /// When a region's circuit opens, how long it stays open, and what closes it again.
    ///
    /// Each region has one circuit for reads and one for writes. Both use these settings, unless
    /// the region overrides some.
    pub struct BreakerConfig, overridden by BreakerOverrides {
        /// Whether circuits open at all (default `true`). If `false`, every request that starts at
        /// a failing region costs a failed attempt, and at a hanging one a whole attempt timeout.
        pub enabled: bool = true,
        /// Consecutive failures that open the circuit (default 5). Too low: a transient error
        /// excludes a region. Too high: an unreachable region delays that many requests first.
        pub failure_threshold: u32 = 5,
        /// Share of failed calls within `window` that opens the circuit (default 0.5), for a region
        /// that fails often but never `failure_threshold` times in a row.
        pub failure_rate: Ratio = Ratio::literal(0.5),
        /// Window of `failure_rate` (default 10 s). Too long: past failures open the circuit of a
        /// region that has recovered.
        #[serde(with = "humantime_serde")]
        pub window: Duration = Duration::from_secs(10),
        /// Minimum calls within `window` for `failure_rate` to apply (default 20). Too low: a few
        /// failures at low load open the circuit.
        pub minimum_calls: u32 = 20,
        /// How long attempts may wait without a response (default 1 s). The circuit opens once
        /// `failure_threshold` attempts have together waited that many times this long, for headers
        /// or for the next byte, while another region responded. Without it, callers with short
        /// timeouts would cancel before any attempt fails. Too short: a slow region counts as
        /// unreachable. Too long: a hanging region delays more reads.
        #[serde(with = "humantime_serde")]
        pub silence: Duration = Duration::from_secs(1),
        /// How long the circuit stays open the first time (default 30 s). Too short: trials load a
        /// failing region. Too long: a healthy region stays unused.
        #[serde(with = "humantime_serde")]
        pub open_for: Duration = Duration::from_secs(30),
        /// Maximum of the open time, which doubles with each failed trial (default 60 s).
        #[serde(with = "humantime_serde")]
        pub open_for_max: Duration = Duration::from_secs(60),
        /// Random share by which each open time is longer or shorter (default 0.1), so that many
        /// processes do not start their trials at the same time.
        pub jitter: Ratio = Ratio::literal(0.1),
        /// Concurrent trials of a half-open circuit (default 1). Too high: a failing region delays
        /// that many requests at a time.
        pub half_open_max_calls: u32 = 1,
        /// Successful trials that close the circuit (default 2).
        pub success_threshold: u32 = 2,
        /// How long trials together may wait for the region before the circuit opens again (default
        /// 30 s, at least the longest attempt timeout). It runs only while a trial waits, so that
        /// infrequent reads can close a circuit too, and restarts with each byte of a body.
        #[serde(with = "humantime_serde")]
        pub half_open_timeout: Duration = Duration::from_secs(30),
        /// How long a read that is a trial waits before a second attempt starts in another region
        /// (default 200 ms). The trial continues until its verdict. Too long: the end of an outage
        /// delays reads by this much. Too short: more reads are sent twice.
        #[serde(with = "humantime_serde")]
        pub trial_patience: Duration = Duration::from_millis(200),
        /// Time in which the share of a recovered region rises from 10 % to 100 % (default 10 s).
        /// Zero: the full load hits a region with cold caches at once.
        #[serde(with = "humantime_serde")]
        pub ramp: Duration = Duration::from_secs(10),
        /// What a request does when no region admits it (default `probe`).
        pub all_open: AllOpen = AllOpen::Probe,
        /// Minimum interval of last-resort attempts per region (default 1 s): how soon a total
        /// outage ends, and how often an unreachable region is tried while no other is left. It is
        /// also how long a request waits for the trial of another, how long a slot stays taken
        /// after a cancelled trial, and after which a body that is not polled frees its slot.
        #[serde(with = "humantime_serde")]
        pub early_probe_interval: Duration = Duration::from_secs(1),
    }
}

/// What a request does when no region is left: all circuits are open, or the closed ones have
/// failed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AllOpen {
    /// It tries the open regions before their open times have elapsed, each at most once per
    /// `early_probe_interval`. No request fails while a region might serve it.
    Probe,
    /// It fails at once with [`FailoverError::CircuitsOpen`](crate::FailoverError::CircuitsOpen).
    FailFast,
}

impl BreakerConfig {
    /// Rejects values that cannot work. `at` is the path of these settings in the document.
    pub(crate) fn validate(&self, at: &str) -> Result<(), ConfigError> {
        let reject = |key: &str, why: &str| Err(ConfigError::invalid(format!("{at}.{key}"), why));
        let counts = [
            ("failure_threshold", self.failure_threshold),
            ("minimum_calls", self.minimum_calls),
            ("half_open_max_calls", self.half_open_max_calls),
            ("success_threshold", self.success_threshold),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return reject(key, "must be at least 1");
        }
        let times = [
            ("window", self.window),
            ("silence", self.silence),
            ("trial_patience", self.trial_patience),
            ("open_for", self.open_for),
            ("half_open_timeout", self.half_open_timeout),
            ("open_for_max", self.open_for_max),
            ("early_probe_interval", self.early_probe_interval),
        ];
        ConfigError::check_durations(at, times.map(|(key, time)| (key.to_owned(), time)))?;
        if self.ramp > DURATION_MAX {
            return reject("ramp", "must not be longer than a year");
        }
        if self.failure_rate.get() == 0.0 {
            return reject(
                "failure_rate",
                "must be above 0: every call would open the circuit",
            );
        }
        if self.open_for_max < self.open_for {
            return reject("open_for_max", "must not be shorter than open_for");
        }
        Ok(())
    }
}
