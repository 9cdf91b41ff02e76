//! Time limits: every wait for a region ends.
//!
//! | limit | runs | ends |
//! |---|---|---|
//! | `connect` | opening a connection (stores built from a document) | the attempt |
//! | `attempt` | one region: to response headers, to the first item of a listing | the attempt |
//! | `total` | the call, all regions and pauses, to the same point | the call |
//! | `stall` | while the caller polls a body and no byte arrives | the part from that region |
//!
//! Each further page of a listing has the same limit as its first item: the `attempt` of `list`.
//!
//! There is no limit on whole bodies: a large object on a slow connection is no failure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::settings::ConfigError;
use crate::types::Operation;

/// Time limits of a store, or of one region.
///
/// A field that is `None` has its default, or, in a region, the value of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutConfig {
    /// Limit of one attempt of a get or head in one region, up to the response headers (default
    /// 5 s). Too short: distant regions count as failing. Too long: each read that starts in a
    /// hanging region waits this long. The limits of other operations are in `operations`: `list`
    /// 15 s up to its first item, `list_with_delimiter` 5 min.
    #[serde(with = "humantime_serde")]
    pub attempt: Option<Duration>,
    /// Limit of a whole get, head or list over all regions, including pauses, up to the same point
    /// (default 30 s). An attempt gets at most an equal share of the remaining time, the rest is
    /// for the untried regions. Not allowed in a region.
    #[serde(with = "humantime_serde")]
    pub total: Option<Duration>,
    /// How long a body may deliver no byte while its caller polls (default 10 s). The time that a
    /// caller takes to process bytes does not count. Too short: downloads from a busy region are
    /// interrupted. Too long: a body from a region that fails waits this long.
    #[serde(with = "humantime_serde")]
    pub stall: Option<Duration>,
    /// Limit of opening a connection, in stores built from a document (default 2 s).
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
    /// Limit of the whole call. For operations whose response is complete with its headers it
    /// defaults to `attempt`.
    #[serde(with = "humantime_serde")]
    pub total: Option<Duration>,
}

/// The limits of one region, with defaults applied.
#[derive(Debug, Clone)]
pub(crate) struct RegionTimeouts {
    attempt: [Duration; Operation::ALL.len()],
    pub(crate) stall: Duration,
}

/// The limits of whole calls.
#[derive(Debug, Clone)]
pub(crate) struct CallTimeouts {
    total: [Duration; Operation::ALL.len()],
    /// The limit is multiplied by the number of regions that the call may use.
    per_region: [bool; Operation::ALL.len()],
}

impl RegionTimeouts {
    /// `own` over `store` over the defaults.
    pub(crate) fn new(own: &TimeoutConfig, store: &TimeoutConfig) -> Self {
        let attempt = Operation::ALL.map(|operation| {
            let configured = own
                .configured_attempt(operation)
                .or_else(|| store.configured_attempt(operation));
            configured.unwrap_or_else(|| default_attempt(operation).min(store.total(operation)))
        });
        Self {
            attempt,
            stall: own.stall.or(store.stall).unwrap_or(STALL),
        }
    }

    pub(crate) fn attempt(&self, operation: Operation) -> Duration {
        self.attempt[operation.index()]
    }
}

impl CallTimeouts {
    pub(crate) fn new(config: &TimeoutConfig) -> Self {
        let per_region =
            |operation: Operation| operation.is_write() && !config.has_total(operation);
        Self {
            total: Operation::ALL.map(|operation| config.total(operation)),
            per_region: Operation::ALL.map(per_region),
        }
    }

    /// The limit of a call that may use `regions` regions. A write without a configured limit gets
    /// a whole attempt for each of them.
    pub(crate) fn total(&self, operation: Operation, regions: usize) -> Duration {
        let total = self.total[operation.index()];
        if self.per_region[operation.index()] {
            total.saturating_mul(regions as u32)
        } else {
            total
        }
    }
}

