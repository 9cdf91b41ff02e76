//! Time limits: every wait on a region ends.
//!
//! | limit | runs | ends |
//! |---|---|---|
//! | `connect` | opening a connection (stores built from a configuration) | the attempt |
//! | `attempt` | one region: to response headers, to the first item of a listing | the attempt |
//! | `total` | the whole call, all regions and pauses, to the same point | the call |
//! | `stall` | while the caller polls a body and nothing comes | that region's part in it |
//!
//! Each further page of a listing has as long as its first item had: the `attempt` of `list`.
//!
//! There is no limit on a whole body: a large object over a thin line is no failure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::operation::Operation;
use crate::settings::ConfigError;

/// Time limits of a store, or of one region where they differ there.
///
/// What is `None` has its default, or, for a region, the store's value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutConfig {
    /// Limit of one attempt on one region of a get or head, to response headers (default 5 s). Too short: far regions look sick.
    /// Too long: that is what a hanging region costs each read that meets it. Other operations have limits of their own in
    /// `operations`: `list` 15 s to its first item, `list_with_delimiter` 5 min.
    #[serde(with = "humantime_serde")]
    pub attempt: Option<Duration>,
    /// Limit of a whole get, head or listing over all regions, pauses included, to the same point (default 30 s). An attempt gets
    /// at most its share of what is left: the rest is for the regions still untried. For a whole store only.
    #[serde(with = "humantime_serde")]
    pub total: Option<Duration>,
    /// How long a body may deliver nothing while its caller polls (default 10 s). A slow caller is no stall. Too short: a busy
    /// region loses its downloads. Too long: that is what a region that dies in a body costs.
    #[serde(with = "humantime_serde")]
    pub stall: Option<Duration>,
    /// Limit of opening a connection, in stores built from a configuration (default 2 s).
    #[serde(with = "humantime_serde")]
    pub connect: Option<Duration>,
    /// Limits per operation.
    pub operations: BTreeMap<Operation, OperationTimeouts>,
}

/// The limits of one operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperationTimeouts {
    /// Limit of one attempt on one region.
    #[serde(with = "humantime_serde")]
    pub attempt: Option<Duration>,
    /// Limit of the whole call; for calls whose answer comes last it follows `attempt`.
    #[serde(with = "humantime_serde")]
    pub total: Option<Duration>,
}

/// The limits of one region, every one settled.
#[derive(Debug, Clone)]
pub(crate) struct RegionLimits {
    attempt: [Duration; Operation::ALL.len()],
    pub(crate) stall: Duration,
}

/// The limits of whole calls.
#[derive(Debug, Clone)]
pub(crate) struct CallLimits {
    total: [Duration; Operation::ALL.len()],
    /// Whether that is for each region the call may use.
    per_region: [bool; Operation::ALL.len()],
}

impl RegionLimits {
    /// `own` over `store` over the defaults.
    pub(crate) fn new(own: &TimeoutConfig, store: &TimeoutConfig) -> Self {
        let attempt = Operation::ALL.map(|operation| {
            let named = own.named_attempt(operation).or_else(|| store.named_attempt(operation));
            named.unwrap_or_else(|| default_attempt(operation).min(store.total(operation)))
        });
        Self { attempt, stall: own.stall.or(store.stall).unwrap_or(STALL) }
    }

    pub(crate) fn attempt(&self, operation: Operation) -> Duration {
        self.attempt[operation.index()]
    }
}

impl CallLimits {
    pub(crate) fn new(config: &TimeoutConfig) -> Self {
        let per_region = |operation: Operation| operation.is_write() && !config.names_total(operation);
        Self { total: Operation::ALL.map(|operation| config.total(operation)), per_region: Operation::ALL.map(per_region) }
    }

    /// The limit of a call that may use so many regions: where none is named for a write, each of them gets a whole attempt.
    pub(crate) fn total(&self, operation: Operation, regions: usize) -> Duration {
        let total = self.total[operation.index()];
        if self.per_region[operation.index()] { total.saturating_mul(regions as u32) } else { total }
    }
}

