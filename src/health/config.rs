//! The settings of a circuit.

use std::time::Duration;

use serde::Deserialize;

use crate::settings::{ConfigError, LONGEST, Ratio, settings};

settings! {
    /// When a region's circuit opens, how long it stays open, and what closes it again.
    ///
    /// Every region has one circuit for reads and one for writes, all with these settings unless the region overrides some.
    pub struct BreakerConfig, overridden by BreakerOverrides {
        /// Whether circuits open at all (default `true`). Without them a dead region costs every request that starts there one
        /// failed attempt, and a hanging one a whole attempt limit.
        pub enabled: bool = true,
        /// Failures in a row that open the circuit (default 5). Too low: a single hiccup takes a region out. Too high: a dead
        /// region slows that many requests before it is left alone.
        pub failure_threshold: u32 = 5,
        /// Share of failed calls within `window` that opens the circuit (default 0.5), for a region that fails often but never
        /// `failure_threshold` times in a row.
        pub failure_rate: Ratio = Ratio::literal(0.5),
        /// How far back `failure_rate` looks (default 10 s). Too long: an old storm opens the circuit of a region that has recovered.
        #[serde(with = "humantime_serde")]
        pub window: Duration = Duration::from_secs(10),
        /// Calls within `window` below which `failure_rate` says nothing (default 20).
        pub minimum_calls: u32 = 20,
        /// How long attempts may wait for nothing (default 1 s): once `failure_threshold` attempts have together waited so many times
        /// this long, for headers or for the next byte, while another region answered, the circuit opens. Callers with short limits
        /// would otherwise go away for ever before an attempt has failed. Too short: a slow region looks dead.
        #[serde(with = "humantime_serde")]
        pub silence: Duration = Duration::from_secs(1),
        /// How long the circuit stays open the first time (default 30 s). Too short: trials hammer a sick region. Too long: a
        /// healthy one stays unused.
        #[serde(with = "humantime_serde")]
        pub open_for: Duration = Duration::from_secs(30),
        /// The open time doubles with each failed trial up to this (default 60 s).
        #[serde(with = "humantime_serde")]
        pub open_for_max: Duration = Duration::from_secs(60),
        /// Share by which each open time is drawn longer or shorter (default 0.1), so that a fleet does not come back in step.
        pub jitter: Ratio = Ratio::literal(0.1),
        /// Trials that a half-open circuit lets through at a time (default 1).
        pub half_open_max_calls: u32 = 1,
        /// Successful trials that close the circuit (default 2).
        pub success_threshold: u32 = 2,
        /// How long trials together may wait for the region before the circuit opens again (default 30 s, never shorter than an
        /// attempt limit). The clock runs only while a trial waits, so a rare reader can close a circuit too, and starts anew
        /// with each byte of a body.
        #[serde(with = "humantime_serde")]
        pub half_open_timeout: Duration = Duration::from_secs(30),
        /// How long a read waits for a trial that it happens to be, before a closed region is asked beside it (default 200 ms). The
        /// trial runs on to its verdict. Too long: that is what the end of an outage costs a read. Too short: more reads are made twice.
        #[serde(with = "humantime_serde")]
        pub trial_patience: Duration = Duration::from_millis(200),
        /// Over this time a region whose circuit has closed climbs back from 10 % of its share to all of it (default 10 s).
        /// Zero sends a full flood into a cold region.
        #[serde(with = "humantime_serde")]
        pub ramp: Duration = Duration::from_secs(10),
        /// What a request does that finds no region admissible (default `probe`).
        pub all_open: AllOpen = AllOpen::Probe,
        /// At most one early probe per region in this time (default 1 s): how soon an outage of everything ends, and how often
        /// a dead region is asked while nothing else is left. As long one waits for somebody else's probe, a trial that was
        /// cancelled keeps its place, and one whose body nobody polls keeps its slot.
        #[serde(with = "humantime_serde")]
        pub early_probe_interval: Duration = Duration::from_secs(1),
    }
}

/// What a request does that has no region left to ask: every circuit is open, or those that are closed have failed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AllOpen {
    /// It asks the open regions early, each at most once per `early_probe_interval`: nobody is turned away while a region might serve.
    Probe,
    /// It fails at once with [`FailoverError::CircuitsOpen`](crate::FailoverError::CircuitsOpen).
    FailFast,
}

impl BreakerConfig {
    /// Refuses what could never work; `at` is the path of these settings in the document.
    pub(crate) fn validate(&self, at: &str) -> Result<(), ConfigError> {
        let refuse = |key: &str, why: &str| Err(ConfigError::invalid(format!("{at}.{key}"), why));
        let counts = [
            ("failure_threshold", self.failure_threshold),
            ("minimum_calls", self.minimum_calls),
            ("half_open_max_calls", self.half_open_max_calls),
            ("success_threshold", self.success_threshold),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return refuse(key, "must be at least 1");
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
        ConfigError::check_times(at, times.map(|(key, time)| (key.to_owned(), time)))?;
        if self.ramp > LONGEST {
            return refuse("ramp", "must not be longer than a year");
        }
        if self.failure_rate.get() == 0.0 {
            return refuse("failure_rate", "must be above 0: every call would open the circuit");
        }
        if self.open_for_max < self.open_for {
            return refuse("open_for_max", "must not be shorter than open_for");
        }
        Ok(())
    }
}