impl TimeoutConfig {
    /// Rejects limits without a meaning; `at` is the path of these settings in the document.
    pub(crate) fn validate(&self, at: &str) -> Result<(), ConfigError> {
        let general = [
            ("attempt", self.attempt),
            ("total", self.total),
            ("stall", self.stall),
            ("connect", self.connect),
        ];
        let mut limits: Vec<_> = general.map(|(key, time)| (key.to_owned(), time)).into();
        for (operation, own) in &self.operations {
            limits.push((format!("operations.{operation}.attempt"), own.attempt));
            limits.push((format!("operations.{operation}.total"), own.total));
        }
        ConfigError::check_durations(
            at,
            limits
                .into_iter()
                .filter_map(|(key, time)| Some((key, time?))),
        )
    }

    /// Rejects an attempt limit above the limit of the call; `at` is the path of these settings.
    pub(crate) fn validate_against_total(&self, at: &str, store: &Self) -> Result<(), ConfigError> {
        for operation in Operation::ALL {
            let total = store.total(operation);
            if let Some(attempt) = self
                .configured_attempt(operation)
                .filter(|attempt| *attempt > total)
            {
                let own = self
                    .operations
                    .get(&operation)
                    .is_some_and(|limits| limits.attempt.is_some());
                let key = if own {
                    format!("{at}.operations.{operation}.attempt")
                } else {
                    format!("{at}.attempt")
                };
                let reason = format!(
                    "an attempt of {attempt:?} could never be granted within the total of \
                     {total:?} for {operation}; raise that total or lower the attempt"
                );
                return Err(ConfigError::invalid(key, reason));
            }
        }
        Ok(())
    }

    /// Rejects limits of whole calls in a region.
    pub(crate) fn validate_for_region(&self, at: &str) -> Result<(), ConfigError> {
        if self.total.is_some()
            || self
                .operations
                .values()
                .any(|limits| limits.total.is_some())
        {
            return Err(ConfigError::invalid(
                format!("{at}.total"),
                "is the limit of a whole call over all regions; set it in [timeouts]",
            ));
        }
        Ok(())
    }

    /// The limit of opening a connection: own, of `store`, or the default.
    #[cfg(feature = "config")]
    pub(crate) fn connect_over(&self, store: &Self) -> Duration {
        self.connect.or(store.connect).unwrap_or(CONNECT)
    }

    fn configured_attempt(&self, operation: Operation) -> Option<Duration> {
        let own = self
            .operations
            .get(&operation)
            .and_then(|limits| limits.attempt);
        own.or_else(|| {
            self.attempt
                .filter(|_| matches!(operation, Operation::Get | Operation::Head))
        })
    }

    fn has_total(&self, operation: Operation) -> bool {
        self.operations
            .get(&operation)
            .is_some_and(|limits| limits.total.is_some())
    }

    fn total(&self, operation: Operation) -> Duration {
        let own = self
            .operations
            .get(&operation)
            .and_then(|limits| limits.total);
        own.unwrap_or_else(|| match operation {
            Operation::Get | Operation::Head | Operation::List => self.total.unwrap_or(TOTAL),
            // Their response is complete with its headers: the attempt limits all of it.
            _ => self
                .configured_attempt(operation)
                .unwrap_or_else(|| default_attempt(operation)),
        })
    }
}

/// Response headers of a healthy region arrive within milliseconds, of a distant one within a
/// second. The first page of a listing may take long. Operations that respond when they are done
/// take as long as their work.
fn default_attempt(operation: Operation) -> Duration {
    Duration::from_secs(match operation {
        Operation::Get | Operation::Head => 5,
        Operation::List => 15,
        Operation::Put | Operation::PutPart | Operation::Delete => 30,
        Operation::ListWithDelimiter
        | Operation::Copy
        | Operation::Rename
        | Operation::Complete => 300,
    })
}

const TOTAL: Duration = Duration::from_secs(30);
const STALL: Duration = Duration::from_secs(10);
/// Twice the SYN retransmission of one lost packet.
#[cfg(feature = "config")]
const CONNECT: Duration = Duration::from_secs(2);
