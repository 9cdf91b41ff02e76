//! Settings of rounds, reads and writes.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::budget::BudgetConfig;
use crate::settings::{ConfigError, DURATION_MAX};
use crate::types::Operation;

/// Further rounds, after every region has failed once.
///
/// Failover to another region is not a retry and always takes place. A round repeats the request,
/// after a pause, in regions whose failure is transient: 5xx, throttling, timeout, broken
/// connection.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// Whether there are further rounds (default `true`).
    pub enabled: bool,
    /// Rounds in total (default `"auto"`). The `total` limit of the operation ends them early.
    pub rounds: Rounds,
    /// Maximum pause before the second round (default 1 s). Each pause is drawn between zero and
    /// its maximum.
    #[serde(with = "humantime_serde")]
    pub base_delay: Duration,
    /// Upper bound of the maximum pause (default 60 s).
    #[serde(with = "humantime_serde")]
    pub max_delay: Duration,
    /// Growth of the maximum pause per round (default 2).
    pub multiplier: f64,
    /// Extra attempts that further rounds and hedges may use, over all calls.
    pub budget: BudgetConfig,
    /// Rounds per operation.
    pub operations: BTreeMap<Operation, OperationRetry>,
}

/// Rounds of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperationRetry {
    /// Rounds in total.
    pub rounds: Rounds,
}

/// How many times every region is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Rounds {
    /// Enough for three attempts: 3 rounds with one region, 2 with two, otherwise 1.
    #[default]
    Auto,
    /// This many.
    Fixed(NonZeroU32),
}

/// When an object counts as missing, given that replicas may lag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotFoundPolicy {
    /// All regions must lack it (default). While a region cannot be asked the result is
    /// [`Undecided`](crate::FailoverError::Undecided). Where a home is named, and writes go only
    /// there or not through this store, its 404 is final at once: no replica can be ahead of it.
    #[default]
    Unanimous,
    /// The regions that can be reached decide.
    Reachable,
    /// The first response is final. Only for replicas that never lag: otherwise lag becomes
    /// `NotFound`.
    First,
    /// The home region decides, and the 404 of a replica asks home only; a home must be named.
    /// While home is unavailable the others are asked: one that has the object serves it, otherwise
    /// the result is [`Undecided`](crate::FailoverError::Undecided).
    Home,
}

/// Settings of reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadConfig {
    /// When an object counts as missing (default `unanimous`).
    pub not_found: NotFoundPolicy,
    /// Whether an interrupted body resumes in another region (default `true`).
    pub resume: bool,
    /// Prefixes whose keys are overwritten, and are therefore read from home (default none). Reads
    /// of overwritten keys in several regions may return an older version after a newer one. A home
    /// must be named.
    pub home_prefixes: Vec<String>,
    /// What a read under `home_prefixes` does while home is unavailable (default `fail`).
    pub home_out: HomeOut,
}

/// What a read of a key that belongs to home does while home is unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HomeOut {
    /// It fails, and never returns an older version.
    #[default]
    Fail,
    /// Another region serves it, whatever its version; [`ServedBy`](crate::ServedBy) names it.
    ServeStale,
}

/// Where writes go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum WritePolicy {
    /// Nowhere (default): this store only reads.
    None {
        /// The region where other programs write, if there is one. Its 404 is final: no replica
        /// can be ahead of it.
        #[serde(default)]
        home: Option<String>,
    },
    /// To one region only. Its 404 is final.
    Home {
        /// That region.
        home: String,
    },
    /// To any region: puts, copies and new uploads rotate and fail over. For buckets that are
    /// replicated in both directions. A put that timed out in one region may take effect after a
    /// later one in another region, and replace it.
    Any {
        /// The region for conditional writes (`PutMode::Create`, `Update`, copy and rename if
        /// absent). Without it they fail with
        /// [`HomeRequired`](crate::FailoverError::HomeRequired).
        #[serde(default)]
        home: Option<String>,
    },
}

/// The policy without its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteRule {
    /// This store only reads.
    Nowhere,
    /// To home only.
    Home,
    /// To any region; conditional writes to home only.
    Anywhere,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            rounds: Rounds::Auto,
            base_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(60),
            multiplier: 2.0,
            budget: BudgetConfig::default(),
            operations: BTreeMap::new(),
        }
    }
}

