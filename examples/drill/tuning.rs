//! The store's settings for a run: the shipped ones, all shortened alike, so that a run of half a minute has the same course as
//! one of four minutes.

use std::time::Duration;

use object_store_failover::BreakerConfig;
use serde::Serialize;

use crate::args::SECONDS_WITH_DEFAULTS;
use crate::clients::Limits;
use crate::clock::millis;
use crate::load::entry::HOME;
use crate::scenario::Wants;

/// Shipped values of the limits; those of the circuit are in `BreakerConfig::default()`.
const ATTEMPT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(30);
const STALL: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(2);

/// As often as HAProxy is told to check a region, silence adds up.
const PER_ATTEMPT: u32 = 5;

/// Not shorter than this, or a busy machine looks like a sick region.
const LEAST_ATTEMPT: Duration = Duration::from_millis(400);
const LEAST_STALL: Duration = Duration::from_secs(1);
const LEAST_OPEN: Duration = Duration::from_secs(1);
const LEAST_RAMP: Duration = Duration::from_millis(300);

/// What the drill chooses; all else is as shipped.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    pub(crate) attempt: Duration,
    pub(crate) total: Duration,
    pub(crate) stall: Duration,
    pub(crate) breaker: BreakerConfig,
}

/// The settings as they are printed and written.
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
    pub(crate) fn shipped() -> Self {
        Self { attempt: ATTEMPT, total: TOTAL, stall: STALL, breaker: BreakerConfig::default() }
    }

    /// The shipped settings as they would be if a run of the shipped length took only `length`. Longer runs get the shipped ones.
    pub(crate) fn scaled_to(length: Duration, regions: usize) -> Self {
        let share = (length.as_secs_f64() / Duration::from_secs(SECONDS_WITH_DEFAULTS).as_secs_f64()).min(1.0);
        let scale = |time: Duration, least: Duration| time.mul_f64(share).max(least);
        let shipped = BreakerConfig::default();
        let attempt = scale(ATTEMPT, LEAST_ATTEMPT);
        let breaker = BreakerConfig {
            open_for: scale(shipped.open_for, LEAST_OPEN),
            open_for_max: scale(shipped.open_for_max, LEAST_OPEN * 2),
            ramp: scale(shipped.ramp, LEAST_RAMP),
            ..shipped
        };
        // As many attempts fit into the whole as in the shipped settings, and at least one for each region: attempts that are cut
        // short are charged to nobody.
        let attempts = (regions as u32 + 1).max(6);
        Self { attempt, total: scale(TOTAL, attempt * attempts), stall: scale(STALL, LEAST_STALL), breaker }
    }

    /// What peers are given.
    pub(crate) fn limits(&self) -> Limits {
        Limits { attempt: self.attempt, total: self.total, stall: self.stall, connect: CONNECT }
    }

    /// A configuration document without its regions, for a store of this name whose first region has this one.
    pub(crate) fn document(&self, name: &str, wants: Wants, home: &str) -> String {
        let time = |time: Duration| format!("\"{}ms\"", time.as_millis());
        let breaker = &self.breaker;
        let stall = if wants.haste { self.stall.min(self.attempt) } else { self.stall };
        let mut text = format!("name = \"{name}\"\n[timeouts]\nattempt = {}\n", time(self.attempt));
        text += &format!("total = {}\nstall = {}\n[breaker]\n", time(self.total), time(stall));
        text += &format!("open_for = {}\nopen_for_max = {}\n", time(breaker.open_for), time(breaker.open_for_max));
        text += &format!("ramp = {}\n", time(breaker.ramp));
        if wants.haste {
            text += &format!("silence = {}\n", time(self.attempt / PER_ATTEMPT));
        }
        if wants.hedging {
            text += "[hedge]\n";
        }
        if wants.home {
            text += &format!("[reads]\nhome_prefixes = [\"{HOME}\"]\n[writes]\npolicy = \"home\"\nhome = \"{home}\"\n");
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
