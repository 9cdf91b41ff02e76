//! Hedging: a second attempt in another region beside a slow first one.
//!
//! A hedge starts once the first attempt takes longer than the p95 of the *other* region: the
//! quantile of the first region grows with its own trouble. It is paid from a budget that only
//! requests fill, and from the retry budget. There is no hedge where it cannot help: while regions
//! throttle, during last-resort attempts, and when the other region is silent too.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::slow_regions::SlowRegions;
use crate::health::{HedgeCounts, RegionHealth};
use crate::metrics::{HedgeResult, Metrics};
use crate::region::{RegionSet, Regions};
use crate::runtime::clock::Instant;
use crate::settings::{ConfigError, Ratio};

/// Second attempts beside slow ones, for get and head. Off by default (no `hedge`).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HedgeConfig {
    /// When a second attempt starts (default `"p95"`).
    pub after: HedgeAfter,
    /// Maximum number of hedges per request (default 0.05). Too high: slow regions double the load.
    pub max_extra: Ratio,
}

/// When a second attempt starts beside the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum HedgeAfter {
    /// After the time within which 95 of 100 responses of the next region arrive, once enough
    /// responses are known.
    #[default]
    P95,
    /// After this time. Too low: the budget is spent on reads that need no hedge.
    Fixed(Duration),
}

#[derive(Debug)]
pub(crate) struct Hedger {
    config: Option<HedgeConfig>,
    tokens: Mutex<f64>,
    counters: Arc<HedgeCounters>,
    slow: SlowRegions,
}

#[derive(Debug, Default)]
struct HedgeCounters {
    sent: AtomicU64,
    won: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
}

/// A hedge in flight. Counts as lost unless it wins.
#[derive(Debug)]
pub(super) struct Hedge {
    counters: Arc<HedgeCounters>,
    metrics: Arc<Metrics>,
    result: HedgeResult,
}

impl Hedger {
    pub(crate) fn new(config: Option<HedgeConfig>, now: Instant) -> Self {
        Self {
            config,
            tokens: Mutex::new(0.0),
            counters: Arc::default(),
            slow: SlowRegions::new(now),
        }
    }

    /// A call that may be hedged has started.
    pub(super) fn deposit(&self) {
        if let Some(config) = &self.config {
            let mut tokens = self.tokens.lock();
            *tokens = (*tokens + config.max_extra.get()).min(BURST);
        }
    }

    /// After what time an attempt is slow, if `next` is the region that would be asked beside it.
    pub(super) fn delay(&self, next: &RegionHealth) -> Option<Duration> {
        match self.config.as_ref()?.after {
            HedgeAfter::P95 => next.p95().map(|p95| p95.max(MIN_HEDGE_DELAY)),
            HedgeAfter::Fixed(delay) => Some(delay),
        }
    }

    /// Withdraws a hedge from both budgets, if it can help.
    pub(super) fn withdraw(
        &self,
        can_help: bool,
        retry_budget: impl FnOnce() -> bool,
        metrics: &Arc<Metrics>,
    ) -> Option<Hedge> {
        if !can_help || !self.withdraw_token() || !retry_budget() {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            metrics.on_hedge(HedgeResult::Refused);
            return None;
        }
        self.counters.sent.fetch_add(1, Ordering::Relaxed);
        Some(Hedge {
            counters: Arc::clone(&self.counters),
            metrics: Arc::clone(metrics),
            result: HedgeResult::Lost,
        })
    }

    /// Regions that are slow as a whole. Hedging cannot compensate for them: a budget of 5 % does
    /// not cover a third of all reads.
    pub(crate) fn slow(&self, regions: &Regions, now: Instant) -> RegionSet {
        if self.config.is_some() {
            self.slow.get(regions, now)
        } else {
            RegionSet::default()
        }
    }

    pub(crate) fn counts(&self) -> HedgeCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let HedgeCounters {
            sent,
            won,
            lost,
            refused,
        } = &*self.counters;
        HedgeCounts {
            sent: read(sent),
            won: read(won),
            lost: read(lost),
            refused: read(refused),
        }
    }

    fn withdraw_token(&self) -> bool {
        let mut tokens = self.tokens.lock();
        let enough = *tokens >= 1.0;
        *tokens -= f64::from(u8::from(enough));
        enough
    }
}

impl Hedge {
    /// No region admitted it.
    pub(super) fn unsent(mut self) {
        self.counters.sent.fetch_sub(1, Ordering::Relaxed);
        self.result = HedgeResult::Refused;
    }

    /// It responded first.
    pub(super) fn won(mut self) {
        self.result = HedgeResult::Won;
    }

    /// Its region failed.
    pub(super) fn failed(mut self) {
        self.result = HedgeResult::Failed;
    }
}

impl Drop for Hedge {
    fn drop(&mut self) {
        let count = match self.result {
            HedgeResult::Won => &self.counters.won,
            HedgeResult::Refused => &self.counters.refused,
            HedgeResult::Failed | HedgeResult::Lost => &self.counters.lost,
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.metrics.on_hedge(self.result);
    }
}

impl Default for HedgeConfig {
    fn default() -> Self {
        Self {
            after: HedgeAfter::P95,
            max_extra: Ratio::literal(0.05),
        }
    }
}

impl HedgeConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        match self.after {
            HedgeAfter::Fixed(delay) => {
                ConfigError::check_durations("hedge", [("after".to_owned(), delay)])
            }
            HedgeAfter::P95 => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for HedgeAfter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = HedgeAfter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"p95\" or a time like \"250ms\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<HedgeAfter, E> {
                if text == "p95" {
                    return Ok(HedgeAfter::P95);
                }
                let time = humantime_serde::re::humantime::parse_duration(text);
                time.map(HedgeAfter::Fixed)
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Tokens that can be saved up: slow responses come in bursts.
const BURST: f64 = 20.0;
/// Resolution of timers.
const MIN_HEDGE_DELAY: Duration = Duration::from_millis(1);