impl Default for ReadConfig {
    fn default() -> Self {
        Self {
            not_found: NotFoundPolicy::Unanimous,
            resume: true,
            home_prefixes: Vec::new(),
            home_out: HomeOut::Fail,
        }
    }
}

impl Default for WritePolicy {
    fn default() -> Self {
        Self::None { home: None }
    }
}

impl WritePolicy {
    /// The home region, if one is named.
    pub(crate) fn home(&self) -> Option<&str> {
        match self {
            Self::None { home } | Self::Any { home } => home.as_deref(),
            Self::Home { home } => Some(home),
        }
    }

    pub(crate) fn rule(&self) -> WriteRule {
        match self {
            Self::None { .. } => WriteRule::Nowhere,
            Self::Home { .. } => WriteRule::Home,
            Self::Any { .. } => WriteRule::Anywhere,
        }
    }
}

impl RetryConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        if !(self.multiplier >= 1.0 && self.multiplier.is_finite()) {
            return Err(ConfigError::invalid(
                "retry.multiplier",
                "must be at least 1: shrinking pauses repeat requests ever faster",
            ));
        }
        if self.max_delay > DURATION_MAX {
            return Err(ConfigError::invalid(
                "retry.max_delay",
                "must not be longer than a year",
            ));
        }
        if self.max_delay < self.base_delay {
            return Err(ConfigError::invalid(
                "retry.max_delay",
                "must not be shorter than base_delay",
            ));
        }
        self.budget.validate("retry.budget")
    }

    /// How many rounds a call over `regions` regions has.
    pub(crate) fn rounds(&self, operation: Operation, regions: usize) -> u32 {
        if !self.enabled {
            return 1;
        }
        match self
            .operations
            .get(&operation)
            .map_or(self.rounds, |own| own.rounds)
        {
            Rounds::Auto => AUTO_ATTEMPTS.div_ceil(regions.max(1) as u32),
            Rounds::Fixed(rounds) => rounds.get(),
        }
    }

    /// The maximum pause before round `round`, counted from 2.
    pub(crate) fn max_delay_before(&self, round: u32) -> Duration {
        let factor = self
            .multiplier
            .powi(round.saturating_sub(2).try_into().unwrap_or(i32::MAX));
        crate::runtime::clock::saturating_mul_f64(self.base_delay, factor).min(self.max_delay)
    }
}

/// A request succeeds also after two throttled responses.
const AUTO_ATTEMPTS: u32 = 3;

impl<'de> Deserialize<'de> for Rounds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RoundsVisitor)
    }
}

struct RoundsVisitor;

impl Visitor<'_> for RoundsVisitor {
    type Value = Rounds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"auto\" or a number from 1")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Rounds, E> {
        if text == "auto" {
            Ok(Rounds::Auto)
        } else {
            Err(E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }

    fn visit_u64<E: de::Error>(self, count: u64) -> Result<Rounds, E> {
        let rounds = u32::try_from(count).ok().and_then(NonZeroU32::new);
        rounds
            .map(Rounds::Fixed)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(count), &self))
    }

    fn visit_i64<E: de::Error>(self, count: i64) -> Result<Rounds, E> {
        u64::try_from(count)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(count), &self))
            .and_then(|count| self.visit_u64(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_the_maximum() {
        let config = RetryConfig {
            base_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(6),
            ..Default::default()
        };
        assert_eq!(
            [2, 3, 4, 5, 900].map(|round| config.max_delay_before(round).as_secs()),
            [1, 2, 4, 6, 6]
        );
        let steep = RetryConfig {
            multiplier: 5.0,
            ..config
        };
        assert_eq!(
            [2, 3].map(|round| steep.max_delay_before(round).as_secs()),
            [1, 5]
        );
    }

    #[test]
    fn automatic_rounds_make_three_attempts() {
        let rounds = |config: &RetryConfig, regions| config.rounds(Operation::Get, regions);
        let auto = RetryConfig::default();
        assert_eq!(
            [1, 2, 3, 9].map(|regions| rounds(&auto, regions)),
            [3, 2, 1, 1]
        );
        assert_eq!(
            rounds(
                &RetryConfig {
                    enabled: false,
                    ..auto
                },
                1
            ),
            1
        );
    }
}
