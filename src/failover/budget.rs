//! The retry budget: keeps failures from multiplying the load.
//!
//! A token bucket. Time deposits `min_per_second`, requests deposit `ratio` each, whichever is
//! more. Withdrawals: attempts of further rounds, hedges, and attempts in a region that has just
//! throttled. The first attempt in any other region is free: with two regions the failure of one
//! makes half of all requests need it, and no budget should turn that into errors.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::Deserialize;

use crate::runtime::clock::Instant;
use crate::settings::ConfigError;

/// How many extra attempts a store may make, over all its calls.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetConfig {
    /// Extra attempts per request (default 0.2). Too high: an overload receives more load. Too low:
    /// a short failure of all regions becomes errors.
    pub ratio: f64,
    /// Extra attempts per second that are always granted (default 10), however few requests there
    /// are.
    pub min_per_second: u32,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self {
            ratio: 0.2,
            min_per_second: 10,
        }
    }
}

impl BudgetConfig {
    pub(crate) fn validate(&self, at: &str) -> Result<(), ConfigError> {
        if self.ratio.is_finite() && self.ratio >= 0.0 {
            return Ok(());
        }
        Err(ConfigError::invalid(
            format!("{at}.ratio"),
            "must be a number from 0",
        ))
    }
}

#[derive(Debug)]
pub(crate) struct RetryBudget {
    config: BudgetConfig,
    /// Requests since the last withdrawal.
    requests: AtomicU64,
    refused: AtomicU64,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
    /// Requests per second, over the last completed second.
    rate: f64,
    counted: u64,
    counted_since: Instant,
}

impl RetryBudget {
    pub(crate) fn new(config: BudgetConfig, now: Instant) -> Self {
        let bucket = Bucket {
            tokens: f64::from(config.min_per_second),
            filled_at: now,
            rate: 0.0,
            counted: 0,
            counted_since: now,
        };
        Self {
            config,
            requests: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            bucket: Mutex::new(bucket),
        }
    }

    /// A call has started.
    pub(crate) fn deposit(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Withdraws one extra attempt; false if the budget is exhausted.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock();
        bucket.fill(&self.config, self.requests.swap(0, Ordering::Relaxed), now);
        let granted = bucket.tokens >= 1.0;
        if granted {
            bucket.tokens -= 1.0;
        } else {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        granted
    }

    /// How many withdrawals were refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Bucket {
    fn fill(&mut self, config: &BudgetConfig, requests: u64, now: Instant) {
        let from_time = now.saturating_duration_since(self.filled_at).as_secs_f64()
            * f64::from(config.min_per_second);
        let from_requests = requests as f64 * config.ratio;
        self.counted += requests;
        let counted_for = now
            .saturating_duration_since(self.counted_since)
            .as_secs_f64();
        if counted_for >= 1.0 {
            self.rate = self.counted as f64 / counted_for;
            (self.counted, self.counted_since) = (0, now);
        }
        let per_second = f64::from(config.min_per_second).max(self.rate * config.ratio);
        let capacity = (per_second * BUDGET_RETENTION.as_secs_f64()).max(1.0);
        self.tokens = (self.tokens + from_time.max(from_requests)).min(capacity);
        self.filled_at = now;
    }
}

/// Tokens are kept for this time: an idle period must not pay for a burst of retries.
const BUDGET_RETENTION: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock::now;

    fn count_granted(budget: &RetryBudget, attempts: u32, now: Instant) -> usize {
        (0..attempts).filter(|_| budget.withdraw(now)).count()
    }

    #[test]
    fn starts_with_one_second_and_fills_with_time() {
        let start = now();
        let budget = RetryBudget::new(BudgetConfig::default(), start);
        assert_eq!(count_granted(&budget, 50, start), 10);
        assert_eq!(
            count_granted(&budget, 50, start + Duration::from_secs(1)),
            10
        );
        assert_eq!(
            count_granted(&budget, 500, start + Duration::from_secs(3_600)),
            100,
            "ten seconds of tokens are kept"
        );
        assert_eq!(budget.refused(), 40 + 40 + 400);
    }

    #[test]
    fn requests_deposit_at_the_ratio() {
        let start = now();
        let budget = RetryBudget::new(
            BudgetConfig {
                ratio: 0.2,
                min_per_second: 10,
            },
            start,
        );
        let mut extra = 0;
        for request in 0..10_000_u32 {
            budget.deposit();
            let at = start + Duration::from_millis(10) * request;
            extra += usize::from(budget.withdraw(at));
        }
        assert!((1_990..=2_020).contains(&extra), "{extra}");
    }

    #[test]
    fn zero_budget_grants_nothing() {
        let start = now();
        let budget = RetryBudget::new(
            BudgetConfig {
                ratio: 0.0,
                min_per_second: 0,
            },
            start,
        );
        budget.deposit();
        assert_eq!(count_granted(&budget, 5, start + Duration::from_secs(9)), 0);
    }
}
