//! The settings of the store under test: the defaults, with all times scaled by one factor, so that
//! a run of 30 s has the same phases as one of 4 min.

use std::time::Duration;

use object_store_failover::config::BreakerConfig;
use serde::Serialize;

use crate::args::SECONDS_WITH_DEFAULTS;
use crate::clients::Limits;
use crate::load::entry::HOME;
use crate::scenario::StoreFeatures;
use crate::units::millis;

/// The library's default limits; those of the circuit are in `BreakerConfig::default()`.
const ATTEMPT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(30);
const STALL: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(2);

/// `silence` as a fraction of `attempt` in a comparison: the interval of HAProxy's health checks.
const SILENCE_PER_ATTEMPT: u32 = 5;

/// Lower bounds of scaled times: below them a busy machine is mistaken for a failing region.
const LEAST_ATTEMPT: Duration = Duration::from_millis(400);
const LEAST_STALL: Duration = Duration::from_secs(1);
const LEAST_OPEN: Duration = Duration::from_secs(1);
const LEAST_RAMP: Duration = Duration::from_millis(300);

/// The settings that the drill scales; all others keep their defaults.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    pub(crate) attempt: Duration,
    pub(crate) total: Duration,
    pub(crate) stall: Duration,
    pub(crate) breaker: BreakerConfig,
}

/// The settings in the report.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Settings {
    pub(crate) scaled: bool,
    pub(crate) attempt_ms: f64,
    pub(crate) total_ms: f64,
    pub(crate) stall_ms: f64,
    pub(crate) failure_threshold: u32,
    pub(crate) open_for_ms: f64,
    pub(crate) open_for_max_ms: f64,
    pub(crate) ramp_ms: f64,
    pub(crate) early_probe_interval_ms: f64,
}

impl Tuning {
    pub(crate) fn defaults() -> Self {
        Self {
            attempt: ATTEMPT,
            total: TOTAL,
            stall: STALL,
            breaker: BreakerConfig::default(),
        }
    }

    /// The defaults scaled by `length` / 240 s, at most by 1.
    pub(crate) fn scaled_to(length: Duration, regions: usize) -> Self {
        let share = (length.as_secs_f64()
            / Duration::from_secs(SECONDS_WITH_DEFAULTS).as_secs_f64())
        .min(1.0);
        let scale = |time: Duration, least: Duration| time.mul_f64(share).max(least);
        let defaults = BreakerConfig::default();
        let attempt = scale(ATTEMPT, LEAST_ATTEMPT);
        let breaker = BreakerConfig {
            open_for: scale(defaults.open_for, LEAST_OPEN),
            open_for_max: scale(defaults.open_for_max, LEAST_OPEN * 2),
            ramp: scale(defaults.ramp, LEAST_RAMP),
            ..defaults
        };
        // As many attempts fit into `total` as with the defaults, and at least one per region: an
        // attempt that the deadline truncates does not count as a failure of its region.
        let attempts = (regions as u32 + 1).max(6);
        Self {
            attempt,
            total: scale(TOTAL, attempt * attempts),
            stall: scale(STALL, LEAST_STALL),
            breaker,
        }
    }

    /// The limits that peers get.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            attempt: self.attempt,
            total: self.total,
            stall: self.stall,
            connect: CONNECT,
        }
    }

    /// The configuration document of a store, without its regions. `home` is the first region.
    pub(crate) fn document(&self, name: &str, features: StoreFeatures, home: &str) -> String {
        let time = |time: Duration| format!("\"{}ms\"", time.as_millis());
        let breaker = &self.breaker;
        let stall = if features.fast_detection {
            self.stall.min(self.attempt)
        } else {
            self.stall
        };
        let mut text = format!(
            "name = \"{name}\"\n[timeouts]\nattempt = {}\n",
            time(self.attempt)
        );
        text += &format!(
            "total = {}\nstall = {}\n[breaker]\n",
            time(self.total),
            time(stall)
        );
        text += &format!(
            "open_for = {}\nopen_for_max = {}\n",
            time(breaker.open_for),
            time(breaker.open_for_max)
        );
        text += &format!("ramp = {}\n", time(breaker.ramp));
        if features.fast_detection {
            text += &format!("silence = {}\n", time(self.attempt / SILENCE_PER_ATTEMPT));
        }
        if features.hedging {
            text += "[hedge]\n";
        }
        if features.home {
            text += &format!(
                "[reads]\nhome_prefixes = [\"{HOME}\"]\n\
                 [writes]\npolicy = \"home\"\nhome = \"{home}\"\n"
            );
        }
        text
    }

    pub(crate) fn settings(&self, scaled: bool) -> Settings {
        Settings {
            scaled,
            attempt_ms: millis(self.attempt),
            total_ms: millis(self.total),
            stall_ms: millis(self.stall),
            failure_threshold: self.breaker.failure_threshold,
            open_for_ms: millis(self.breaker.open_for),
            open_for_max_ms: millis(self.breaker.open_for_max),
            ramp_ms: millis(self.breaker.ramp),
            early_probe_interval_ms: millis(self.breaker.early_probe_interval),
        }
    }
}
