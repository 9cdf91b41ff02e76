//! The retry budget: what keeps failures from multiplying the load.
//!
//! A bucket of tokens. Time fills it at `min_per_second`, requests at `ratio` each, whichever is more. What is paid from it: asking
//! the same regions again in a further round, hedges, and hops to a region that has just been too busy for us. The first hop to any
//! other region is free: with two regions the death of one makes half of all requests need it, and no budget should turn that into
//! errors.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::Deserialize;

use crate::settings::ConfigError;
use crate::time::Instant;

/// How many extra attempts a store may make, over all its calls.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BudgetConfig {
    /// Extra attempts per request (default 0.2). Too high: an overload is answered with more load. Too low: a hiccup of all regions
    /// at once becomes errors.
    pub ratio: f64,
    /// Extra attempts per second that are always granted (default 10), however few requests there are.
    pub min_per_second: u32,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self { ratio: 0.2, min_per_second: 10 }
    }
}

impl BudgetConfig {
    pub(crate) fn validate(&self, at: &str) -> Result<(), ConfigError> {
        if self.ratio.is_finite() && self.ratio >= 0.0 {
            return Ok(());
        }
        Err(ConfigError::invalid(format!("{at}.ratio"), "must be a number from 0"))
    }
}

#[derive(Debug)]
pub(crate) struct Budget {
    config: BudgetConfig,
    /// Requests since the bucket was last filled.
    requests: AtomicU64,
    refused: AtomicU64,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
    /// Requests per second, over the last second that is over.
    rate: f64,
    counted: u64,
    counted_since: Instant,
}

impl Budget {
    pub(crate) fn new(config: BudgetConfig, now: Instant) -> Self {
        let bucket = Bucket { tokens: f64::from(config.min_per_second), filled: now, rate: 0.0, counted: 0, counted_since: now };
        Self { config, requests: AtomicU64::new(0), refused: AtomicU64::new(0), bucket: Mutex::new(bucket) }
    }

    /// A call has begun.
    pub(crate) fn on_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Pays for one extra attempt; false where the budget is exhausted.
    pub(crate) fn pay(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock();
        bucket.fill(&self.config, self.requests.swap(0, Ordering::Relaxed), now);
        let paid = bucket.tokens >= 1.0;
        if paid {
            bucket.tokens -= 1.0;
        } else {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        paid
    }

    /// How often it was exhausted.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Bucket {
    fn fill(&mut self, config: &BudgetConfig, requests: u64, now: Instant) {
        let by_time = now.saturating_duration_since(self.filled).as_secs_f64() * f64::from(config.min_per_second);
        let by_requests = requests as f64 * config.ratio;
        self.counted += requests;
        let counted_for = now.saturating_duration_since(self.counted_since).as_secs_f64();
        if counted_for >= 1.0 {
            self.rate = self.counted as f64 / counted_for;
            (self.counted, self.counted_since) = (0, now);
        }
        let per_second = f64::from(config.min_per_second).max(self.rate * config.ratio);
        let most = (per_second * KEPT.as_secs_f64()).max(1.0);
        self.tokens = (self.tokens + by_time.max(by_requests)).min(most);
        self.filled = now;
    }
}

/// What is not used within this time is lost: a quiet night buys no storm.
const KEPT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::now;

    fn granted(budget: &Budget, wanted: u32, now: Instant) -> usize {
        (0..wanted).filter(|_| budget.pay(now)).count()
    }

    #[test]
    fn it_starts_with_a_second_and_fills_with_time() {
        let start = now();
        let budget = Budget::new(BudgetConfig::default(), start);
        assert_eq!(granted(&budget, 50, start), 10);
        assert_eq!(granted(&budget, 50, start + Duration::from_secs(1)), 10);
        assert_eq!(granted(&budget, 500, start + Duration::from_secs(3_600)), 100, "ten seconds are kept");
        assert_eq!(budget.refused(), 40 + 40 + 400);
    }

    #[test]
    fn many_requests_fill_it_at_their_ratio() {
        let start = now();
        let budget = Budget::new(BudgetConfig { ratio: 0.2, min_per_second: 10 }, start);
        let mut extra = 0;
        for request in 0..10_000_u32 {
            budget.on_request();
            let at = start + Duration::from_millis(10) * request;
            extra += usize::from(budget.pay(at));
        }
        assert!((1_990..=2_020).contains(&extra), "{extra}");
    }

    #[test]
    fn nothing_is_nothing() {
        let start = now();
        let budget = Budget::new(BudgetConfig { ratio: 0.0, min_per_second: 0 }, start);
        budget.on_request();
        assert_eq!(granted(&budget, 5, start + Duration::from_secs(9)), 0);
    }
}
