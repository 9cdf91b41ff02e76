//! Limits on the load that this store puts on one region. This module does not know HTTP.
//!
//! There is one rate limit for reads and one for writes, because providers limit them separately,
//! and one concurrency limit for both, because they share one pool of connections. Throttling slows
//! down the rate limit of the throttled class; `Retry-After` pauses both.
//!
//! [`Throttle::try_acquire`] never waits, so that a call can use another region instead. Only a
//! call without another region waits, in [`Throttle::acquire`]. The former may overtake the latter.
//!
//! A call takes a concurrency slot first and a cell of the rate limit second, and holds neither
//! while it waits for the other: a cell without a slot would be lost, and a slot without a cell
//! would let slow writes block reads.
//!
//! Without settings there is no limit, and a call costs one branch. `Retry-After` is recorded
//! anyway, for the choice between regions ([`Throttle::retry_after_until`]); no call waits for it.

mod adaptive_clock;
pub(crate) mod config;
mod rate_limit;
#[cfg(test)]
mod tests;
mod wait_queue;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::adaptive_clock::STEP_TIME;
use self::config::ThrottleConfig;
use self::rate_limit::RateLimit;
use crate::error::Failure;
use crate::runtime::atomic_instant::AtomicInstant;
use crate::runtime::clock::{self, Instant};
use crate::types::{CircuitClass, FailureClass};

/// The limits of one region.
#[derive(Debug)]
pub(crate) struct Throttle {
    retry_after: AtomicInstant,
    limits: Option<Limits>,
}

#[derive(Debug)]
struct Limits {
    rates: [RateLimit; 2],
    concurrency: Option<Arc<Semaphore>>,
    adaptive: bool,
}

/// Result of [`Throttle::try_acquire`].
#[derive(Debug)]
#[must_use = "a ready call holds a slot"]
pub(crate) enum Acquire {
    Ready(ThrottlePermit),
    /// Ready at this time at the earliest, if no other call takes the cell.
    #[cfg_attr(not(test), expect(dead_code, reason = "for tests and debug output"))]
    RateLimited {
        ready_at: Instant,
    },
    /// The concurrency limit is reached.
    Saturated,
}

/// A slot under the concurrency limit. Held until the last byte of a body; dropping it frees the
/// slot.
#[derive(Debug)]
#[must_use = "a slot that is dropped at once limits nothing"]
pub(crate) struct ThrottlePermit {
    _slot: Option<OwnedSemaphorePermit>,
}

impl Throttle {
    /// Without `config` there is no limit.
    pub(crate) fn new(config: Option<&ThrottleConfig>, now: Instant) -> Self {
        Self {
            retry_after: AtomicInstant::new(now),
            limits: config.map(|config| Limits::new(config, now)),
        }
    }

    /// The end of the region's `Retry-After`, with or without limits; None once it is over.
    pub(crate) fn retry_after_until(&self, now: Instant) -> Option<Instant> {
        self.retry_after.if_after(now)
    }

    /// Slots in use, where `limit` is the concurrency limit; 0 without one.
    #[cfg(feature = "_internals")]
    pub(crate) fn slots_taken(&self, limit: u32) -> usize {
        let concurrency = self
            .limits
            .as_ref()
            .and_then(|limits| limits.concurrency.as_ref());
        concurrency.map_or(0, |semaphore| {
            (limit as usize).min(Semaphore::MAX_PERMITS) - semaphore.available_permits()
        })
    }

    /// Admits one call now, if the limits allow it.
    pub(crate) fn try_acquire(&self, class: CircuitClass, now: Instant) -> Acquire {
        let Some(limits) = &self.limits else {
            return Acquire::Ready(ThrottlePermit { _slot: None });
        };
        if let Some(ready_at) = self.retry_after.if_after(now) {
            return Acquire::RateLimited { ready_at };
        }
        let Some(permit) = limits.try_acquire_slot() else {
            return Acquire::Saturated;
        };
        match limits.rate(class).try_take(0) {
            Ok(()) => Acquire::Ready(permit),
            Err(ready_at) => Acquire::RateLimited { ready_at },
        }
    }

