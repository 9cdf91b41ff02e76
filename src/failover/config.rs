//! The settings of the loop: rounds, pauses, missing keys.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::budget::BudgetConfig;
use super::scope::WriteRule;
use crate::operation::Operation;
use crate::settings::{ConfigError, LONGEST};

/// Further rounds, after every region has failed once.
///
/// The hop to another region is not a retry and is always made. A round asks again, after a pause, those regions whose failure
/// may heal: 5xx, throttling, time-outs, broken connections.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// Whether there are further rounds (default `true`).
    pub enabled: bool,
    /// How many rounds in all (default `"auto"`). Many rounds under a short total limit never come to pass.
    pub rounds: Rounds,
    /// Longest pause before the second round (default 1 s); each pause is drawn between zero and its longest.
    #[serde(with = "humantime_serde")]
    pub base_delay: Duration,
    /// No pause is longer (default 60 s).
    #[serde(with = "humantime_serde")]
    pub max_delay: Duration,
    /// What the longest pause grows by with each round (default 2).
    pub multiplier: f64,
    /// Extra attempts that further rounds and hedges may cost, over all calls.
    pub budget: BudgetConfig,
    /// Rounds per operation.
    pub operations: BTreeMap<Operation, OperationRetry>,
}

/// Rounds of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperationRetry {
    /// How many rounds in all.
    pub rounds: Rounds,
}

/// How many times every region is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Rounds {
    /// Until three attempts have been made: 3 rounds with one region, 2 with two, else 1.
    #[default]
    Auto,
    /// This many.
    Fixed(NonZeroU32),
}

/// What it takes to say that an object does not exist, when replicas may lag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotFoundPolicy {
    /// All regions must say so; while one cannot be asked, a missing key is *undecided* (default). Where a home is named, and
    /// writes go only there or nowhere through us, its 404 is final at once: a replica cannot know more.
    #[default]
    Unanimous,
    /// The regions that can be reached decide.
    Reachable,
    /// The first answer is final. Only for replicas that never lag: any other turns lag into `NotFound`.
    First,
    /// The home region decides, and a replica's 404 asks home alone; a home must be named. While home is out the others are asked:
    /// one that has the object serves it, otherwise it is *undecided*.
    Home,
}

/// Reads that differ from the plain case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadConfig {
    /// What it takes to say that an object does not exist (default `unanimous`).
    pub not_found: NotFoundPolicy,
    /// Whether a body that breaks is continued in another region (default `true`).
    pub resume: bool,
    /// Prefixes whose keys are overwritten, and therefore read from home (default none): anywhere else a read may see an older
    /// version after a newer one. A home must be named.
    pub home_prefixes: Vec<String>,
    /// What a read under `home_prefixes` does while home is out (default `fail`).
    pub home_out: HomeOut,
}

/// What a read of a key that belongs to home does while home is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HomeOut {
    /// It fails: an older version would be a lie.
    #[default]
    Fail,
    /// Another region serves it, whatever its version; [`ServedBy`](crate::ServedBy) says so.
    ServeStale,
}

/// Where writes go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum WritePolicy {
    /// Nowhere (default): this store only reads.
    None {
        /// The region where others write, if there is one: its 404 is final, since a replica cannot know more.
        #[serde(default)]
        home: Option<String>,
    },
    /// To one region, and nowhere else while it is out. Its 404 is final.
    Home {
        /// That region.
        home: String,
    },
    /// To any region: puts, copies and new uploads rotate and fail over, for buckets that are replicated in both directions. A put
    /// that timed out in one region may land after a later one in another, and win.
    Any {
        /// The region for writes that must not overwrite (`PutMode::Create`, `Update`, copy and rename if absent); without one they
        /// are refused.
        #[serde(default)]
        home: Option<String>,
    },
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
        Self { not_found: NotFoundPolicy::Unanimous, resume: true, home_prefixes: Vec::new(), home_out: HomeOut::Fail }
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
            return Err(ConfigError::invalid("retry.multiplier", "must be at least 1: pauses that shrink become a storm"));
        }
        if self.max_delay > LONGEST {
            return Err(ConfigError::invalid("retry.max_delay", "must not be longer than a year"));
        }
        if self.max_delay < self.base_delay {
            return Err(ConfigError::invalid("retry.max_delay", "must not be shorter than base_delay"));
        }
        self.budget.validate("retry.budget")
    }

    /// How many rounds a call over `regions` regions has.
    pub(crate) fn rounds(&self, operation: Operation, regions: usize) -> u32 {
        if !self.enabled {
            return 1;
        }
        match self.operations.get(&operation).map_or(self.rounds, |own| own.rounds) {
            Rounds::Auto => ATTEMPTS_WANTED.div_ceil(regions.max(1) as u32),
            Rounds::Fixed(rounds) => rounds.get(),
        }
    }

    /// The longest pause before round `round`, counted from 2.
    pub(crate) fn longest_pause(&self, round: u32) -> Duration {
        let factor = self.multiplier.powi(round.saturating_sub(2).try_into().unwrap_or(i32::MAX));
        crate::time::scaled(self.base_delay, factor).min(self.max_delay)
    }
}

/// Two throttled answers and then a success must be a success.
const ATTEMPTS_WANTED: u32 = 3;

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
        if text == "auto" { Ok(Rounds::Auto) } else { Err(E::invalid_value(de::Unexpected::Str(text), &self)) }
    }

    fn visit_u64<E: de::Error>(self, count: u64) -> Result<Rounds, E> {
        let rounds = u32::try_from(count).ok().and_then(NonZeroU32::new);
        rounds.map(Rounds::Fixed).ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(count), &self))
    }

    fn visit_i64<E: de::Error>(self, count: i64) -> Result<Rounds, E> {
        u64::try_from(count).map_err(|_| E::invalid_value(de::Unexpected::Signed(count), &self)).and_then(|count| self.visit_u64(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_the_multiplier_up_to_their_maximum() {
        let config = RetryConfig { base_delay: Duration::from_secs(1), max_delay: Duration::from_secs(6), ..Default::default() };
        assert_eq!([2, 3, 4, 5, 900].map(|round| config.longest_pause(round).as_secs()), [1, 2, 4, 6, 6]);
        let steep = RetryConfig { multiplier: 5.0, ..config };
        assert_eq!([2, 3].map(|round| steep.longest_pause(round).as_secs()), [1, 5]);
    }

    #[test]
    fn automatic_rounds_make_three_attempts() {
        let rounds = |config: &RetryConfig, regions| config.rounds(Operation::Get, regions);
        let auto = RetryConfig::default();
        assert_eq!([1, 2, 3, 9].map(|regions| rounds(&auto, regions)), [3, 2, 1, 1]);
        assert_eq!(rounds(&RetryConfig { enabled: false, ..auto }, 1), 1);
    }
}
