//! Hedges: when a second attempt starts beside a first that is slow.
//!
//! A hedge goes to another region, once the first attempt has taken longer than 95 of 100 answers of that other region: its own
//! quantile would grow with its trouble. It costs a part of the load, so it is paid from a budget of its own that only requests
//! fill, and from the retry budget. It stops where it cannot help: when regions throttle, when open ones are asked early, and when
//! the other region is silent too.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

use super::Core;
use super::slow::Slow;
use crate::health::Health;
use crate::metrics::{HedgeEnd, Metrics};
use crate::region::{RegionSet, Regions};
use crate::settings::{ConfigError, Ratio};
use crate::time::Instant;

/// Second attempts beside slow ones, for gets and heads. Without it there are none (default).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HedgeConfig {
    /// When a second attempt starts (default `"p95"`).
    pub after: HedgeAfter,
    /// Hedges per request, at most (default 0.05). Too high: a slow day doubles the load.
    pub max_extra: Ratio,
}

/// When a second attempt starts beside the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum HedgeAfter {
    /// After the time within which 95 of 100 answers come from the region that would be asked next, once enough is known of it.
    #[default]
    P95,
    /// After this time. Shorter than a usual answer, it spends the budget on reads that need no hedge.
    Fixed(Duration),
}

/// Hedges since the store was built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HedgeCounts {
    /// Second attempts that were sent.
    pub sent: u64,
    /// Those of them that answered first.
    pub won: u64,
    /// Those that did not.
    pub lost: u64,
    /// Hedges that were due and not sent: the budget was spent, or all was slow at once.
    pub refused: u64,
}

#[derive(Debug)]
pub(crate) struct Hedging {
    config: Option<HedgeConfig>,
    tokens: Mutex<f64>,
    tally: Arc<Tally>,
    slow: Slow,
}

#[derive(Debug, Default)]
struct Tally {
    sent: AtomicU64,
    won: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
}

/// A hedge in the air: lost, unless it wins.
#[derive(Debug)]
pub(super) struct Hedge {
    tally: Arc<Tally>,
    metrics: Arc<Metrics>,
    end: HedgeEnd,
}

impl Hedging {
    pub(crate) fn new(config: Option<HedgeConfig>, now: Instant) -> Self {
        Self { config, tokens: Mutex::new(0.0), tally: Arc::default(), slow: Slow::new(now) }
    }

    /// A call has begun that may be hedged.
    pub(super) fn on_request(&self) {
        if let Some(config) = &self.config {
            let mut tokens = self.tokens.lock();
            *tokens = (*tokens + config.max_extra.get()).min(BURST);
        }
    }

    /// When an attempt is slow, if `next` is the region that would be asked beside it.
    pub(super) fn delay(&self, next: &Health) -> Option<Duration> {
        match self.config.as_ref()?.after {
            HedgeAfter::P95 => next.p95().map(|p95| p95.max(SHORTEST)),
            HedgeAfter::Fixed(delay) => Some(delay),
        }
    }

    /// A hedge is due: pays for it, where it helps.
    pub(super) fn pay(&self, helps: bool, core: &Core, now: Instant) -> Option<Hedge> {
        if !helps || !self.withdraw() || !core.pay(now) {
            self.tally.refused.fetch_add(1, Ordering::Relaxed);
            core.metrics.on_hedge(HedgeEnd::Refused);
            return None;
        }
        self.tally.sent.fetch_add(1, Ordering::Relaxed);
        Some(Hedge { tally: Arc::clone(&self.tally), metrics: Arc::clone(&core.metrics), end: HedgeEnd::Lost })
    }

    /// Regions that are slow as a whole: a third of all reads cannot be saved by 5 % of hedges.
    pub(crate) fn slow(&self, regions: &Regions, now: Instant) -> RegionSet {
        if self.config.is_some() { self.slow.get(regions, now) } else { RegionSet::default() }
    }

    pub(crate) fn counts(&self) -> HedgeCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Tally { sent, won, lost, refused } = &*self.tally;
        HedgeCounts { sent: read(sent), won: read(won), lost: read(lost), refused: read(refused) }
    }

    fn withdraw(&self) -> bool {
        let mut tokens = self.tokens.lock();
        let enough = *tokens >= 1.0;
        *tokens -= f64::from(u8::from(enough));
        enough
    }
}

impl Hedge {
    /// There was nobody to send it to.
    pub(super) fn unsent(mut self) {
        self.tally.sent.fetch_sub(1, Ordering::Relaxed);
        self.end = HedgeEnd::Refused;
    }

    /// It has answered first.
    pub(super) fn won(mut self) {
        self.end = HedgeEnd::Won;
    }

    /// Its region has failed it.
    pub(super) fn failed(mut self) {
        self.end = HedgeEnd::Failed;
    }
}

impl Drop for Hedge {
    fn drop(&mut self) {
        let count = match self.end {
            HedgeEnd::Won => &self.tally.won,
            HedgeEnd::Refused => &self.tally.refused,
            HedgeEnd::Failed | HedgeEnd::Lost => &self.tally.lost,
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.metrics.on_hedge(self.end);
    }
}

impl Default for HedgeConfig {
    fn default() -> Self {
        Self { after: HedgeAfter::P95, max_extra: Ratio::literal(0.05) }
    }
}

impl HedgeConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        match self.after {
            HedgeAfter::Fixed(delay) => ConfigError::check_times("hedge", [("after".to_owned(), delay)]),
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
                time.map(HedgeAfter::Fixed).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Hedges that may be saved up: a burst of slow answers is what they are for.
const BURST: f64 = 20.0;
/// No timer is finer.
const SHORTEST: Duration = Duration::from_millis(1);