    /// Waits until the limits allow one call.
    ///
    /// # Cancel safety
    ///
    /// A dropped future has taken neither a slot nor a cell.
    pub(crate) fn acquire(
        self: &Arc<Self>,
        class: CircuitClass,
    ) -> BoxFuture<'static, ThrottlePermit> {
        let throttle = Arc::clone(self);
        async move {
            match &throttle.limits {
                Some(limits) => throttle.wait(limits, class).await,
                None => ThrottlePermit { _slot: None },
            }
        }
        .boxed()
    }

    /// Slows down where the region throttled a call of this class, and pauses for `Retry-After`.
    pub(crate) fn on_failure(&self, class: CircuitClass, failure: &Failure, now: Instant) {
        if failure.class() == FailureClass::Throttled {
            self.slow_down(class, now);
        }
        if let Some(retry_after) = failure.retry_after() {
            self.on_retry_after(now, retry_after);
        }
    }

    fn slow_down(&self, class: CircuitClass, now: Instant) {
        if let Some(limits) = self.limits.as_ref().filter(|limits| limits.adaptive) {
            limits.rate(class).slow_down(now);
        }
    }

    /// Pauses both classes. `Retry-After` is about the region, whatever the class of the call.
    fn on_retry_after(&self, now: Instant, retry_after: Duration) {
        let until = clock::saturating_add(now, retry_after.min(RETRY_AFTER_MAX));
        self.retry_after.set_max(until);
        // Nothing accumulates meanwhile: it would all be sent at the end of the pause.
        for rate in self.limits.iter().flat_map(|limits| &limits.rates) {
            rate.pause(now, until);
        }
    }

    async fn wait(&self, limits: &Limits, class: CircuitClass) -> ThrottlePermit {
        let rate = limits.rate(class);
        let position = rate.queue.join();
        loop {
            let permit = limits.acquire_slot().await;
            let now = clock::now();
            let ready_at = match self.retry_after.if_after(now) {
                Some(until) => until,
                // Half of the calls ahead: some may be cancelled, and the rate may rise.
                None => match rate.try_take(position.ahead() / 2) {
                    Ok(()) => return permit,
                    Err(ready_at) => ready_at,
                },
            };
            drop(permit);
            // The rate may have risen after one step of the adaptive clock.
            clock::sleep_until(ready_at.min(now + STEP_TIME)).await;
        }
    }
}

impl Limits {
    fn new(config: &ThrottleConfig, now: Instant) -> Self {
        let semaphore =
            |limit: u32| Arc::new(Semaphore::new((limit as usize).min(Semaphore::MAX_PERMITS)));
        Self {
            rates: [config.reads_per_second, config.writes_per_second]
                .map(|per_second| RateLimit::new(per_second, now)),
            concurrency: config.max_in_flight.map(semaphore),
            adaptive: config.adaptive,
        }
    }

    fn rate(&self, class: CircuitClass) -> &RateLimit {
        &self.rates[class.index()]
    }

    /// A slot, if one is free and no call waits for it.
    fn try_acquire_slot(&self) -> Option<ThrottlePermit> {
        let slot = match &self.concurrency {
            Some(semaphore) => Some(Arc::clone(semaphore).try_acquire_owned().ok()?),
            None => None,
        };
        Some(ThrottlePermit { _slot: slot })
    }

    /// A slot, in FIFO order.
    async fn acquire_slot(&self) -> ThrottlePermit {
        let slot = match &self.concurrency {
            Some(semaphore) => {
                let slot = Arc::clone(semaphore).acquire_owned().await;
                Some(slot.expect("the semaphore is never closed"))
            }
            None => None,
        };
        ThrottlePermit { _slot: slot }
    }
}

/// Longest `Retry-After` that is honored: a third of the default call timeout. A server's response
/// cannot exclude its region for longer.
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);