impl TimeoutConfig {
    /// Refuses what could never work; `at` is the path of these settings in the document.
    pub(crate) fn validate(&self, at: &str) -> Result<(), ConfigError> {
        let general = [("attempt", self.attempt), ("total", self.total), ("stall", self.stall), ("connect", self.connect)];
        let mut named: Vec<_> = general.map(|(key, time)| (key.to_owned(), time)).into();
        for (operation, limits) in &self.operations {
            named.push((format!("operations.{operation}.attempt"), limits.attempt));
            named.push((format!("operations.{operation}.total"), limits.total));
        }
        ConfigError::check_times(at, named.into_iter().filter_map(|(key, time)| Some((key, time?))))
    }

    /// Refuses an attempt that the whole call could never grant; `at` and `own` name the settings that set it.
    pub(crate) fn validate_against_total(&self, at: &str, store: &Self) -> Result<(), ConfigError> {
        for operation in Operation::ALL {
            let total = store.total(operation);
            if let Some(attempt) = self.named_attempt(operation).filter(|attempt| *attempt > total) {
                let own = self.operations.get(&operation).is_some_and(|limits| limits.attempt.is_some());
                let key = if own { format!("{at}.operations.{operation}.attempt") } else { format!("{at}.attempt") };
                let why = format!(
                    "an attempt of {attempt:?} could never be granted within the total of {total:?} for {operation}; raise that total or lower the attempt"
                );
                return Err(ConfigError::invalid(key, why));
            }
        }
        Ok(())
    }

    /// Refuses limits of whole calls where they have no meaning.
    pub(crate) fn validate_for_region(&self, at: &str) -> Result<(), ConfigError> {
        if self.total.is_some() || self.operations.values().any(|limits| limits.total.is_some()) {
            return Err(ConfigError::invalid(format!("{at}.total"), "is the limit of a whole call over all regions; set it in [timeouts]"));
        }
        Ok(())
    }

    /// The limit of opening a connection, over `store`'s and the default.
    #[cfg(feature = "config")]
    pub(crate) fn connect_over(&self, store: &Self) -> Duration {
        self.connect.or(store.connect).unwrap_or(CONNECT)
    }

    fn named_attempt(&self, operation: Operation) -> Option<Duration> {
        let own = self.operations.get(&operation).and_then(|limits| limits.attempt);
        own.or_else(|| self.attempt.filter(|_| matches!(operation, Operation::Get | Operation::Head)))
    }

    fn names_total(&self, operation: Operation) -> bool {
        self.operations.get(&operation).is_some_and(|limits| limits.total.is_some())
    }

    fn total(&self, operation: Operation) -> Duration {
        let own = self.operations.get(&operation).and_then(|limits| limits.total);
        own.unwrap_or_else(|| match operation {
            Operation::Get | Operation::Head | Operation::List => self.total.unwrap_or(TOTAL),
            // Their answer comes last, so the attempt is all there is to limit.
            _ => self.named_attempt(operation).unwrap_or_else(|| default_attempt(operation)),
        })
    }
}

/// Response headers of a healthy region come within milliseconds, of a far one within a second; a listing's first page may take
/// long; what is answered last lasts as long as its work.
fn default_attempt(operation: Operation) -> Duration {
    Duration::from_secs(match operation {
        Operation::Get | Operation::Head => 5,
        Operation::List => 15,
        Operation::Put | Operation::PutPart | Operation::Delete => 30,
        Operation::ListWithDelimiter | Operation::Copy | Operation::Rename | Operation::Complete => 300,
    })
}

const TOTAL: Duration = Duration::from_secs(30);
const STALL: Duration = Duration::from_secs(10);
/// Twice the SYN retransmission of one lost packet.
#[cfg(feature = "config")]
const CONNECT: Duration = Duration::from_secs(2);
